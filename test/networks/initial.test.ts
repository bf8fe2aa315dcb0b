// Initial weights on the host: any neurons of a layer are those of the whole network, which are those that the core
// trains from, however large the layer is. Not here: their distribution (test/math/random.test.ts).
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NEURONS } from "../../assembly/layout.js";
import { dataset } from "../../sdk/data/dataset.js";
import { initialColumns, initialOutput, initialWeights, pieceBlocks } from "../../sdk/networks/initial.js";
import { network } from "../../sdk/networks/network.js";
import { openTraining } from "../../sdk/networks/train.js";
import { Runtime } from "../../sdk/runtime/runtime.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 1 });
});
afterAll(() => runtime.close());

/** Large arrays are too slow for toEqual(). */
const sameBits = (a: Float32Array, b: Float32Array | undefined) =>
  b !== undefined && a.length === b.length && a.every((value, k) => Object.is(value, b[k]));

const width = fc.integer({ min: 1, max: 5 * NEURONS });
const specs = fc.record({
  widths: fc.array(width, { minLength: 1, maxLength: 3 }),
  parameterization: fc.constantFrom("ntk" as const, "lecun" as const),
  seed: fc.integer({ min: 0, max: 2 ** 53 - 1 }),
});

describe("initialColumns", () => {
  it("are the columns of the whole layer, bit for bit, from any block on", async () => {
    const place = fc.record({ layer: fc.nat(), block: fc.nat(), width: fc.nat() });
    await fc.assert(
      fc.asyncProperty(
        specs,
        fc.integer({ min: 1, max: 9 }),
        place,
        async (options, inputs, { layer, block, width }) => {
          const spec = network(options);
          const whole = await initialWeights(spec, inputs, { runtime });
          const l = layer % spec.widths.length;
          const all = spec.widths[l] ?? 1;
          const firstBlock = block % Math.ceil(all / NEURONS);
          const own = 1 + (width % (all - firstBlock * NEURONS));
          const columns = await initialColumns(runtime, spec, inputs, { layer: l, firstBlock, width: own });
          const fan = l === 0 ? inputs : (spec.widths[l - 1] ?? 0);
          const expected = Float32Array.from({ length: fan * own }, (_, at) => {
            const [row, column] = [Math.floor(at / own), at % own];
            return whole.hidden[l]?.[row * all + firstBlock * NEURONS + column] ?? Number.NaN;
          });
          expect(sameBits(columns, expected)).toBe(true);
          expect(initialOutput(runtime, spec, inputs)).toEqual(whole.output);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("initialWeights", () => {
  it("are those that training in the core starts from, bit for bit, where a layer takes several pieces", async () => {
    const inputs = 700;
    const spec = network({ widths: [2 * pieceBlocks(inputs) * NEURONS + 45, 33], seed: 2 ** 40 + 9 });
    const [x, y] = [new Float64Array(2 * inputs).fill(1), Float64Array.of(1, -1)];
    const data = dataset({ x, y, shape: [2, inputs] });
    const session = await openTraining(spec, data, { backend: "wasm", centred: false, runtime });
    try {
      const [own, trained] = [await initialWeights(spec, inputs, { runtime }), await session.weights()];
      expect(own.hidden.map((layer, l) => sameBits(layer, trained.hidden[l]))).toEqual([true, true]);
      expect(own.output).toEqual(trained.output);
    } finally {
      session.dispose();
    }
  });

  it("need 16 MiB of the core for a layer of 64 MiB, on any number of threads, and report progress to the end", async () => {
    const spec = network({ widths: [2 ** 18] });
    const inputs = 64;
    const few = await Runtime.create({ threads: 0, memory: 16 * 2 ** 20 });
    const before = few.memory.bytesInUse;
    const seen: number[] = [];
    const onProgress = ({ done, total }: { done: number; total: number }) => seen.push(done / total);
    const weights = await initialWeights(spec, inputs, { runtime: few, onProgress });
    expect(few.memory.bytesInUse).toBe(before);
    await few.close();
    expect(weights.hidden[0]).toHaveLength(64 * 2 ** 18);
    const columns = await initialColumns(runtime, spec, inputs, { layer: 0, firstBlock: 8191, width: 32 });
    const last = Float32Array.from({ length: 64 * 32 }, (_, k) => {
      const [row, column] = [Math.floor(k / 32), k % 32];
      return weights.hidden[0]?.[(row + 1) * 2 ** 18 - 32 + column] ?? Number.NaN;
    });
    expect(last).toEqual(columns);
    expect(seen.at(-1)).toBe(1);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it("stops with the signal's reason", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(initialWeights(network({ widths: [8] }), 3, { runtime, signal })).rejects.toThrow("enough");
  });
});
