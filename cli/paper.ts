// Figures that the paper prints, to stand beside our own: "On the Equivalence between Neural Network and Support Vector
// Machine" (NeurIPS 2021), MNIST 0/1, two-layer NTK. Not here: anything that was computed.

export interface PaperFigures {
  readonly accuracy: number;
  /** Mean certified radius of the correctly classified test images. */
  readonly radius: number;
  /** Its standard deviation over the images, where the paper states it. */
  readonly std?: number;
}

export interface PaperRidgeRow extends PaperFigures {
  readonly lambda: number;
}

/** Table 3, the rows of kernel ridge regression; lambda = 0 is kernel regression. */
export const TABLE3_RIDGE: readonly PaperRidgeRow[] = [
  { lambda: 0, accuracy: 0.9995, radius: 3.30202e-5 },
  { lambda: 0.001, accuracy: 0.9995, radius: 3.756122e-5 },
  { lambda: 0.01, accuracy: 0.9995, radius: 6.5055e-5 },
  { lambda: 0.1, accuracy: 0.9995, radius: 2.22996e-4 },
  { lambda: 1, accuracy: 0.9995, radius: 0.001005 },
  { lambda: 10, accuracy: 0.9991, radius: 0.005181 },
  { lambda: 100, accuracy: 0.9986, radius: 0.020456 },
  { lambda: 1000, accuracy: 0.9976, radius: 0.026088 },
];

/** Table 3, the row of the SVM. Its lambda is 1 / C = batch * lambda of the descent = 64 * 0.001. */
export const TABLE3_SVM: PaperFigures = { accuracy: 0.9995, radius: 0.008054 };

/** Table 2, the row of the infinitely wide network: on 100 test images, and on all 2,115. */
export const TABLE2_SVM_100: PaperFigures = { accuracy: 0.9995, radius: 8.0541e-3, std: 2.5827e-3 };
export const TABLE2_SVM: PaperFigures = { accuracy: 0.9995, radius: 7.9733e-3, std: 2.1396e-3 };

/** Images in Table 2's smaller test set. */
export const TABLE2_FEW = 100;

/** Section 5's descent: eta, lambda, batch, epochs; and what its fixed point is as an SVM. */
export const PAPER_DESCENT = { learningRate: 1, lambda: 0.001, batch: 64, epochs: 300 } as const;
export const PAPER_SVM_LAMBDA = 0.064;
export const PAPER_SVM_C = 15.625;

/** Seeds behind the paper's Table 2. */
export const PAPER_SEEDS = 5;
