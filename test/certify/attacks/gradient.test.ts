// Outputs and gradients of machines and networks at arbitrary inputs.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { outputGradients } from "../../../sdk/certify/attacks/gradient.js";
import {
  describeKernel,
  type Kernel,
  nngp,
  ntk,
  productKernels,
  scaleKernel,
  sumKernels,
} from "../../../sdk/kernels/kernel.js";
import { trainNetwork } from "../../../sdk/networks/model.js";
import { network } from "../../../sdk/networks/network.js";
import { LEVELS, normal, randomData, runtimeAt, uniform } from "../../helpers.js";
import { machineOf } from "../sampler.js";

const runtime = await runtimeAt("simd");

const KERNELS = [
  ntk(),
  ntk({ weightVariance: 1.7 }),
  ntk({ depth: 3 }),
  ntk({ depth: 2, weightVariance: 2, biasVariance: 0.1 }),
  nngp(),
  nngp({ depth: 4, biasVariance: 0.3 }),
  ntk({ activation: "leaky-relu", slope: 0.2, depth: 2 }),
  nngp({ activation: "leaky-relu", biasVariance: 0.1 }),
  ntk({ activation: "erf", depth: 3, weightVariance: 1.5, biasVariance: 0.1 }),
  nngp({ activation: "erf", depth: 2 }),
  ntk({ activation: "sine", depth: 2, biasVariance: 0.2 }),
  nngp({ activation: "sine" }),
  sumKernels(ntk(), scaleKernel(0.7, nngp({ activation: "erf" }))),
  productKernels(ntk({ activation: "sine" }), nngp({ depth: 2, biasVariance: 0.5 })),
].map((kernel): [string, Kernel] => [describeKernel(kernel), kernel]);

/** A random machine and points away from its rows. */
function scene(seed: number, d: number, pixels: boolean, kernel: Kernel = ntk()) {
  const gauss = normal(uniform(seed));
  const rows = randomData(1 + (seed % 23), d, seed, pixels);
  const machine = machineOf(rows, Array.from({ length: rows.n }, gauss), gauss(), kernel);
  const points = Float64Array.from({ length: 3 * d }, () => (pixels ? Math.abs(gauss()) : gauss()));
  return { machine, points: { n: 3, d, x: points, scale: 1 } };
}

describe("machines", () => {
  it.each(KERNELS)(
    "gradient of %s = central differences to 1e-6 of sum |alpha| / ||x||: step 1e-4 ||x||, third derivatives below 60 at angles above 0.3",
    async (_, kernel) => {
      await fc.assert(
        fc.asyncProperty(fc.nat(1e6), fc.integer({ min: 8, max: 20 }), fc.boolean(), async (seed, d, pixels) => {
          const { machine, points } = scene(seed, d, pixels, kernel);
          const { outputs, gradients } = await outputGradients(machine, points, { runtime });
          for (let i = 0; i < points.n; i++) {
            const x = points.x.subarray(i * d, (i + 1) * d);
            const length = Math.hypot(...x);
            const step = 1e-4 * length;
            const moved = new Float64Array(2 * d * d);
            for (let k = 0; k < d; k++) {
              moved.set(x, 2 * k * d);
              moved.set(x, (2 * k + 1) * d);
              moved[2 * k * d + k] = (x[k] ?? 0) + step;
              moved[(2 * k + 1) * d + k] = (x[k] ?? 0) - step;
            }
            const probes = await outputGradients(machine, { n: 2 * d, d, x: moved, scale: 1 }, { runtime });
            // What g could be: every term at its largest.
            const rows = machine.rows;
            let size = Math.abs(machine.bias);
            let closest = Math.PI;
            for (let j = 0; j < rows.n; j++) {
              const row = Array.from(rows.x.subarray(j * d, (j + 1) * d), (v) => v * rows.scale);
              const cosine = row.reduce((sum, v, k) => sum + v * (x[k] ?? 0), 0) / (Math.hypot(...row) * length);
              closest = Math.min(closest, Math.acos(Math.min(1, Math.max(-1, cosine))));
              size += Math.abs(machine.alpha[j] ?? 0) * Math.hypot(...row) * length + Math.abs(machine.alpha[j] ?? 0);
            }
            if (closest < 0.3) continue;
            for (let k = 0; k < d; k++) {
              const slope = ((probes.outputs[2 * k] ?? 0) - (probes.outputs[2 * k + 1] ?? 0)) / (2 * step);
              expect(Math.abs((gradients[i * d + k] ?? Number.NaN) - slope)).toBeLessThan((1e-6 * size) / length);
            }
            const value = await machine.decisionFunction(
              pixels
                ? { n: 1, d, x: new Uint8Array(d).fill(7), scale: machine.rows.scale }
                : { n: 1, d, x: x.slice(), scale: 1 },
              { runtime },
            );
            const own = pixels
              ? (
                  await outputGradients(
                    machine,
                    { n: 1, d, x: new Uint8Array(d).fill(7), scale: machine.rows.scale },
                    { runtime },
                  )
                ).outputs[0]
              : outputs[i];
            expect(Math.abs((own ?? Number.NaN) - (value[0] ?? 0))).toBeLessThan(1e-13 * size * (rows.n + d));
          }
        }),
        { numRuns: 12 },
      );
    },
  );

  it("without biases <gradient, x> = g(x) (Euler), to (d + n + 50) roundings of the absolute terms", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1e6), fc.integer({ min: 1, max: 30 }), fc.boolean(), async (seed, d, pixels) => {
        const { machine, points } = scene(seed, d, pixels);
        const plain = machineOf({ ...randomData(1, 1, 1), ...machine.rows } as never, machine.alpha);
        const { outputs, gradients } = await outputGradients(plain, points, { runtime });
        for (let i = 0; i < points.n; i++) {
          const x = points.x.subarray(i * d, (i + 1) * d);
          let along = 0;
          let size = 0;
          for (let k = 0; k < d; k++) along += (gradients[i * d + k] ?? 0) * (x[k] ?? 0);
          // The parts along a row and along x may cancel: each is at most |D h'| and q |h| of its term, h' <= 2 pi + 1e8.
          for (let j = 0; j < machine.rows.n; j++) {
            const row = Array.from(machine.rows.x.subarray(j * d, (j + 1) * d), (v) => v * machine.rows.scale);
            const q = Math.hypot(...row) * Math.hypot(...x);
            const cosine = row.reduce((sum, v, k) => sum + v * (x[k] ?? 0), 0) / (q || 1);
            size +=
              Math.abs(machine.alpha[j] ?? 0) * (q / d) * (3 + 1 / Math.sqrt(Math.max(1 - cosine * cosine, 1e-16)));
          }
          expect(Math.abs(along - (outputs[i] ?? Number.NaN))).toBeLessThanOrEqual(
            (d + machine.rows.n + 50) * 2 ** -53 * size,
          );
        }
      }),
      { numRuns: 100 },
    );
  });

  it("every level and 0 to 3 threads give the same bits", async () => {
    for (const pixels of [true, false])
      for (const d of [1, 3, 7, 16, 33]) {
        const { machine, points } = scene(5 + d, d, pixels);
        const all = [];
        for (const level of LEVELS) {
          const own = await runtimeAt(level, LEVELS.indexOf(level));
          all.push(await outputGradients(machine, points, { runtime: own }));
          await own.close();
        }
        for (const one of all) expect(one).toEqual(all[0]);
      }
  });
});

describe.each([[[20]], [[12, 40]], [[9, 33, 5]]])("networks of widths %j", (widths) => {
  it("are piecewise linear: differences of 1e-7 equal the gradient to 1e-8, <gradient, x> = f(x) to 1e-12", async () => {
    for (const centred of [true, false]) {
      const data = randomData(40, 10, 3);
      const model = await trainNetwork(network({ widths, seed: 4 }), data, {
        runtime,
        epochs: 2,
        centred,
        learningRate: 0.2,
      });
      const { n, d } = data;
      const { outputs, gradients } = await outputGradients(model, data, { runtime });
      const direction = Float64Array.from({ length: d }, normal(uniform(8)));
      const moved = (sign: number) => ({
        n,
        d,
        x: Float64Array.from(data.x, (v, k) => v + sign * 1e-7 * (direction[k % d] ?? 0)),
        scale: 1,
      });
      const up = await outputGradients(model, moved(1), { runtime });
      const down = await outputGradients(model, moved(-1), { runtime });
      const plain = await model.outputs(data, { runtime });
      let smooth = 0;
      for (let i = 0; i < n; i++) {
        const along = (v: ArrayLike<number>, from: number) =>
          Array.from({ length: d }, (_, k) => (gradients[i * d + k] ?? 0) * (v[from + k] ?? 0)).reduce((a, b) => a + b);
        expect(Math.abs(along(data.x, i * d) - (outputs[i] ?? Number.NaN))).toBeLessThan(1e-12);
        // Float32's own rounding.
        expect(Math.abs((plain[i] ?? 0) - (outputs[i] ?? Number.NaN))).toBeLessThan(1e-5);
        const slopes = [up, down].map((probe) => Array.from(probe.gradients.subarray(i * d, (i + 1) * d)));
        // A neuron that switches in between breaks the line; its kinks lie on a set of measure 0.
        if (slopes.some((slope) => slope.some((v, k) => v !== gradients[i * d + k]))) continue;
        smooth++;
        const slope = ((up.outputs[i] ?? 0) - (down.outputs[i] ?? 0)) / 2e-7;
        expect(Math.abs(slope - along(direction, 0))).toBeLessThan(1e-8);
      }
      expect(smooth).toBeGreaterThan(n / 2);
    }
  });

  it("every level gives the same bits", async () => {
    const data = randomData(5, 10, 3);
    const model = await trainNetwork(network({ widths, seed: 4 }), data, { runtime, epochs: 1 });
    const all = [];
    for (const level of LEVELS) all.push(await outputGradients(model, data, { runtime: await runtimeAt(level) }));
    for (const one of all) expect(one).toEqual(all[0]);
  });
});

it("names bad arguments", async () => {
  const { machine, points } = scene(1, 8, false);
  for (const bad of [null, 1, "x", {}]) {
    await expect(outputGradients(bad as never, points)).rejects.toThrow(TypeError);
    await expect(outputGradients(machine, bad as never)).rejects.toThrow(TypeError);
  }
  await expect(outputGradients(machine, { ...points, n: 6, d: 4 })).rejects.toThrow(
    /^points: expected 8 columns, got 4/,
  );
});
