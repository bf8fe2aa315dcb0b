// Networks as ONNX, evaluated by ONNX Runtime, and properties as VNN-LIB.
import fc from "fast-check";
import { InferenceSession, Tensor } from "onnxruntime-web";
import { expect, it } from "vitest";
import { boxProperty } from "../../sdk/networks/box-property.js";
import { trainNetwork } from "../../sdk/networks/model.js";
import { network } from "../../sdk/networks/network.js";
import { exportOnnx } from "../../sdk/networks/onnx.js";
import { randomData, runtimeAt } from "../helpers.js";

const runtime = await runtimeAt("simd");
const rows = randomData(24, 20, 5, true);

/** Outputs of the ONNX model on rows in data units. */
async function evaluate(bytes: Uint8Array, x: Float32Array, d: number): Promise<number[]> {
  const session = await InferenceSession.create(bytes, { executionProviders: ["wasm"] });
  const { Y } = await session.run({ X: new Tensor("float32", x, [x.length / d, d]) });
  await session.release();
  return Array.from(Y?.data as Float32Array);
}

it.each([
  { widths: [40], parameterization: "ntk" as const, centred: true },
  { widths: [40], parameterization: "ntk" as const, centred: false },
  { widths: [33, 17], parameterization: "ntk" as const, centred: true },
  { widths: [16, 8, 24], parameterization: "lecun" as const, centred: true },
])(
  "ONNX Runtime gives the outputs of $widths, $parameterization, centred $centred, to 1e-5 of the network's size",
  async ({ centred, ...shape }) => {
    const spec = network({ ...shape, seed: 3 });
    const model = await trainNetwork(spec, rows, { epochs: 3, batch: 8, learningRate: 0.5, centred, runtime });
    const x = Float32Array.from(rows.x, (value) => value / 255);
    const exported = await evaluate(await exportOnnx(model, { runtime }), x, rows.d);
    const own = await model.outputs(rows, { runtime });
    // Float32 sums of up to 40 products in each of up to four layers; f and f_0 are of size 1 and nearly cancel.
    own.forEach((value, k) => {
      expect(Math.abs((exported[k] ?? Number.NaN) - value)).toBeLessThan(1e-5 * (1 + Math.abs(value)));
    });
  },
);

it("real-valued rows keep their units", async () => {
  const real = randomData(12, 5, 8);
  const model = await trainNetwork(network({ widths: [9] }), real, { epochs: 2, batch: 4, runtime });
  const exported = await evaluate(await exportOnnx(model, { runtime }), Float32Array.from(real.x), 5);
  const own = await model.outputs(real, { runtime });
  own.forEach((value, k) => {
    expect(Math.abs((exported[k] ?? Number.NaN) - value)).toBeLessThan(2e-5 * (1 + Math.abs(value)));
  });
});

/** Reads the box of a property back: [low, high] of each input. */
function readBox(text: string, d: number): [number, number][] {
  const box = Array.from({ length: d }, (): [number, number] => [Number.NaN, Number.NaN]);
  for (const [, side, k, value] of text.matchAll(/\(assert \(([<>])= X_(\d+) (-?\d+\.\d+)\)\)/g)) {
    const entry = box[Number(k)];
    if (entry !== undefined) entry[side === ">" ? 0 : 1] = Number(value);
  }
  return box;
}

it("a property's box is the ball to the bit, in plain decimals; the unsafe side is the other sign", () => {
  const entry = fc.double({ min: -1e22, max: 1e22, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 1, maxLength: 5 }),
      fc.double({ min: 0, max: 10, noNaN: true }),
      (input, radius) => {
        const text = boxProperty({ input, radius, prediction: -1 });
        expect(readBox(text, input.length)).toEqual(input.map((v) => [v - radius + 0, v + radius + 0]));
        expect(text).toContain("(assert (>= Y_0 0.0))");
      },
    ),
  );
  expect(boxProperty({ input: [0.5], radius: 0.1, prediction: 1 })).toContain("(assert (<= Y_0 0.0))");
  expect(readBox(boxProperty({ input: [0.05, 1], radius: 0.1, prediction: 1, domain: true }), 2)).toEqual([
    [0, 0.05 + 0.1],
    [0.9, 1],
  ]);
});

it("names bad arguments", async () => {
  await expect(exportOnnx({} as never)).rejects.toThrow(/^model: expected a trained network, got/);
  expect(() => boxProperty({ input: [], radius: 1, prediction: 1 })).toThrow(/^input: expected at least one entry/);
  expect(() => boxProperty({ input: [Number.NaN], radius: 1, prediction: 1 })).toThrow(/^input\[0\]: /);
  expect(() => boxProperty({ input: [1], radius: -1, prediction: 1 })).toThrow(/^radius: /);
  expect(() => boxProperty({ input: [1], radius: 1, prediction: 0 as never })).toThrow(/^prediction: /);
});
