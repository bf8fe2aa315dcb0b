import fc from "fast-check";
import { expect, test } from "vitest";
import { Factor } from "../../sdk/dynamics/factor.js";
import { uniform } from "../helpers.js";
import { cloud, farthest } from "./problems.js";

test("after any rows came and went, L L^T x = b is solved to 1e-9", () => {
  fc.assert(
    fc.property(fc.nat(1e6), fc.array(fc.integer({ min: -4, max: 9 }), { maxLength: 40 }), (seed, moves) => {
      const d = 12;
      const x = cloud(seed, 10, d).x as Float64Array;
      const inner = (i: number, j: number) => {
        let sum = i === j ? 0.1 : 0;
        for (let k = 0; k < d; k++) sum += x[i * d + k]! * x[j * d + k]!;
        return sum;
      };
      const factor = new Factor();
      const inside: number[] = [];
      for (const move of moves) {
        if (move >= 0 && !inside.includes(move)) {
          const half = factor.forward(inside.map((j) => inner(j, move)));
          factor.append(
            half,
            half.reduce((left, value) => left - value * value, inner(move, move)),
          );
          inside.push(move);
        } else if (move < 0 && inside.length > 0) {
          const at = -move % inside.length;
          factor.remove(at);
          inside.splice(at, 1);
        }
      }
      const next = uniform(seed + 1);
      const b = inside.map(() => next() - 0.5);
      const solved = factor.backward(factor.forward(b));
      const back = inside.map((i) => inside.reduce((sum, j, k) => sum + inner(i, j) * solved[k]!, 0));
      expect(factor.size).toBe(inside.length);
      expect(farthest(back, b)).toBeLessThan(1e-9);
    }),
  );
});
