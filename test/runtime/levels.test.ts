// The three builds of the core give the same bits from end to end. Where relaxed SIMD is behind a flag (Node 20), the
// flag is set here, so that the relaxed build runs too.
import { setFlagsFromString } from "node:v8";
import { expect, it } from "vitest";
import { certify } from "../../sdk/certify/certify.js";
import { GramMatrix } from "../../sdk/kernels/gram.js";
import { nngp, ntk } from "../../sdk/kernels/kernel.js";
import { spectrum } from "../../sdk/kernels/spectrum.js";
import { krr } from "../../sdk/machines/krr.js";
import { svm } from "../../sdk/machines/svm.js";
import { svmSgd } from "../../sdk/machines/svm-sgd.js";
import { coreBytes, type FeatureLevel } from "../../sdk/runtime/module.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { coreBytesOf, randomData, runtimeAt } from "../helpers.js";

const native = WebAssembly.validate(coreBytesOf("relaxed"));
const before = (await coreBytes()).level;
if (!native) setFlagsFromString("--experimental-wasm-relaxed-simd");

/** Everything that the machines of this package compute, as plain values. */
async function everything(level: FeatureLevel): Promise<unknown> {
  const runtime = await runtimeAt(level);
  const results: unknown[] = [];
  for (const [pixels, n, d] of [
    [true, 1100, 31],
    [false, 90, 7],
  ] as const) {
    const data = randomData(n, d, 6, pixels);
    for (const kernel of [ntk(), nngp({ depth: 3, weightVariance: 1.5, biasVariance: 0.2 })]) {
      const gram = await GramMatrix.create(kernel, data, { runtime });
      results.push(await gram.multiply(Float64Array.from({ length: n }, (_, i) => Math.cos(i))));
      results.push(await spectrum(gram, { steps: 12 }));
      gram.dispose();
      const machine = await svm({ kernel, c: 2, bias: true }).fit(data, { runtime });
      results.push(machine, await krr({ kernel, lambda: 0.5 }).fit(data, { runtime }));
      results.push(await machine.decisionFunction(data, { runtime }));
    }
    results.push(await svmSgd({ kernel: ntk(), epochs: 4 }).fit(data, { runtime }));
    const machine = await svm({ kernel: ntk(), c: 2 }).fit(data, { runtime });
    const { perSample } = await certify(machine, data, { runtime, samples: 40 });
    results.push(perSample.map(({ seconds, ...rest }) => rest));
  }
  return results;
}

it("simd and relaxed compute what the scalar reference computes, to the bit", async () => {
  const reference = await everything("scalar");
  expect(await everything("simd")).toEqual(reference);
  // An engine that has relaxed SIMD neither on its own nor behind the flag would be news: look at it then.
  expect(WebAssembly.validate(coreBytesOf("relaxed"))).toBe(true);
  expect(await everything("relaxed")).toEqual(reference);
});

it("chooses relaxed SIMD exactly where the engine validates it, and refuses the level by name where not", async () => {
  expect(before).toBe(native ? "relaxed" : "simd");
  expect((await coreBytes()).level).toBe("relaxed");
  expect((await Runtime.create({ threads: 0 })).level).toBe("relaxed");
  expect((await Runtime.create({ threads: 0, level: "simd" })).level).toBe("simd");
});

it("the bytes that the package unpacks are those that were compiled", async () => {
  for (const level of ["simd", "relaxed"] as const)
    expect(await coreBytes(level)).toEqual({ level, bytes: coreBytesOf(level) });
});

it("an engine without SIMD is told what to do", async () => {
  const validate = WebAssembly.validate;
  try {
    WebAssembly.validate = () => false;
    await expect(Runtime.create({ threads: 0 })).rejects.toThrow(/^this engine runs no SIMD WebAssembly: use Node/);
    await expect(Runtime.create({ threads: 0, level: "relaxed" })).rejects.toThrow(/runs no relaxed WebAssembly/);
  } finally {
    WebAssembly.validate = validate;
  }
});
