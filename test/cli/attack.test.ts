// ntkit attack: table, JSON, counterexamples and pictures, and what is said of wrong use. Not here: how near attacks get.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { readNpz, writeNpz } from "../../sdk/data/npz.js";
import { points, writePoints } from "./points.js";
import { scratchFolder, shell } from "./run.js";

const folder = scratchFolder();

beforeAll(async () => {
  writePoints(folder, "points.npz", 80, 30, 9);
  const { code } = await shell("train --data points.npz --machine svm --c 10 --out svm.safetensors --quiet", {
    folder,
  });
  expect(code).toBe(0);
});

describe("ntkit attack", () => {
  test("prints a table, writes JSON without inputs, and every counterexample", async () => {
    const { code, stdout, stderr } = await shell(
      "attack svm.safetensors --data points.npz --samples 12 --norm l2 --json attack.json --out found --pictures 3",
      { folder },
    );
    expect([code, stderr]).toEqual([0, expect.not.stringContaining("ntkit:")]);
    expect(stdout).toContain("pgd, l2, each sign proved");
    expect(stdout).toMatch(/index +label +decision +radius +failed +evaluations +seconds +verdict/);
    const report = JSON.parse(readFileSync(join(folder, "attack.json"), "utf8"));
    expect(report).toMatchObject({ samples: 12, norm: "l2", method: "pgd" });
    expect(report.perSample[0]).not.toHaveProperty("adversarial");
    const arrays = readNpz(new Uint8Array(readFileSync(join(folder, "found/counterexamples.npz"))));
    const found = report.perSample.filter(({ radius }: { radius: number | null }) => radius !== null);
    expect(found.length).toBeGreaterThan(0);
    expect(arrays.get("x")?.shape).toEqual([found.length, 9]);
    expect(Array.from(arrays.get("radius")?.data ?? [])).toEqual(found.map(({ radius }: { radius: number }) => radius));
    // Rows of nine are images of three by three; the nearest three are drawn.
    const nearest = found
      .sort((a: { radius: number }, b: { radius: number }) => a.radius - b.radius)
      .slice(0, 3)
      .map(({ index }: { index: number }) => `attack-${index}.png`);
    expect(readdirSync(join(folder, "found")).sort()).toEqual([...nearest, "counterexamples.npz"].sort());
  });

  test("the counterexamples, as a data set, get the other decision", async () => {
    const bytes = new Uint8Array(readFileSync(join(folder, "found/counterexamples.npz")));
    const arrays = readNpz(bytes);
    const prediction = Array.from(arrays.get("prediction")?.data ?? []);
    const { x, y } = points(4, 9, 1);
    const test = { x_test: arrays.get("x")!, y_test: arrays.get("y")! };
    writeFileSync(join(folder, "again.npz"), writeNpz({ x, y, ...test }));
    const { stdout } = await shell("predict svm.safetensors --data again.npz --quiet --json -", { folder });
    const decisions = JSON.parse(stdout).perSample.map(({ prediction: own }: { prediction: number }) => own);
    expect(decisions).toEqual(prediction.map((sign) => -sign));
  });

  test("takes FGSM, limits and the seed; the same seed and any threads give the same radii", async () => {
    const radii = async (flags: string) => {
      const { stdout } = await shell(`attack svm.safetensors --data points.npz --samples 4 --quiet --json - ${flags}`, {
        folder,
      });
      return JSON.parse(stdout).perSample.map(({ radius }: { radius: number | null }) => radius);
    };
    expect(await radii("--limit 1e-6")).toEqual([null, null, null, null]);
    expect(await radii("--threads 1 --restarts 6")).toEqual(await radii("--threads 3 --restarts 6"));
    const [plain, fast] = [await radii("--tolerance 1e-4"), await radii("--method fgsm --tolerance 1e-4")];
    plain.forEach((radius: number, k: number) => {
      expect(radius).toBeLessThanOrEqual(fast[k] * 1.001);
    });
  });

  test("names what was wrong", async () => {
    const cases = [
      ["attack svm.safetensors --data points.npz --norm l3", '--norm: expected "linf" | "l2" | "l1", got "l3"'],
      ["attack svm.safetensors --data points.npz --restarts 1", "--restarts: expected an integer >= 2"],
      ["attack svm.safetensors --data points.npz --out -", '--out: expected the path of a file, got "-"'],
      ["attack svm.safetensors", "required option '--data <source>' not specified"],
    ] as const;
    for (const [line, message] of cases) {
      const { code, stderr } = await shell(line, { folder });
      expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
    const { code, stderr } = await shell("attack svm.safetensors --data points.npz --domain --out never", { folder });
    expect([code, stderr]).toEqual([1, expect.stringContaining("domain: expected entries in [0, 1]")]);
    expect(existsSync(join(folder, "never/counterexamples.npz"))).toBe(false);
  });
});
