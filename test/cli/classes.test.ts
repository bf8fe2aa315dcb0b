// Several classes and real targets on the command line: train, inspect, predict, certify, and what refuses them.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { writeNpz } from "../../sdk/data/npz.js";
import { readSafetensors } from "../../sdk/data/safetensors.js";
import { clouds } from "../clouds.js";
import { uniform } from "./points.js";
import { scratchFolder, shell } from "./run.js";

const folder = scratchFolder();
const json = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));
const shape = (n: number, d: number) => [n, d];

beforeAll(() => {
  const [train, tests] = [clouds(90, 5, 4, 1), clouds(24, 5, 4, 2)];
  const labels = (set: typeof train) => ({ shape: [set.n], data: Int32Array.from(set.labels, (c) => 10 * c) });
  const rows = (set: typeof train) => ({ shape: shape(set.n, 5), data: set.x as Float64Array });
  writeFileSync(
    join(folder, "clouds.npz"),
    writeNpz({ x: rows(train), y: labels(train), x_test: rows(tests), y_test: labels(tests) }),
  );
  const targets = (n: number, seed: number) => {
    const x = uniform(3 * n, seed).map((value, k) => (k % 3 === 0 ? value + 2 : value));
    const y = Float64Array.from({ length: n }, (_, i) => (x[3 * i] ?? 0) ** 2 + Math.sin(3 * (x[3 * i + 1] ?? 0)));
    return [
      { shape: shape(n, 3), data: x },
      { shape: [n], data: y },
    ] as const;
  };
  const [[x, y], [xTest, yTest]] = [targets(80, 1), targets(25, 2)];
  writeFileSync(join(folder, "targets.npz"), writeNpz({ x, y, x_test: xTest, y_test: yTest }));
});

describe.each([
  ["svm", "ovr", "--c 10 --bias", 4],
  ["krr", "ovo", "--lambda 0.1", 6],
])("%s, %s", (machine, scheme, flags, machines) => {
  const model = `${machine}-${scheme}.safetensors`;

  test("trains, is inspected, predicts and certifies by names of classes; the same numbers in JSON and TSV", async () => {
    const train = `train --data clouds.npz --machine ${machine} ${flags} --multiclass ${scheme} --out ${model} --json t.json`;
    const trained = await shell(train, { folder });
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    expect(trained.stdout).toMatch(new RegExp(`^classes +0, 10, 20, 30: each class .*, ${machines} machines$`, "m"));
    expect(json("t.json")).toMatchObject({ machine, multiclass: scheme, classes: ["0", "10", "20", "30"], columns: 5 });
    const { metadata } = readSafetensors(readFileSync(join(folder, model)));
    expect(JSON.parse(metadata.classes ?? "")).toEqual(["0", "10", "20", "30"]);

    const inspected = await shell(`inspect ${model} --json -`, { folder });
    const facts = JSON.parse(inspected.stdout);
    expect(facts).toMatchObject({ machine, multiclass: scheme, columns: 5, storage: "float64" });
    expect([facts.modelHash, facts.training.length]).toEqual([json("t.json").modelHash, machines]);

    const predicted = await shell(`predict ${model} --data clouds.npz --json p.json`, { folder });
    expect(predicted).toMatchObject({ code: 0, stderr: "" });
    const { samples, accuracy, perSample } = json("p.json");
    expect(samples).toBe(24);
    expect(accuracy).toBeGreaterThan(0.75);

    const certify = `certify ${model} --data clouds.npz --method linear --json c.json --tsv c.tsv`;
    const certified = await shell(certify, { folder });
    expect(certified).toMatchObject({ code: 0, stderr: "" });
    expect(certified.stdout).toContain("certified accuracy");
    const report = json("c.json");
    expect(report).toMatchObject({ certifies: "classes", method: "linear", norm: "linf", accuracy });
    report.perSample.forEach(
      (one: { prediction: number; label: number; margin: number; radius: number }, k: number) => {
        const own = perSample[k];
        expect([report.metadata.classes[one.prediction], report.metadata.classes[one.label]]).toEqual([
          own.prediction,
          own.label,
        ]);
        if (one.radius > 0) expect(own.margin).toBeGreaterThan(0);
      },
    );
    expect(report.radius.mean).toBeGreaterThan(0.01);
    const [, ...lines] = readFileSync(join(folder, "c.tsv"), "utf8").trimEnd().split("\n");
    expect(lines.map((line) => Number(line.split("\t")[5]))).toEqual(
      report.perSample.map(({ radius }: { radius: number }) => radius),
    );
  });
});

test("several classes come without --multiclass; commands of two classes refuse their model and report by name", async () => {
  const trained = await shell("train --data clouds.npz --machine svm --out plain.safetensors", { folder });
  expect(trained.stdout).toContain("each class against the rest, 4 machines");
  const few = await shell("certify plain.safetensors --data clouds.npz --samples 3 --json few.json", { folder });
  expect(few.stdout).toMatch(/index {2}label {2}prediction {2}rival/);
  const reason = "takes models of two classes, got svm, 4 classes";
  for (const line of [
    "attack plain.safetensors --data clouds.npz",
    "export plain.safetensors --onnx x.onnx",
    "verify-cert REPORT --model plain.safetensors --data clouds.npz",
  ]) {
    const own = line.replace("REPORT", "few.json");
    const { code, stderr } = await shell(own, { folder });
    expect(code).toBe(1);
    expect(stderr).toContain(own === line ? reason : "expected certificates of two classes, got those of classes");
  }
  const mixed = await shell("certify plain.safetensors --data clouds.npz --attack", { folder });
  expect(mixed).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--attack: expected a model of two classes"),
  });
  const other = await shell("predict plain.safetensors --data targets.npz", { folder });
  expect(other).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("y: expected integers as labels of classes"),
  });
});

describe("real targets", () => {
  test.each([
    ["svr", "--c 10 --epsilon 0.05 --bias"],
    ["krr", "--lambda 0"],
  ])("%s %s trains, predicts with its error and R^2, and has certified intervals and radii", async (machine, flags) => {
    const trained = await shell(`train --data targets.npz --machine ${machine} ${flags} --out t.safetensors`, {
      folder,
    });
    expect(trained).toMatchObject({ code: 0, stderr: "" });
    const predicted = await shell("predict t.safetensors --data targets.npz --json p.json", { folder });
    expect(predicted).toMatchObject({ code: 0, stderr: "" });
    expect(predicted.stdout).toMatch(/^R\^2 +0\.\d{6}$/m);
    const { r2, rmse, perSample } = json("p.json");
    expect(r2).toBeGreaterThan(0.7);
    const line = "certify t.safetensors --data targets.npz --radius 0.02 --within 0.5 --json c.json --tsv c.tsv";
    const certified = await shell(line, { folder });
    expect(certified).toMatchObject({ code: 0, stderr: "" });
    expect(certified.stdout).toContain("width of the interval at 0.02");
    const report = json("c.json");
    expect(report).toMatchObject({ certifies: "outputs", rmse, r2, unbounded: 0 });
    report.perSample.forEach((one: { lower: number; upper: number; output: number; radius: number }, k: number) => {
      expect(one.lower).toBeLessThan(perSample[k].output);
      expect(one.upper).toBeGreaterThan(perSample[k].output);
      expect(one.radius).toBeGreaterThan(0);
    });
  });

  test("classifiers, radii of signs and attacks refuse them, with what would serve", async () => {
    const svm = await shell("train --data targets.npz --machine svm --out x.safetensors", { folder });
    expect(svm).toMatchObject({ code: 1, stderr: expect.stringContaining("--machine svm takes labels -1 and +1") });
    expect(svm.stderr).toContain("store classes as integers, or take krr or svr");
    await shell("train --data targets.npz --machine krr --out r.safetensors", { folder });
    const inspected = await shell("inspect r.safetensors", { folder });
    expect(inspected.stdout).toMatch(/^task +regression, real targets$/m);
    const bare = await shell("certify r.safetensors --data targets.npz", { folder });
    expect(bare).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--radius, --within: expected one of them"),
    });
    const attack = await shell("attack r.safetensors --data targets.npz", { folder });
    expect(attack.stderr).toContain("attack takes models of two classes, got krr trained on real targets");
    const few = await shell("certify r.safetensors --data targets.npz --radius 0.1 --json o.json --samples 2", {
      folder,
    });
    expect(few.stdout).toMatch(/index +target +output +lower +upper/);
    const verified = await shell("verify-cert o.json --model r.safetensors --data targets.npz", { folder });
    expect(verified.stderr).toContain("expected certificates of two classes, got those of outputs");
  });

  test("--regression reads integers as targets, and cv searches them", async () => {
    const line = "train --data clouds.npz --regression --machine svr --epsilon 1 --out count.safetensors";
    expect(await shell(line, { folder })).toMatchObject({ code: 0, stderr: "" });
    const predicted = await shell("predict count.safetensors --data clouds.npz", { folder });
    expect(predicted.stdout).toMatch(/^rms error/m);
    const cv = await shell("cv --data targets.npz --machine krr --lambda 0.1,1 --folds 3 --json cv.json", { folder });
    expect(cv.code).toBe(0);
    expect(json("cv.json").rows[0].accuracy).toBeNull();
  });
});
