// The machines that the demo offers, rows of Table 1 of the paper: what the page says of them. A new machine is one entry
// here and one in trainers.ts. Not here: training, so that the page itself does not load the SDK.

export interface Choice {
  /** The row of Table 1, as the page calls it. */
  readonly title: string;
  /** Its loss of an output g and a label y. */
  readonly loss: string;
  /** What to look at. */
  readonly note: string;
  /** The call in a program, with `kernel` and `lambda` in scope. */
  readonly code: string;
  /** The function that a program imports. */
  readonly name: string;
}

/** Rows in a batch of the paper's descent. */
export const BATCH = 8;

/** In the order of the page. */
export const CHOICES = {
  svm: {
    title: "Soft-margin SVM",
    loss: "max(0, 1 − y g)",
    note: "Solved exactly. Points beyond the margin carry no weight: only the ringed ones shape the surface.",
    code: "svm({ kernel, lambda })",
    name: "svm",
  },
  krr: {
    title: "Ridge regression",
    loss: "(y − g)²",
    note: "Every point pulls the surface towards its own label, also those far on the right side.",
    code: "krr({ kernel, lambda })",
    name: "krr",
  },
  sgd: {
    title: "SVM by descent",
    loss: "max(0, 1 − y g)",
    note: "The paper's mini-batch descent, 300 passes over the points: near the exact SVM, not at it.",
    code: `svmSgd({ kernel, lambda: lambda / ${BATCH}, batch: ${BATCH}, learningRate: Math.min(1, ${BATCH / 2} / lambda) })`,
    name: "svmSgd",
  },
} as const satisfies Readonly<Record<string, Choice>>;

export type MachineKey = keyof typeof CHOICES;

export const MACHINES = Object.keys(CHOICES) as [MachineKey, ...MachineKey[]];
