// The whole way on points of real numbers from an NPZ file: train, inspect, certify, predict, for every machine.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { writeNpy } from "../../sdk/data/npy.js";
import { writeNpz } from "../../sdk/data/npz.js";
import { readSafetensors } from "../../sdk/data/safetensors.js";
import { points, writePoints } from "./points.js";
import { scratchFolder, shell } from "./run.js";

const folder = scratchFolder();
const json = (name: string) => JSON.parse(readFileSync(join(folder, name), "utf8"));

beforeAll(() => {
  writePoints(folder, "points.npz", 200, 60);
  writePoints(folder, "other.npz", 50, 10, 5);
});

const machines: [name: string, flags: string][] = [
  ["krr", "--lambda 0.1"],
  ["svm", "--c 10"],
  ["svm", "--lambda 0.1 --bias --tolerance 1e-8"],
  ["svm2", "--c 10 --bias"],
  ["hard-margin", ""],
  ["svr", "--c 10 --epsilon 0.2"],
  ["logistic", "--c 10 --bias"],
  ["svm-sgd", "--epochs 50 --batch 16 --seed 7"],
];

describe.each(machines)("%s %s", (name, flags) => {
  const model = `${name}${flags.replace(/\W+/g, "-")}.safetensors`;

  test("trains, and says what it did", async () => {
    const train = `train --data points.npz --machine ${name} ${flags} --out ${model} --json train.json`;
    const { code, stdout, stderr } = await shell(train, { folder });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`^machine +${name}$`, "m"));
    const summary = json("train.json");
    expect(summary).toMatchObject({ model, machine: name, columns: 8, trainingRows: 200, data: "points.npz train" });
    expect(readSafetensors(readFileSync(join(folder, model))).metadata.machine).toBe(name);
  });

  test("is inspected", async () => {
    const { code, stdout } = await shell(`inspect ${model} --json -`, { folder });
    expect(code).toBe(0);
    const { machine, columns, storage, dataHash, modelHash } = JSON.parse(stdout);
    expect({ machine, columns, storage }).toEqual({ machine: name, columns: 8, storage: "float64" });
    expect(dataHash).toBe(json("train.json").dataHash);
    expect(modelHash).toBe(json("train.json").modelHash);
  });

  test("is certified: the report has the documented shape, and radii in the TSV are the same numbers", async () => {
    const certify = `certify ${model} --data points.npz --timing --json report.json --tsv radii.tsv`;
    const { code, stdout, stderr } = await shell(certify, { folder });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^accuracy +\d+\.\d\d% \(\d+ of 60\)$/m);
    const report = json("report.json");
    const { samples, correct, accuracy, radius, seconds, method, norm, metadata, perSample } = report;
    expect({ samples, method, norm }).toEqual({ samples: 60, method: "interval", norm: "linf" });
    expect(accuracy).toBe(correct / samples);
    expect(correct).toBeGreaterThan(54);
    expect(seconds).toBeGreaterThan(0);
    expect(metadata).toMatchObject({ complete: true, machine: name, bracket: [0, 0.3], tolerance: 1e-6 });
    for (const figure of ["mean", "std", "median", "min", "max"]) expect(radius[figure]).toBeGreaterThanOrEqual(0);
    expect(perSample).toHaveLength(60);
    for (const [k, sample] of perSample.entries()) {
      const keys = ["index", "label", "prediction", "decision", "radius", "correct", "seconds"];
      expect(Object.keys(sample)).toEqual(expect.arrayContaining(keys));
      expect(sample.index).toBe(k);
    }
    const [header = "", ...lines] = readFileSync(join(folder, "radii.tsv"), "utf8").trimEnd().split("\n");
    const column = header.split("\t").indexOf("radius");
    expect(lines.map((line) => Number(line.split("\t")[column]))).toEqual(
      perSample.map((sample: { radius: number }) => sample.radius),
    );
  });

  test("predicts what it certifies", async () => {
    const { code, stdout } = await shell(`predict ${model} --data points.npz --json -`, { folder });
    expect(code).toBe(0);
    const predicted = JSON.parse(stdout);
    const report = json("report.json");
    expect(predicted.samples).toBe(60);
    for (const [k, { decision }] of predicted.perSample.entries())
      expect(decision).toBeCloseTo(report.perSample[k].decision, 9);
  });
});

test("cv tries every lambda, depth and epsilon, marks the best, and writes what it shows", async () => {
  const line =
    "cv --data points.npz --machine svr --lambda 0.1,1 --epsilon 0.1,0.5 --depth 1,2 --folds 3 --json cv.json";
  const { code, stdout, stderr } = await shell(line, { folder });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout.match(/best$/gm)).toHaveLength(1);
  const { rows, best, machine } = json("cv.json");
  expect([rows.length, machine]).toEqual([8, "svr"]);
  expect(rows).toContainEqual(best);
  expect(best.accuracy.mean).toBeGreaterThan(0.9);
});

test("cv --c --out writes what it found as JSON and as a plot with an axis of C", async () => {
  const line = "cv --data points.npz --machine svm --c 0.1,1,10 --depth 1,2 --folds 3 --out figures";
  const { code, stdout } = await shell(line, { folder });
  expect(code).toBe(0);
  expect(stdout).toMatch(/kernel +C +epsilon/);
  expect(stdout).toContain(`written: ${join("figures", "cv.json")}, ${join("figures", "cv.svg")}`);
  const { rows, axis } = json(join("figures", "cv.json"));
  expect([rows.length, axis]).toEqual([6, "c"]);
  expect(readFileSync(join(folder, "figures", "cv.svg"), "utf8")).toContain("C (log scale)");
});

describe("with a machine at hand", () => {
  const model = "svm-c-10.safetensors";

  test("--json - prints JSON alone on standard output, the table on standard error", async () => {
    const { code, stdout, stderr } = await shell(`certify ${model} --data points.npz --json -`, { folder });
    expect(code).toBe(0);
    expect(JSON.parse(stdout).samples).toBe(60);
    expect(stderr).toContain("certified accuracy");
  });

  test("--quiet prints nothing", async () => {
    const { stdout, stderr } = await shell(`certify ${model} --data points.npz --quiet`, { folder });
    expect(stdout + stderr).toBe("");
  });

  test("--samples takes the first N or N at random, the same for the same seed", async () => {
    const indices = async (flags: string) => {
      const { stdout } = await shell(`certify ${model} --data points.npz --quiet --json - ${flags}`, { folder });
      return JSON.parse(stdout).perSample.map(({ index }: { index: number }) => index);
    };
    expect(await indices("--samples 3")).toEqual([0, 1, 2]);
    expect(await indices("--samples 1000")).toHaveLength(60);
    const drawn = await indices("--samples random:5 --seed 3");
    expect(drawn).toHaveLength(5);
    expect(await indices("--samples random:5 --seed 3")).toEqual(drawn);
    expect(await indices("--samples random:5 --seed 4")).not.toEqual(drawn);
  });

  test("shards merged are the report of one run byte for byte; a shard that is missing or there twice is named", async () => {
    const certify = (flags: string) => shell(`certify ${model} --data points.npz --quiet ${flags}`, { folder });
    await certify("--json whole.json --tsv whole.tsv --threads 2");
    for (const k of [0, 1, 2]) await certify(`--shard ${k}/3 --json part-${k}.json --threads 1`);
    const { code, stdout } = await shell("merge part-2.json part-0.json part-1.json --json one.json --tsv one.tsv", {
      folder,
    });
    expect(code).toBe(0);
    expect(stdout).toContain("certified accuracy");
    const bytes = (file: string) => readFileSync(join(folder, file), "utf8");
    expect(bytes("one.json")).toBe(bytes("whole.json"));
    expect(bytes("one.tsv")).toBe(bytes("whole.tsv"));
    await certify("--method linear --json linear.json");
    await certify("--html whole.html --beside linear.json");
    await shell("merge part-0.json part-1.json part-2.json --html one.html --beside linear.json", { folder });
    expect(bytes("one.html")).toContain("certified, linear");
    // Points of 8 entries are no images, so the page of one run has nothing that the merged one lacks.
    expect(bytes("one.html")).toBe(bytes("whole.html"));
    expect(await certify("--samples 5 --html x.html --beside linear.json")).toMatchObject({
      code: 1,
      stderr: "ntkit: linear.json: expected a report of the same model and samples, got another samples\n",
    });
    const missing = await shell("merge part-0.json part-2.json", { folder });
    expect(missing).toMatchObject({ code: 1, stderr: "ntkit: missing shards: 1/3\n" });
    const twice = await shell("merge part-0.json part-1.json part-1.json part-2.json", { folder });
    expect(twice).toMatchObject({ code: 1, stderr: expect.stringContaining("shard 1/3 is there twice") });
    const whole = await shell("merge whole.json", { folder });
    expect(whole).toMatchObject({ code: 1, stderr: expect.stringContaining("whole.json: no part of a report") });
    const absent = await shell("merge nothing.json", { folder });
    expect(absent).toMatchObject({ code: 1, stderr: "ntkit: nothing.json: no such file\n" });
    for (const bad of ["3/3", "1", "a/b", "-1/3", "0/0"])
      expect(await certify(`--shard ${bad}`)).toMatchObject({ code: 2, stderr: expect.stringContaining("--shard") });
  });

  test("--attack puts the attack beside each sample and below the aggregates", async () => {
    const { code, stdout } = await shell(`certify ${model} --data points.npz --samples 8 --attack --json a.json`, {
      folder,
    });
    expect(code).toBe(0);
    expect(stdout).toContain("<= unknown <=");
    for (const words of ["proved", "unbroken", "certified / attacked", "most unknown"]) expect(stdout).toContain(words);
    for (const { radius, attackRadius } of json("a.json").perSample) expect(attackRadius).toBeGreaterThan(radius);
  });

  test("--split train certifies the training rows", async () => {
    const { stdout } = await shell(`certify ${model} --data points.npz --split train --json -`, { folder });
    expect(JSON.parse(stdout).samples).toBe(200);
  });

  test("up to 20 samples are listed", async () => {
    const few = await shell(`certify ${model} --data points.npz --samples 20`, { folder });
    expect(few.stdout).toMatch(/index {2}label {2}prediction/);
    const many = await shell(`certify ${model} --data points.npz --samples 21`, { folder });
    expect(many.stdout).not.toContain("prediction");
    const asked = await shell(`certify ${model} --data points.npz --samples 21 --per-sample`, { folder });
    expect(asked.stdout).toContain("prediction");
  });

  test("threads do not change a radius", async () => {
    const radii = async (threads: number) => {
      const { stdout } = await shell(`certify ${model} --data points.npz --json - --threads ${threads}`, { folder });
      return JSON.parse(stdout).perSample.map(({ radius }: { radius: number }) => radius);
    };
    const one = await radii(1);
    expect(await radii(0)).toEqual(one);
    expect(await radii(3)).toEqual(one);
  });

  test("data with other columns is refused with both numbers", async () => {
    const { code, stderr } = await shell(`certify ${model} --data other.npz`, { folder });
    expect(stderr).toContain("expected 8 columns, got 5");
    expect(code).toBe(1);
  });

  test("a model of other data is used with a note", async () => {
    writePoints(folder, "more.npz", 100, 10);
    const { code, stderr } = await shell(`predict ${model} --data more.npz`, { folder });
    expect(code).toBe(0);
    expect(stderr).toContain('the model was trained on "points.npz train", not on the training set of more.npz');
  });

  test("a pair of NPY files is one split, and the note says so", async () => {
    const { x, y } = points(30, 8, 5);
    writeFileSync(join(folder, "x.npy"), writeNpy(x));
    writeFileSync(join(folder, "y.npy"), writeNpy(y));
    const { code, stderr } = await shell("train --data x.npy,y.npy --machine krr --out npy.safetensors", { folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const certify = await shell("certify npy.safetensors --data x.npy,y.npy", { folder });
    expect(certify.code).toBe(0);
    expect(certify.stderr).toBe("ntkit: x.npy,y.npy has one split only: it is training and test set\n");
  });

  test("rows that no solver can satisfy end with 1 and say how far it came", async () => {
    const x = { data: new Float64Array([1, 2, 1, 2, 3, 1]), shape: [3, 2] };
    writeFileSync(join(folder, "same.npz"), writeNpz({ x, y: { data: new Int8Array([1, -1, 1]), shape: [3] } }));
    const train = "train --data same.npz --machine krr --lambda 0 --out same.safetensors";
    const { code, stderr } = await shell(train, { folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ntkit: .*relative residual reached .*\n$/);
  });

  test("labels that are not two classes are refused with the file's name where two are needed", async () => {
    const x = { data: new Float64Array([1, 2, 3]), shape: [3, 1] };
    writeFileSync(join(folder, "three.npz"), writeNpz({ x, y: { data: new Int8Array([0, 1, 2]), shape: [3] } }));
    const { code, stderr } = await shell("cv --data three.npz --machine krr", { folder });
    expect(code).toBe(1);
    expect(stderr).toBe("ntkit: three.npz: y: expected labels -1 and +1, or 0 and 1, got 0, 1, 2\n");
  });

  test("a model file that is cut short or foreign is refused with its name", async () => {
    const whole = readFileSync(join(folder, model));
    writeFileSync(join(folder, "short.safetensors"), whole.subarray(0, whole.length - 9));
    const short = await shell("inspect short.safetensors", { folder });
    expect(short.code).toBe(1);
    expect(short.stderr).toMatch(/^ntkit: short\.safetensors: safetensors: .*\n$/);
    const foreign = await shell("inspect points.npz", { folder });
    expect(foreign.code).toBe(1);
    expect(foreign.stderr).toMatch(/^ntkit: points\.npz: .*\n$/);
  });

  test("a deeper network trains and predicts, is certified by the interval bound, and refuses tighter ones with the reason", async () => {
    const train = await shell("train --data points.npz --machine svm --depth 3 --out deep.safetensors", { folder });
    expect(train.stdout).toContain("NTK, 3 hidden layers");
    const predict = await shell("predict deep.safetensors --data points.npz --json -", { folder });
    expect(JSON.parse(predict.stdout).accuracy).toBeGreaterThan(0.9);
    const certify = await shell("certify deep.safetensors --data points.npz", { folder });
    expect(certify.code).toBe(0);
    expect(certify.stdout).toContain("interval, l-inf");
    const tighter = await shell("certify deep.safetensors --data points.npz --method linear", { folder });
    expect(tighter.stderr).toContain(
      'method: expected "interval" or "best" for the kernel NTK, 3 hidden layers, got "linear"',
    );
    expect(tighter.code).toBe(1);
  });

  test("networks of other units train, save, predict and say what they are; certificates that there are none of say so", async () => {
    await shell("train --data points.npz --machine krr --activation erf --depth 2 --out erf.safetensors", { folder });
    const inspect = await shell("inspect erf.safetensors", { folder });
    expect(inspect.stdout).toContain("NTK of erf, 2 hidden layers");
    const predict = await shell("predict erf.safetensors --data points.npz --json -", { folder });
    expect(JSON.parse(predict.stdout).accuracy).toBeGreaterThan(0.9);
    const certify = await shell("certify erf.safetensors --data points.npz", { folder });
    expect(certify.stderr).toContain('got "interval" for the kernel NTK of erf, 2 hidden layers');
    expect(certify.code).toBe(1);
    const leaky = "train --data points.npz --machine svm --activation leaky-relu --slope 0.1 --out leaky.safetensors";
    await shell(leaky, { folder });
    expect((await shell("certify leaky.safetensors --data points.npz", { folder })).code).toBe(0);
  });

  test("nothing but the files asked for is left in the folder", () => {
    expect(readdirSync(folder).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});
