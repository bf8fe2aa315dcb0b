// Kernel ridge regression for the eight lambdas of Table 3, from a ready Gram matrix, which the peers do not time either.
import { krrPath, ntk } from "ntkit";
import { defineJob, type PeerOutput } from "../job.js";
import { readyGram, small } from "./data.js";

const LAMBDAS = [0, 0.001, 0.01, 0.1, 1, 10, 100, 1000];
const TOLERANCE = 1e-8;

function residualsOf({ relative_residuals }: PeerOutput): string {
  const [atZero = Number.NaN, ...others] = Object.values(relative_residuals as Record<string, number>);
  return `relative residual ${small(atZero)} at lambda = 0, others to ${small(Math.max(...others))}`;
}

export const ridgePath = defineJob({
  name: "ridge-path",
  what: "ridge machines for eight lambdas, relative residual <= 1e-8, from a ready Gram matrix",
  why: "conjugate gradients for all lambdas in lockstep share each pass over the matrix and one low-rank preconditioner from pivoted Cholesky; no n x n factorisation is made",
  peers: [
    {
      script: "ridge_inverse",
      what: "PyTorch, a float32 inverse each",
      ratioAsked: 0.25,
      slow: true,
      says: residualsOf,
    },
    {
      script: "ridge_cholesky",
      what: "PyTorch, a float64 Cholesky each",
      ratioAsked: 0.5,
      slow: true,
      says: residualsOf,
    },
  ],
  says: ({ residual, iterations }) => `largest relative residual ${small(residual)}, at most ${iterations} iterations`,
  prepare: readyGram,
  aside: ({ gramSeconds }) => ({ gram: gramSeconds }),
  run: ({ train, gram }, { runtime }) =>
    krrPath({ kernel: ntk(), gram, lambdas: LAMBDAS, tolerance: TOLERANCE }).fit(train, { runtime }),
  async check({ train, gram }, machines) {
    let residual = 0;
    for (const [k, { alpha }] of machines.entries()) {
      const product = await gram.multiply(alpha);
      const shift = (LAMBDAS[k] ?? Number.NaN) / 2;
      const squares = product.reduce(
        (sum, value, i) => sum + ((train.y[i] ?? 0) - value - shift * (alpha[i] ?? 0)) ** 2,
        0,
      );
      residual = Math.max(residual, Math.sqrt(squares / train.n));
    }
    const iterations = Math.max(...machines.map(({ training }) => training.iterations ?? 0));
    return { ok: machines.length === LAMBDAS.length && residual <= TOLERANCE, figures: { residual, iterations } };
  },
});
