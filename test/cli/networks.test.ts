// A network's file from train to inspect, predict and certify, and what is said when it does not fit. Not here: machines
// (points.test.ts).
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { NetworkModel } from "../../sdk/networks/model.js";
import { runtimeAt } from "../helpers.js";
import { points, writePoints } from "./points.js";
import { scratchFolder, shell } from "./run.js";

const folder = scratchFolder();
const model = "network.safetensors";
const read = () => new Uint8Array(readFileSync(join(folder, model)));

beforeAll(async () => {
  writePoints(folder, "points.npz", 200, 60);
  writePoints(folder, "other.npz", 50, 10, 5);
  const flags = "--network 32,16 --epochs 20 --batch 16 --seed 3 --json train.json";
  const { code, stderr } = await shell(`train --data points.npz ${flags} --out ${model}`, { folder });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});

describe("a network's file", () => {
  test("is inspected: shape, loss, training and hashes, on the terminal and as JSON", async () => {
    const { code, stdout, stderr } = await shell(`inspect ${model} --json inspect.json`, { folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^network +8 - 32 - 16 - 1, ntk parameterisation$/m);
    expect(stdout).toMatch(/^weights +784, float32, from seed 3$/m);
    expect(stdout).toMatch(/^output +f\(x\) - f0\(x\)$/m);
    expect(stdout).toMatch(/^trained on +points\.npz train$/m);
    const network = NetworkModel.load(read());
    const contents = JSON.parse(readFileSync(join(folder, "inspect.json"), "utf8"));
    const { spec, loss, centred, parameters, history, dataHash } = network;
    expect(contents).toMatchObject({ machine: "network", network: spec, loss, centred, parameters, history, dataHash });
    expect(contents).toMatchObject({ file: model, bytes: read().length, columns: 8, weights: 784, storage: "float64" });
    expect(contents.modelHash).toBe(createHash("sha256").update(read()).digest("hex"));
  });

  test("predicts the outputs of the SDK to the bit, and the accuracy they have", async () => {
    const { code, stdout, stderr } = await shell(`predict ${model} --data points.npz --json predict.json`, { folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^model +network 32, 16 \(hinge, .*\), 784 weights$/m);
    const { samples, accuracy, metadata, perSample } = JSON.parse(readFileSync(join(folder, "predict.json"), "utf8"));
    const { x, y } = points(60, 8, 2);
    const runtime = await runtimeAt("simd");
    const outputs = await NetworkModel.load(read()).outputs({ n: 60, d: 8, x: x.data, scale: 1 }, { runtime });
    await runtime.close();
    expect(samples).toBe(60);
    expect(perSample.map(({ decision }: { decision: number }) => decision)).toEqual(Array.from(outputs));
    expect(accuracy).toBe(outputs.filter((output, k) => Math.sign(output) === y.data[k]).length / 60);
    expect(accuracy).toBeGreaterThan(0.9);
    expect(metadata).toMatchObject({ machine: "network", network: { widths: [32, 16] }, loss: "hinge", centred: true });
  });

  test("a diverging run fails with the step and leaves the last finite weights in the file", async () => {
    const flags = "--network 8 --loss squared --lr 1e30 --epochs 3 --out diverged.safetensors";
    const { code, stderr } = await shell(`train --data points.npz ${flags}`, { folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^ntkit: training left the finite numbers at step \d+: lower --lr \(the last .* diverged\.saf/,
    );
    const kept = NetworkModel.load(new Uint8Array(readFileSync(join(folder, "diverged.safetensors"))));
    expect(kept.spec.widths).toEqual([8]);
    expect(kept.weights.output.every(Number.isFinite)).toBe(true);
  });

  test("is certified on what it predicts: the same decisions to 1e-5, float32's rounding", async () => {
    const predict = await shell(`predict ${model} --data points.npz --samples 20 --json -`, { folder });
    const certify = await shell(`certify ${model} --data points.npz --samples 20 --json -`, { folder });
    const predicted = JSON.parse(predict.stdout).perSample;
    const certified = JSON.parse(certify.stdout).perSample;
    expect(certified).toHaveLength(20);
    for (const [k, { decision }] of certified.entries())
      expect(Math.abs(decision - predicted[k].decision)).toBeLessThan(1e-5);
  });

  test("refuses rows with other columns by both numbers, and cut files by their name", async () => {
    const other = await shell(`predict ${model} --data other.npz`, { folder });
    expect(other.stderr).toContain("expected 8 columns, got 5");
    expect(other.code).toBe(1);
    writeFileSync(join(folder, "short.safetensors"), read().subarray(0, 900));
    for (const command of ["inspect short.safetensors", "predict short.safetensors --data points.npz"]) {
      const { code, stderr } = await shell(command, { folder });
      expect(code).toBe(1);
      expect(stderr).toMatch(/^ntkit: short\.safetensors: safetensors: .*\n$/);
    }
  });
});
