// Some work with the whole SDK, as plain numbers, to be done in Node and in a page. Not here: comparing them.
import type * as Sdk from "../../sdk/index.js";

export interface Numbers {
  readonly radii: number[];
  readonly alpha: number[];
  readonly decisions: number[];
  readonly ridge: number[];
  readonly weights: number[];
}

/** Trains and certifies with `sdk` on `threads` threads, on runtimes that `prepare` saw first. */
export async function work(
  sdk: typeof Sdk,
  threads: number,
  prepare = (_runtime: Sdk.Runtime) => {},
): Promise<Numbers> {
  const runtime = await sdk.Runtime.create({ threads });
  prepare(runtime);
  const [n, d] = [60, 40];
  const x = Uint8Array.from({ length: n * d }, (_, k) => (k % 3 === 0 ? 0 : (k * k * 37 + k * 11) % 251));
  const y = Array.from({ length: n }, (_, i) => ((x[i * d + 1] ?? 0) > (x[i * d + 2] ?? 0) ? 1 : -1));
  const data = sdk.dataset({ x, y, shape: [n, d] });
  const kernel = sdk.ntk();
  const machine = await sdk.svm({ kernel, c: 2 }).fit(data, { runtime });
  const { perSample } = await sdk.certify(machine, data, { runtime });
  const ridge = await sdk.krr({ kernel, lambda: 0.5 }).fit(data, { runtime });
  // Networks may use relaxed SIMD, whose roundings are the engine's own; plain SIMD has none to choose.
  const simd = await sdk.Runtime.create({ threads, level: "simd" });
  prepare(simd);
  const model = await sdk.trainNetwork(sdk.network({ widths: [48, 33], seed: 3 }), data, {
    backend: "wasm",
    batch: 16,
    epochs: 5,
    runtime: simd,
  });
  const loaded = sdk.Machine.load(machine.save());
  const decisions = await loaded.decisionFunction(data, { runtime });
  await Promise.all([runtime.close(), simd.close()]);
  return {
    radii: perSample.map(({ radius }) => radius),
    alpha: [...machine.alpha],
    decisions: [...decisions],
    ridge: [...ridge.alpha],
    weights: [...model.weights.hidden.flatMap((layer) => [...layer]), ...model.weights.output],
  };
}
