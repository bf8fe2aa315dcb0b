// From the options of `ntkit train` to the SDK's trainer: which machine takes which options, and the words for them.
// Not here: the command (train.ts).
import { type Kernel, krr, nngp, ntk, svm, svmSgd, type Trainer } from "ntkit";
import { UsageError } from "./errors.js";
import { type CommonOptions, fromFlags } from "./options.js";

export const MACHINES = ["krr", "svm", "svm-sgd"] as const;
export type MachineChoice = (typeof MACHINES)[number];
export const KERNELS = ["ntk", "nngp"] as const;

export interface TrainOptions extends CommonOptions {
  readonly data: string;
  readonly out: string;
  readonly machine: MachineChoice;
  readonly lambda?: number;
  readonly c?: number;
  readonly bias?: boolean;
  readonly tolerance?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly lr?: number;
  readonly seed?: number;
  readonly kernel?: (typeof KERNELS)[number];
  readonly depth?: number;
  readonly weightVariance?: number;
  readonly biasVariance?: number;
}

/** Options that belong to some machines only. */
const MACHINE_OPTIONS = ["lambda", "c", "bias", "tolerance", "epochs", "batch", "lr", "seed"] as const;

const BELONGS: Readonly<Record<MachineChoice, readonly (typeof MACHINE_OPTIONS)[number][]>> = {
  krr: ["lambda", "tolerance"],
  svm: ["lambda", "c", "bias", "tolerance"],
  "svm-sgd": ["lambda", "epochs", "batch", "lr", "seed"],
};

/** Refuses options of other machines instead of ignoring them. @throws UsageError */
export function checkBelonging(options: TrainOptions): void {
  const own = BELONGS[options.machine];
  const foreign = MACHINE_OPTIONS.find((name) => options[name] !== undefined && !own.includes(name));
  if (foreign === undefined) return;
  const takers = MACHINES.filter((machine) => BELONGS[machine].includes(foreign)).join(" or ");
  throw new UsageError(`--${foreign}: expected only with --machine ${takers}, got --machine ${options.machine}`);
}

/** @throws UsageError */
export function kernelOf({ kernel = "ntk", depth, weightVariance, biasVariance }: TrainOptions): Kernel {
  const make = kernel === "ntk" ? ntk : nngp;
  return fromFlags(() => make({ depth, weightVariance, biasVariance }));
}

/** Ridge regression and the SVM have lambda = 1 unless told otherwise, the descent the paper's 0.001. */
const DEFAULT_LAMBDA = 1;

/** @throws UsageError for values that the machine does not take, and for options that are not its own */
export function trainerOf(options: TrainOptions): Trainer {
  checkBelonging(options);
  const kernel = kernelOf(options);
  const { machine, lambda, c, bias, tolerance, epochs, batch, lr, seed } = options;
  return fromFlags(() => {
    if (machine === "krr") return krr({ kernel, lambda: lambda ?? DEFAULT_LAMBDA, tolerance });
    if (machine === "svm-sgd") return svmSgd({ kernel, lambda, epochs, batch, learningRate: lr, seed });
    return svm({ kernel, c, lambda: c === undefined ? (lambda ?? DEFAULT_LAMBDA) : lambda, bias, tolerance });
  });
}
