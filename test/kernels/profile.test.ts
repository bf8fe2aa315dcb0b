// A kernel by the angle of its inputs: the paper's h(u), matrices of inputs with that angle, limits of depth.
// Not here: kernels of data (kernel.test.ts).
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { crossGram } from "../../sdk/kernels/gram.js";
import { type Kernel, nngp, ntk } from "../../sdk/kernels/kernel.js";
import { kernelProfile } from "../../sdk/kernels/profile.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { runtimeAt } from "../helpers.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await runtimeAt("simd");
});
afterAll(() => runtime.close());

it("with one hidden layer is h(u) / (2 pi), h(u) = 2u(pi - arccos u) + sqrt(1 - u^2), within 1e-15", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 1 }), async (cosines) => {
      const found = await kernelProfile(ntk(), cosines, { runtime });
      cosines.forEach((u, k) => {
        const h = 2 * u * (Math.PI - Math.acos(u)) + Math.sqrt(1 - u * u);
        expect(Math.abs((found[k] ?? Number.NaN) - h / (2 * Math.PI))).toBeLessThan(1e-15);
      });
    }),
  );
});

it("is the kernel of two inputs of norm sqrt(d) with that cosine, within 1e-12, any depth and variances", async () => {
  const kernels: Kernel[] = [ntk, nngp].flatMap((make) =>
    [1, 2, 5, 40].map((depth) => make({ depth, weightVariance: 2, biasVariance: 0.2 })),
  );
  for (const kernel of kernels) {
    for (const angle of [0, 0.1, 1, 1.5, 2, 3]) {
      const [x, y] = [0, angle].map((turn) =>
        Float64Array.of(Math.cos(turn), Math.sin(turn)).map((v) => v * Math.SQRT2),
      );
      const row = (entries: Float64Array | undefined) => ({ n: 1, d: 2, x: entries ?? new Float64Array(2), scale: 1 });
      const { values } = await crossGram(kernel, row(x), row(y), { runtime });
      const [found] = await kernelProfile(kernel, [Math.cos(angle)], { runtime });
      expect(Math.abs((found ?? Number.NaN) / (values[0] ?? 0) - 1)).toBeLessThan(1e-12);
    }
  }
});

it("with depth the NTK of any two inputs goes to a quarter of its own value and the NNGP to all of it", async () => {
  const share = async (kernel: Kernel, u: number) => {
    const [own = 0, at = 0] = await kernelProfile(kernel, [1, u], { runtime });
    return at / own;
  };
  for (const u of [-0.9, 0, 0.5, 0.9]) {
    const deep = { depth: 10_000, weightVariance: 2 };
    expect(Math.abs((await share(ntk(deep), u)) - 0.25)).toBeLessThan(0.01);
    expect(1 - (await share(nngp(deep), u))).toBeLessThan(1e-6);
  }
});

it("names the argument that is wrong", async () => {
  await expect(kernelProfile(ntk(), [0, 1.5], { runtime })).rejects.toThrow(/^cosines\[1\]: expected a finite number/);
  await expect(kernelProfile(ntk(), 0.5 as unknown as number[], { runtime })).rejects.toThrow(TypeError);
});
