// The SDK's functions behind the machines of losses.ts. Not here: what the page says of them.
import {
  hardMarginSvm,
  type Kernel,
  krr,
  logistic,
  type Machine,
  svm,
  svm2,
  svmSgd,
  svr,
  type Trainer,
} from "../../sdk/index.js";
import { BATCH, type MachineKey } from "./losses.js";

/** lambda is the weight of the l2 regulariser beside the sum of the losses. */
export const TRAINERS: Readonly<Record<MachineKey, (kernel: Kernel, lambda: number) => Trainer<Machine>>> = {
  svm: (kernel, lambda) => svm({ kernel, lambda }),
  krr: (kernel, lambda) => krr({ kernel, lambda }),
  svm2: (kernel, lambda) => svm2({ kernel, lambda }),
  hard: (kernel) => hardMarginSvm({ kernel }),
  svr: (kernel, lambda) => svr({ kernel, lambda, epsilon: 0.1 }),
  logistic: (kernel, lambda) => logistic({ kernel, lambda }),
  // The descent's own lambda goes with the mean over a batch.
  sgd: (kernel, lambda) =>
    svmSgd({ kernel, lambda: lambda / BATCH, batch: BATCH, learningRate: Math.min(1, BATCH / 2 / lambda) }),
};
