// What the experiments can be asked for, by name: apart from them, so that a page which shows the choices loads no experiment.
// Not here: the experiments (one file each).
import type { NetworkMethod } from "../certify/method.js";
import type { Loss } from "../losses.js";

/** The rows of Table 1, from top to bottom. */
export const TABLE1_MACHINES = ["kernel-regression", "hard-margin", "svm", "svm2", "svr", "krr", "logistic"] as const;
export type Table1Machine = (typeof TABLE1_MACHINES)[number];

/** What a row of Table 1 says of its machine. */
export interface Table1Entry {
  /** Loss of machine and network (see TrainingOptions.loss). */
  readonly loss: Loss;
  /** What lambda is: 0, the limit 0, or the one asked for. */
  readonly lambda: "0" | "-> 0" | "given";
  readonly solver: string;
  /** What its optimality is measured by. */
  readonly optimality: "relative residual" | "relative duality gap";
}

const GAP = "relative duality gap";
const DUAL = "dual, working sets";

export const TABLE1: Readonly<Record<Table1Machine, Table1Entry>> = {
  "kernel-regression": {
    loss: "squared",
    lambda: "0",
    solver: "preconditioned conjugate gradients",
    optimality: "relative residual",
  },
  "hard-margin": { loss: "hinge", lambda: "-> 0", solver: DUAL, optimality: GAP },
  svm: { loss: "hinge", lambda: "given", solver: DUAL, optimality: GAP },
  svm2: { loss: "squared-hinge", lambda: "given", solver: DUAL, optimality: GAP },
  svr: { loss: "epsilon-insensitive", lambda: "given", solver: DUAL, optimality: GAP },
  krr: {
    loss: "squared",
    lambda: "given",
    solver: "preconditioned conjugate gradients",
    optimality: "relative residual",
  },
  logistic: { loss: "logistic", lambda: "given", solver: "Newton, conjugate gradients", optimality: GAP },
};

/** The machines of the table: Table 2's descent, the exact machine it approximates, and ridge at three lambdas. */
export const TIGHTNESS_MACHINES = ["svm-sgd", "svm", "krr-0", "krr-1", "krr-1000"] as const;
export type TightnessMachine = (typeof TIGHTNESS_MACHINES)[number];

/** The methods of the picture, from loose to tight. */
export const CERTIFICATE_METHODS = ["ibp", "linear", "paired", "aggregate"] as const satisfies readonly NetworkMethod[];
