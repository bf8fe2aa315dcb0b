// The machines that the demo offers: rows of Table 1 of the paper, each with the SDK's function that fits it. A new
// machine is one more entry. Not here: what is done with them (work.ts), how they are shown (ntkit-machines.ts).
import { type Kernel, krr, type Machine, svm, svmSgd, type Trainer } from "../../sdk/index.js";

export interface Choice {
  /** The row of Table 1, as the page calls it. */
  readonly title: string;
  /** Its loss of an output g and a label y. */
  readonly loss: string;
  /** What to look at. */
  readonly note: string;
  readonly trainer: (kernel: Kernel, lambda: number) => Trainer<Machine>;
  /** The call in a program, with `kernel` and `lambda` in scope. */
  readonly code: string;
  /** The function that a program imports. */
  readonly name: string;
}

/** Rows in a batch of the paper's descent; its lambda is that of one row. */
const BATCH = 8;

/** In the order of the page. */
export const CHOICES: Readonly<Record<string, Choice>> = {
  svm: {
    title: "Soft-margin SVM",
    loss: "max(0, 1 − y g)",
    note: "Solved exactly. Points beyond the margin carry no weight: only the ringed ones shape the surface.",
    trainer: (kernel, lambda) => svm({ kernel, lambda }),
    code: "svm({ kernel, lambda })",
    name: "svm",
  },
  krr: {
    title: "Ridge regression",
    loss: "(y − g)²",
    note: "Every point pulls the surface towards its own label, also those far on the right side.",
    trainer: (kernel, lambda) => krr({ kernel, lambda }),
    code: "krr({ kernel, lambda })",
    name: "krr",
  },
  sgd: {
    title: "SVM by descent",
    loss: "max(0, 1 − y g)",
    note: "The paper's mini-batch descent, 300 passes over the points: near the exact SVM, not at it.",
    trainer: (kernel, lambda) => {
      const own = lambda / BATCH;
      return svmSgd({ kernel, lambda: own, batch: BATCH, learningRate: Math.min(1, 0.5 / own) });
    },
    code: `svmSgd({ kernel, lambda: lambda / ${BATCH}, batch: ${BATCH}, learningRate: Math.min(1, ${BATCH / 2} / lambda) })`,
    name: "svmSgd",
  },
};
