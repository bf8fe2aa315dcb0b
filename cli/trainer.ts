// From the options of `ntkit train` to the SDK's trainer: which machine takes which options, and the words for them.
// Not here: the command (train.ts).
import {
  ACTIVATIONS,
  type Activation,
  type GramMatrix,
  hardMarginSvm,
  type Kernel,
  krr,
  logistic,
  nngp,
  ntk,
  svm,
  svm2,
  svmSgd,
  svr,
  type Trainer,
} from "ntkit";
import { UsageError } from "./errors.js";
import { type CommonOptions, choiceOption, fromFlags, numberOption } from "./options.js";

export const MACHINES = ["krr", "svm", "svm2", "hard-margin", "svr", "logistic", "svm-sgd"] as const;
export type MachineChoice = (typeof MACHINES)[number];
export const KERNELS = ["ntk", "nngp"] as const;

/** How machines of two classes decide among several: each class against the rest, or each against each other. */
export const MULTICLASS = ["ovr", "ovo"] as const;

/** Machines that take real targets. */
export const REGRESSIONS: readonly MachineChoice[] = ["krr", "svr"];

/** Machines that work on a whole Gram matrix, which those of several classes share. */
export const ON_GRAM: readonly MachineChoice[] = ["krr", "logistic", "svm-sgd"];

/** What the hidden units of a kernel's network compute: the flags, and as options. */
export interface UnitFlags {
  readonly activation?: Activation;
  readonly slope?: number;
}

export const activationOption = () =>
  choiceOption("--activation", "what the hidden units compute (default: relu)", ACTIVATIONS);
export const slopeOption = () =>
  numberOption("--slope <number>", "leaky-relu: slope below 0, from 0 to 1 (default: 0.01)");

export interface TrainOptions extends CommonOptions, UnitFlags {
  readonly data: string;
  readonly out: string;
  readonly machine: MachineChoice;
  readonly lambda?: number;
  readonly c?: number;
  readonly bias?: boolean;
  readonly epsilon?: number;
  readonly tolerance?: number;
  readonly epochs?: number;
  readonly batch?: number;
  readonly lr?: number;
  readonly seed?: number;
  readonly kernel?: (typeof KERNELS)[number];
  readonly depth?: number;
  readonly weightVariance?: number;
  readonly biasVariance?: number;
  readonly multiclass?: (typeof MULTICLASS)[number];
  readonly regression?: boolean;
}

/** Options that belong to some machines only. */
const MACHINE_OPTIONS = ["lambda", "c", "bias", "epsilon", "tolerance", "epochs", "batch", "lr", "seed"] as const;

const BELONGS: Readonly<Record<MachineChoice, readonly (typeof MACHINE_OPTIONS)[number][]>> = {
  krr: ["lambda", "bias", "tolerance"],
  svm: ["lambda", "c", "bias", "tolerance"],
  svm2: ["lambda", "c", "bias", "tolerance"],
  "hard-margin": ["bias", "tolerance"],
  svr: ["lambda", "c", "bias", "epsilon", "tolerance"],
  logistic: ["lambda", "c", "bias", "tolerance"],
  "svm-sgd": ["lambda", "epochs", "batch", "lr", "seed"],
};

/** "a, b or c". */
function listed(names: readonly string[]): string {
  return names.join(", ").replace(/, ([^,]*)$/, " or $1");
}

/** Refuses options of other machines instead of ignoring them. @throws UsageError */
export function checkBelonging(options: TrainOptions): void {
  const own = BELONGS[options.machine];
  const foreign = MACHINE_OPTIONS.find((name) => options[name] !== undefined && !own.includes(name));
  if (foreign === undefined) return;
  const takers = listed(MACHINES.filter((machine) => BELONGS[machine].includes(foreign)));
  throw new UsageError(`--${foreign}: expected only with --machine ${takers}, got --machine ${options.machine}`);
}

/** @throws UsageError */
export function kernelOf(options: TrainOptions): Kernel {
  const { kernel = "ntk", depth, weightVariance, biasVariance, activation, slope } = options;
  const make = kernel === "ntk" ? ntk : nngp;
  return fromFlags(() => make({ depth, weightVariance, biasVariance, activation, slope }));
}

/** Machines have lambda = 1 unless told otherwise, the descent the paper's 0.001. */
const DEFAULT_LAMBDA = 1;

/** @throws UsageError for values that the machine does not take, and for options that are not its own */
export function trainerOf(options: TrainOptions, gram?: GramMatrix): Trainer {
  checkBelonging(options);
  if (options.regression === true && !REGRESSIONS.includes(options.machine))
    throw new UsageError(`--regression: expected only with --machine ${listed(REGRESSIONS)}, got ${options.machine}`);
  if (options.regression === true && options.multiclass !== undefined)
    throw new UsageError("--multiclass: expected classes, got --regression beside it");
  const kernel = kernelOf(options);
  const { machine, lambda, c, bias, epsilon, tolerance, epochs, batch, lr, seed } = options;
  return fromFlags(() => {
    if (machine === "krr") return krr({ kernel, lambda: lambda ?? DEFAULT_LAMBDA, bias, tolerance, gram });
    if (machine === "svm-sgd") return svmSgd({ kernel, lambda, epochs, batch, learningRate: lr, seed, gram });
    if (machine === "hard-margin") return hardMarginSvm({ kernel, bias, tolerance });
    const common = { kernel, c, lambda: c === undefined ? (lambda ?? DEFAULT_LAMBDA) : lambda, bias, tolerance };
    if (machine === "svr") return svr({ ...common, epsilon });
    if (machine === "logistic") return logistic({ ...common, gram });
    return { svm, svm2 }[machine](common);
  });
}
