// The paper's mini-batch subgradient SVM, one seed, from a ready Gram matrix, which the peer does not time either.
import { ntk, svmSgd } from "ntkit";
import { defineJob } from "../job.js";
import { readyGram, significant } from "./data.js";

export const EPOCHS = 300;

export const sgd = defineJob({
  name: "sgd",
  what: "the paper's subgradient SVM, 300 epochs of batches of 64, from a ready Gram matrix",
  why: "outputs are kept up to date from the few violators of an epoch instead of n x n products; the decay that has not reached a point yet is bounded, and summed only where a decision could depend on it. One seed is one thread's work",
  peers: [
    {
      script: "sgd",
      what: "PyTorch, float32",
      ratioAsked: 0.33,
      arguments: () => [String(EPOCHS)],
      // The order of the batches is drawn differently.
      agreements: [
        { ours: "accuracy", peer: "accuracy", within: 0.001 },
        { ours: "hinge", peer: "hinge", within: 0.1 },
      ],
      says: ({ accuracy, hinge }) => `accuracy ${significant(accuracy, 5)}, hinge loss ${significant(hinge)}`,
    },
  ],
  says: ({ accuracy, hinge }) => `accuracy ${significant(accuracy, 5)}, hinge loss ${significant(hinge)}`,
  prepare: readyGram,
  aside: ({ gramSeconds }) => ({ gram: gramSeconds }),
  run: ({ train, gram }, { runtime }) => svmSgd({ kernel: ntk(), gram, epochs: EPOCHS }).fit(train, { runtime }),
  async check({ train, test }, machine, { runtime }) {
    const outputs = await machine.decisionFunction(train, { runtime });
    const hinge = outputs.reduce((sum, g, i) => sum + Math.max(0, 1 - (train.y[i] ?? 0) * g), 0) / train.n;
    const decisions = await machine.decisionFunction(test, { runtime });
    const accuracy = decisions.filter((g, i) => g * (test.y[i] ?? 0) > 0).length / test.n;
    // Outputs that were updated for 300 epochs must still be those of alpha.
    const drift = Math.abs(hinge - (machine.training.hinge ?? Number.NaN));
    return { ok: drift <= 1e-9, figures: { accuracy, hinge, drift } };
  },
});
