// The seven machines of Table 1 on a few digits: every row reaches its optimum, and the best bound proves more than the
// paper's. Not here: the machines' own tests (test/machines/).
import { expect, it } from "vitest";
import { mnist } from "../../sdk/data/mnist.js";
import { TABLE1_MACHINES, table1 } from "../../sdk/experiments/table1.js";
import { runtimeAt } from "../helpers.js";

const digits = await mnist({ digits: [0, 1] });
const data = {
  train: digits.train.subset(Array.from({ length: 200 }, (_, k) => k)),
  test: digits.test.subset(Array.from({ length: 30 }, (_, k) => k)),
};

it("all seven rows: optimality within 1e-6, accuracy above 95%, paper's radius below the best, a machine for each loss", async () => {
  const runtime = await runtimeAt("simd");
  const before = runtime.memory.bytesInUse;
  const seen: string[] = [];
  const rows = await table1({ data, runtime, count: 3, onRow: ({ machine }) => seen.push(machine) });
  expect(seen).toEqual([...TABLE1_MACHINES]);
  expect(rows.map(({ loss }) => loss)).toEqual([
    "squared",
    "hinge",
    "hinge",
    "squared-hinge",
    "epsilon-insensitive",
    "squared",
    "logistic",
  ]);
  // The machine weighs the sum of the losses, the network their mean over the rows.
  const ridge = 1 / data.train.n;
  expect(rows.map(({ network }) => network.lambda)).toEqual([0, null, ridge, ridge, ridge, ridge, ridge]);
  for (const { network, loss, solver } of rows) expect([network.loss, solver.length > 5]).toEqual([loss, true]);
  for (const { reached, accuracy, samples, interval, certified, rows: own } of rows) {
    expect(reached).toBeLessThanOrEqual(1e-6);
    expect(accuracy).toBeGreaterThan(0.95);
    expect(samples).toBe(3);
    expect(interval.min).toBeGreaterThan(0);
    expect(certified.mean).toBeGreaterThan(2 * (interval.mean ?? Number.NaN));
    expect(own).toBeGreaterThan(0);
  }
  expect(rows[0]?.parameters.lambda).toBe(0);
  expect(rows[1]?.parameters).toEqual({ bias: false });
  expect(runtime.memory.bytesInUse).toBe(before);
  await runtime.close();
});

it("names bad options", async () => {
  await expect(table1({ machines: [] })).rejects.toThrow(/^machines: expected an array of at least one name/);
  await expect(table1({ machines: ["forest" as never] })).rejects.toThrow(/^machines\[0\]: expected/);
  await expect(table1({ lambda: 0 })).rejects.toThrow(/^lambda: /);
  await expect(table1({ epsilon: -1 })).rejects.toThrow(/^epsilon: /);
  await expect(table1({ count: 0 })).rejects.toThrow(/^count: /);
});
