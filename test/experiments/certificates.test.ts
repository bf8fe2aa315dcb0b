// Certificates of networks against width: what is measured, and the picture. Not here: bounds (certify/relaxed.test.ts).
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { CERTIFICATE_METHODS, certificates } from "../../sdk/experiments/certificates.js";
import { reproduceCertificates } from "../../sdk/plots/commands.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { points } from "../cli/points.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 1 });
});
afterAll(() => runtime.close());

function split(n: number, seed: number) {
  const { x, y } = points(n, 8, seed);
  return dataset({ x: x.data, y: y.data, shape: [n, 8], name: "half-spaces" });
}
const data = { train: split(40, 1), test: split(12, 2) };

describe("certificates", () => {
  it("has a row for each width and bound: planes never below intervals, parabolas never below planes (0.2% is the searches')", async () => {
    const options = { data, widths: [200, 50], epochs: 20, samples: 8, backend: "wasm" as const, runtime };
    const { rows, infinite, settings } = await certificates(options);
    expect(rows.map(({ width, method }) => [width, method])).toEqual(
      [50, 200].flatMap((width) => CERTIFICATE_METHODS.map((method) => [width, method])),
    );
    expect(settings).toMatchObject({ samples: 8, seeds: 1, epochs: 20 });
    expect(infinite).toBeGreaterThan(0);
    for (const width of [50, 200]) {
      const mean = (name: string) =>
        rows.find((row) => row.width === width && row.method === name)?.radius.mean ?? Number.NaN;
      expect(mean("linear")).toBeGreaterThan(mean("ibp"));
      expect(mean("aggregate")).toBeGreaterThanOrEqual(0.998 * mean("paired"));
    }
  });

  it("draws every bound beside the machine that is given, which is then not measured", async () => {
    const files = new Map<string, string>();
    const options = { data, widths: [20, 40], epochs: 5, samples: 4, infinite: 0.125, runtime };
    const result = await reproduceCertificates(options, (name, text) => void files.set(name, text));
    expect(result.infinite).toBe(0.125);
    const svg = files.get("certificates.svg") ?? "";
    for (const word of ["intervals", "linear", "paired", "aggregate", "infinite"]) expect(svg).toContain(word);
    expect(svg).not.toMatch(/NaN|undefined/);
    expect(JSON.parse(files.get("certificates.json") ?? "")).toEqual(JSON.parse(JSON.stringify(result)));
  });

  it("refuses what it can not do", async () => {
    await expect(certificates({ data, runtime, infinite: 0 })).rejects.toThrow(/^infinite/);
    await expect(certificates({ data, runtime, methods: ["interval" as never] })).rejects.toThrow(/^methods\[0\]/);
    await expect(certificates({ data, runtime, methods: [] })).rejects.toThrow(/^methods/);
  });
});
