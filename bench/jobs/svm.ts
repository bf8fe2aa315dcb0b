// The exact soft-margin SVM from pixels to alpha: as the paper has it, without bias, and with one, which is libsvm's
// own problem.
import { type Dataset, type Machine, ntk, svm } from "ntkit";
import { type Agreement, type Context, defineJob, type Peer } from "../job.js";
import { mnist01, significant, small } from "./data.js";

const C = 15.625;
const TOLERANCE = 1e-6;

function peer(agreements: readonly Agreement[]): Peer {
  return {
    script: "svc",
    what: "PyTorch Gram + libsvm, tolerance 1e-3",
    ratioAsked: 0.25,
    agreements,
    says: ({ support_vectors, dual_objective }) =>
      `${support_vectors} support vectors, dual ${significant(dual_objective, 8)} (with bias)`,
  };
}

/** Gap, feasibility and dual objective, computed again from the machine's own decisions. */
async function certificate(machine: Machine, train: Dataset, { runtime }: Context) {
  const { alpha, bias } = machine;
  const outputs = await machine.decisionFunction(train, { runtime });
  const atSupport = await machine.decisionFunction(machine.rows, { runtime });
  const square = alpha.reduce((sum, a, k) => sum + a * ((atSupport[k] ?? 0) - bias), 0);
  const hinge = outputs.reduce((sum, g, i) => sum + Math.max(0, 1 - (train.y[i] ?? 0) * g), 0);
  const linear = alpha.reduce((sum, a) => sum + Math.abs(a), 0);
  const primal = square / 2 + C * hinge;
  const dual = linear - square / 2;
  return {
    gap: (primal - dual) / primal,
    dual,
    supportVectors: alpha.length,
    largest: alpha.reduce((max, a) => Math.max(max, Math.abs(a)), 0),
    imbalance: Math.abs(alpha.reduce((sum, a) => sum + a, 0)) / linear,
  };
}

function svmJob(name: string, what: string, bias: boolean) {
  return defineJob({
    name,
    what: `SVM ${what}, relative duality gap <= 1e-6, from pixels to alpha`,
    why: "working sets of the worst violators and the free coefficients; the Gram matrix is never formed, only kernel rows of points that change",
    peers: [peer(bias ? [{ ours: "dual", peer: "dual_objective", within: 1e-4 }] : [])],
    says: ({ gap, supportVectors, dual }) =>
      `gap ${small(gap)}, ${supportVectors} support vectors, dual ${significant(dual, 8)}`,
    prepare: async (context: Context) => (await mnist01(context)).train,
    run: (train, { runtime }) => svm({ kernel: ntk(), c: C, bias, tolerance: TOLERANCE }).fit(train, { runtime }),
    async check(train, machine, context) {
      const figures = await certificate(machine, train, context);
      const feasible = figures.largest <= C * (1 + 1e-12) && (!bias || figures.imbalance <= 1e-9);
      // Sums in another order than the solver's: a little room for their rounding.
      return { ok: feasible && Math.abs(figures.gap) <= TOLERANCE * 1.001, figures };
    },
  });
}

export const svmExact = svmJob("svm", "without bias (the paper's)", false);
export const svmWithBias = svmJob("svm-bias", "with bias (libsvm's own problem)", true);
