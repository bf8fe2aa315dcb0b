// Machines by pairs of classes: outputs are each pair's own, votes and ties follow the stated rule, files come back, and
// decisions agree with libsvm's. Certificates are in test/certify/classes.test.ts.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { classSet } from "../../sdk/data/classes.js";
import { FormatError } from "../../sdk/errors.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import { krr } from "../../sdk/machines/krr.js";
import { logistic } from "../../sdk/machines/logistic.js";
import { classPairs, oneVsOne, PairMachine } from "../../sdk/machines/one-vs-one.js";
import { ClassMachine, oneVsRest } from "../../sdk/machines/one-vs-rest.js";
import { svm } from "../../sdk/machines/svm.js";
import { clouds } from "../clouds.js";
import { oracle, runtimeAt } from "../helpers.js";

const kernel = ntk();
const runtime = await runtimeAt("simd");
const on = { runtime };
const data = clouds(80, 5, 4, 1);
const test = clouds(40, 5, 4, 2);
const PAIRS = [
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 2],
  [1, 3],
  [2, 3],
] as const;

it("pairs of classes come in order, each once", () => {
  expect(classPairs(4)).toEqual(PAIRS);
  expect(classPairs(2)).toEqual([[0, 1]]);
});

describe.each([
  ["krr", () => krr({ kernel, lambda: 1 })],
  ["svm", () => svm({ kernel, c: 3, bias: true })],
  ["logistic", () => logistic({ kernel, c: 3 })],
])("%s", (name, make) => {
  it("each pair's output is that of the machine trained on its two classes, to 1e-12 of the coefficients, and opposite the other way round", async () => {
    const machine = await oneVsOne(make()).fit(data, on);
    expect([machine.machine, machine.classes, machine.alphas.length]).toEqual([name, ["0", "1", "2", "3"], 6]);
    const outputs = await machine.decisionFunctions(test, on);
    for (const [k, [c, j]] of PAIRS.entries()) {
      const own = Array.from({ length: test.n }, (_, i) => outputs[6 * i + k]);
      const g = await machine.difference(c, j).decisionFunction(test, on);
      expect(Array.from(g)).toEqual(own);
      expect(await machine.difference(j, c).decisionFunction(test, on)).toEqual(g.map((value) => -value));
      const rows = Array.from(data.labels.keys()).filter((i) => data.labels[i] === c || data.labels[i] === j);
      const { x } = data.subset(rows);
      const labels = rows.map((i) => (data.labels[i] === c ? 1 : 0));
      const two = classSet({ x, labels, shape: [rows.length, data.d] });
      const alone = await make().fit(two.against(1), on);
      // The same terms in another order: inputs and rows have norms below 10, so K is below 10.
      const size = alone.alpha.reduce((sum, a) => sum + Math.abs(a), 1);
      (await alone.decisionFunction(test, on)).forEach((value, i) => {
        expect(Math.abs(value - (own[i] ?? Number.NaN))).toBeLessThan(1e-12 * size);
      });
    }
  });

  it("what is saved comes back with the same bits", async () => {
    const machine = await oneVsOne(make()).fit(data, on);
    const bytes = machine.save();
    const back = PairMachine.load(bytes);
    expect(back.save()).toEqual(bytes);
    expect(await back.hash()).toBe(await machine.hash());
    expect(await back.decisionFunctions(test, on)).toEqual(await machine.decisionFunctions(test, on));
    for (const length of [0, 8, 200, bytes.length - 1])
      expect(() => PairMachine.load(bytes.slice(0, length))).toThrow(FormatError);
    expect(() => ClassMachine.load(bytes)).toThrow(/expected format "ntkit class machine"/);
    const other = (await oneVsRest(make()).fit(data, on)).save();
    expect(() => PairMachine.load(other)).toThrow(/expected format "ntkit pair machine"/);
  });
});

/** A machine of pairs whose outputs at the row (1) are the numbers given. */
function constant(values: readonly number[], k: number): PairMachine {
  return new PairMachine({
    machine: "svm",
    parameters: {},
    kernel,
    classes: Array.from({ length: k }, (_, c) => String(c)),
    rows: { n: 1, d: 1, x: Float64Array.of(1), scale: 1 },
    alphas: values.map(() => new Float64Array(1)),
    biases: Float64Array.from(values),
    training: [],
    dataHash: "",
    dataName: "",
  });
}

it("the class decided for has the most votes, of equally many the largest sum of margins, of equal sums it is the first", async () => {
  const one = { n: 1, d: 1, x: Float64Array.of(1), scale: 1 };
  const seen = { ties: 0, sums: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 10, maxLength: 10 }), async (values) => {
      const machine = constant(values, 5);
      const of = (c: number, j: number) => {
        const k = classPairs(5).findIndex(([a, b]) => a === Math.min(c, j) && b === Math.max(c, j));
        return c === j ? 0 : (c < j ? 1 : -1) * (values[k] ?? 0);
      };
      const all = [0, 1, 2, 3, 4];
      const votes = all.map((c) => all.filter((j) => of(c, j) > 0).length);
      const sums = all.map((c) => all.reduce((sum, j) => sum + of(c, j), 0));
      const most = all.filter((c) => votes[c] === Math.max(...votes));
      const best = most.filter((c) => sums[c] === Math.max(...most.map((j) => sums[j] ?? 0)));
      if (most.length > 1) seen.ties += 1;
      if (best.length > 1) seen.sums += 1;
      expect(Array.from(await machine.votes(one, on))).toEqual(votes);
      const { predictions, margins } = await machine.decide(one, on);
      expect(predictions[0]).toBe(best[0]);
      expect(Array.from(margins, (value) => value + 0)).toEqual(all.map((j) => of(best[0] ?? 0, j) + 0));
    }),
    { numRuns: 200, seed: 1 },
  );
  expect(Math.min(seen.ties, seen.sums)).toBeGreaterThan(5);
});

interface Case {
  readonly c: number;
  readonly classes: number;
  readonly x: number[][];
  readonly labels: number[];
  readonly xTest: number[][];
  readonly decisions: number[][];
  readonly predictions: number[];
}

it.each((oracle("machines").pairs as Case[]).map((one) => [one.c, one.classes, one] as const))(
  "C %s, %s classes: decisions of every pair are libsvm's one-vs-one to 1e-4 (its kernel is float32), and so are predictions where no tie is near",
  async (c, classes, { x, labels, xTest, decisions, predictions }) => {
    const d = x[0]?.length ?? 0;
    const train = classSet({ x: Float64Array.from(x.flat()), labels, shape: [x.length, d] });
    const rows = { n: xTest.length, d, x: Float64Array.from(xTest.flat()), scale: 1 };
    const machine = await oneVsOne(svm({ kernel, c, bias: true, tolerance: 1e-12 })).fit(train, on);
    const outputs = await machine.decisionFunctions(rows, on);
    const own = await machine.predict(rows, on);
    const pairs = classPairs(classes);
    let compared = 0;
    decisions.forEach((values, i) => {
      values.forEach((value, k) => {
        const room = 1e-4 * Math.max(1, Math.abs(value));
        expect(Math.abs((outputs[i * pairs.length + k] ?? Number.NaN) - value)).toBeLessThan(room);
      });
      // libsvm takes the first of tied classes, ntkit that with the largest sum of margins.
      const votes = Array.from({ length: classes }, () => 0);
      pairs.forEach(([a, b], k) => {
        const winner = (values[k] ?? 0) > 0 ? a : b;
        votes[winner] = (votes[winner] ?? 0) + 1;
      });
      const tied = votes.filter((count) => count === Math.max(...votes)).length > 1;
      if (tied || values.some((value) => Math.abs(value) < 1e-3)) return;
      compared += 1;
      expect(own[i]).toBe(predictions[i]);
    });
    expect(compared).toBeGreaterThan(20);
  },
);

it("names bad arguments", async () => {
  expect(() => oneVsOne(undefined as never)).toThrow(/^trainer: /);
  const machine = constant([1, 1, 1], 3);
  expect(() => machine.difference(0, 3)).toThrow(/^j: /);
  expect(() => machine.difference(1, 1)).toThrow(/^j: expected another class/);
  expect(() => data.between(0, 0)).toThrow(/^j: expected another class/);
  expect(() => data.between(0, 4)).toThrow(/^j: /);
  await expect(oneVsOne(svm({ kernel })).fit(data.against(0) as never, on)).rejects.toThrow(TypeError);
  const lone = classSet({ x: Float64Array.of(1, 2), labels: [0, 1], shape: [2, 1], classes: ["a", "b", "c"] });
  await expect(oneVsOne(svm({ kernel })).fit(lone, on)).rejects.toThrow(/none of "c"$/);
  expect(() => lone.between(0, 2)).toThrow(/none of "c"$/);
});
