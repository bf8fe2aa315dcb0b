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
  /** The function that a program imports; `code` without the word lambda takes none. */
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
  svm2: {
    title: "2-norm SVM",
    loss: "max(0, 1 − y g)²",
    note: "Squares what falls short of the margin: outliers pull harder, the surface bends more gently.",
    code: "svm2({ kernel, lambda })",
    name: "svm2",
  },
  hard: {
    title: "Hard margin",
    loss: "0 while y g ≥ 1, else ∞",
    note: "The limit λ → 0: every point beyond the margin, whatever it takes. λ plays no part.",
    code: "hardMarginSvm({ kernel })",
    name: "hardMarginSvm",
  },
  svr: {
    title: "ε-SVR",
    loss: "max(0, |y − g| − 0.1)",
    note: "Regression on the labels that forgives errors up to 0.1: points inside that tube carry no weight.",
    code: "svr({ kernel, lambda, epsilon: 0.1 })",
    name: "svr",
  },
  logistic: {
    title: "Logistic",
    loss: "log(1 + exp(−y g))",
    note: "Every point carries weight, less and less the better it is decided. 1 / (1 + exp(−g)) is a probability.",
    code: "logistic({ kernel, lambda })",
    name: "logistic",
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
