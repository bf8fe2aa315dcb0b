// ntkit verify-cert: genuine reports pass, forged ones end with 1 and say which row or field is wrong.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { writePoints } from "./points.js";
import { scratchFolder, shell } from "./run.js";

const folder = scratchFolder();
const own = "verify-cert report.json --model m.safetensors --data points.npz";

beforeAll(async () => {
  writePoints(folder, "points.npz", 80, 15);
  await shell("train --data points.npz --machine krr --lambda 0.1 --out m.safetensors", { folder });
  await shell("certify m.safetensors --data points.npz --method linear --json report.json", { folder });
  await shell("attack m.safetensors --data points.npz --out attacked", { folder });
});

test("a genuine report passes, its counterexamples too, and says how much was proved", async () => {
  const { code, stdout, stderr } = await shell(`${own} --counterexamples attacked/counterexamples.npz`, { folder });
  expect(stderr).toBe("");
  expect(stdout).toBe(
    "15 samples: 15 radii proved again, 15 adversarial inputs replayed; labels, predictions and figures agree\n",
  );
  expect(code).toBe(0);
});

test("a network's report with the inputs that --attack found passes row by row, and says what is open without them", async () => {
  const train = "train --data points.npz --network 40 --epochs 5 --lr 0.1 --out n.safetensors";
  expect((await shell(train, { folder })).code).toBe(0);
  const files = "--json n.json --counterexamples n.npz";
  const made = `certify n.safetensors --data points.npz --method paired --attack --samples 4 ${files}`;
  expect((await shell(made, { folder })).code).toBe(0);
  const check = "verify-cert n.json --model n.safetensors --data points.npz";
  const whole = await shell(`${check} --counterexamples n.npz --per-sample`, { folder });
  expect(whole.stdout).toMatch(
    /^(row \d+: verified\n){4}4 samples: \d radii proved again, \d adversarial inputs replayed/,
  );
  expect(whole.code).toBe(0);
  const open = await shell(check, { folder });
  expect(open.stdout).toMatch(/\nnot checked: \d attack radii, without their --counterexamples\n$/);
  const wrong = await shell("certify n.safetensors --data points.npz --counterexamples n.npz", { folder });
  expect(wrong.stderr).toContain("--counterexamples: expected --attack beside it");
  expect(wrong.code).toBe(2);
});

test("a raised radius is named by its row, with what the bound is there", async () => {
  const report = JSON.parse(readFileSync(join(folder, "report.json"), "utf8"));
  report.perSample[4].radius *= 1.01;
  writeFileSync(join(folder, "forged.json"), JSON.stringify(report));
  const { code, stdout, stderr } = await shell(`${own.replace("report", "forged")} --json result.json`, { folder });
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^ntkit: forged\.json: radius\.mean: /m);
  expect(stderr).toMatch(/^ntkit: forged\.json: row 4: radius: .* is not proved, the linear bound on that ball is -/m);
  expect(stderr).toMatch(/^ntkit: forged\.json: rejected, \d+ faults$/m);
  expect(code).toBe(1);
  expect(JSON.parse(readFileSync(join(folder, "result.json"), "utf8"))).toMatchObject({ proved: 14 });
});

test("a report that is no JSON is refused with its name, and a model is asked for", async () => {
  writeFileSync(join(folder, "text.json"), "radius 1");
  const { code, stderr } = await shell(own.replace("report", "text"), { folder });
  expect(stderr).toMatch(/^ntkit: text\.json: /);
  expect(code).toBe(1);
  const missing = await shell("verify-cert report.json --data points.npz", { folder });
  expect(missing.stderr).toContain("ntkit: required option '--model <file>' not specified");
  expect(missing.code).toBe(2);
});
