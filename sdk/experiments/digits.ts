// Several digits of MNIST told apart, one against the rest: accuracy class by class, and how much of it is certified, each
// difference of two classes bounded as one machine. Not here: the machines (machines/), the certificates (certify/).
import { type ClassReport, certifyClasses } from "../certify/classes.js";
import type { MachineMethod } from "../certify/method.js";
import { chooseSamples } from "../certify/samples.js";
import type { ClassSet } from "../data/classes.js";
import { mnistDigits } from "../data/mnist.js";
import { GramMatrix } from "../kernels/gram.js";
import { type Kernel, ntk } from "../kernels/kernel.js";
import { SEARCHED_MACHINES, type SearchedMachine } from "../machines/cross-validation.js";
import { krr } from "../machines/krr.js";
import { logistic } from "../machines/logistic.js";
import type { Trainer, TrainingReport } from "../machines/machine.js";
import { type ClassMachine, oneVsRest } from "../machines/one-vs-rest.js";
import { svm } from "../machines/svm.js";
import { svm2 } from "../machines/svm2.js";
import { svr } from "../machines/svr.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject, describe } from "../validate.js";
import { checkCount } from "./options.js";

export interface DigitsOptions extends WorkOptions {
  /** Training and test set. Default MNIST with `digits`. */
  readonly data?: { readonly train: ClassSet; readonly test: ClassSet } | undefined;
  /** At least two digits. Default all ten. */
  readonly digits?: readonly number[] | undefined;
  /** Default "svm". */
  readonly machine?: SearchedMachine | undefined;
  /** lambda of each machine, > 0. Default 0.01: ten digits need a closer fit than two. */
  readonly lambda?: number | undefined;
  /** Hidden layers. Default 1. */
  readonly depth?: number | undefined;
  /** Training rows, drawn by `seed`. Default: all of them. */
  readonly rows?: number | undefined;
  /** Test images that are certified, from the first on. Default 200. */
  readonly count?: number | undefined;
  /** Bound method. Default "best". */
  readonly method?: MachineMethod | undefined;
  /** Radii at which certified accuracy is reported. Default 0.01, 0.05 and 0.1. */
  readonly radii?: readonly number[] | undefined;
  readonly seed?: number | undefined;
  /** Largest relative residual or duality gap of each machine. Default 1e-6. */
  readonly tolerance?: number | undefined;
  /** Columns of ridge machines' preconditioner. Default: what krr() takes. */
  readonly rank?: number | undefined;
  /** Whether each image's radius is searched for, or only `radii` are proved: see certifyClasses(). Default true. */
  readonly search?: boolean | undefined;
  /** Called with the model once it is trained: certificates of many rows take longer, and may be cancelled. */
  readonly onModel?: ((model: ClassMachine) => void) | undefined;
}

export interface DigitsResult {
  readonly model: ClassMachine;
  /** Training rows, and rows with a coefficient in some class. */
  readonly trainingRows: number;
  readonly rows: number;
  /** Largest relative gap, or residual, of the machines. */
  readonly optimality: number;
  /** What training reports of each class. */
  readonly training: readonly TrainingReport[];
  /** Share of all test images. */
  readonly accuracy: number;
  /** Test images of each class, and how many were decided right. */
  readonly perClass: readonly { readonly name: string; readonly samples: number; readonly correct: number }[];
  readonly report: ClassReport;
  readonly seconds: { readonly train: number; readonly predict: number; readonly certify: number };
  /** Bytes of the core's memory: most in use at once since the runtime was made, and its budget. */
  readonly memory: { readonly peak: number; readonly budget: number };
}

/** The machine of each digit. */
interface Choice {
  readonly machine: SearchedMachine;
  readonly kernel: Kernel;
  readonly lambda: number;
  readonly tolerance: number;
  readonly rank: number | undefined;
}

function trainerOf({ machine, rank, ...own }: Choice, gram: GramMatrix | undefined): Trainer {
  if (machine === "svm") return svm(own);
  if (machine === "svm2") return svm2(own);
  if (machine === "svr") return svr(own);
  // krr() solves all classes together, and knows whether its matrix fits the budget beside what that takes.
  return machine === "krr" ? krr({ ...own, rank }) : logistic({ ...own, gram });
}

async function fitDigits(data: ClassSet, choice: Choice, work: WorkOptions): Promise<ClassMachine> {
  const gram = choice.machine === "logistic" ? await GramMatrix.create(choice.kernel, data, work) : undefined;
  try {
    return await oneVsRest(trainerOf(choice, gram)).fit(data, work);
  } finally {
    gram?.dispose();
  }
}

async function someRows(runtime: Runtime, data: ClassSet, count: number | undefined, seed: number): Promise<ClassSet> {
  if (count === undefined || count >= data.n) return data;
  return data.subset(await chooseSamples(data.n, { random: count }, seed, { runtime }));
}

/**
 * Trains one machine a digit, decides all test images and certifies the first of them.
 * @throws TypeError, RangeError; ConvergenceError, MemoryBudgetError; the signal's reason
 */
export async function digits(options: DigitsOptions = {}): Promise<DigitsResult> {
  checkObject("options", options);
  const machine = checkChoice("machine", options.machine ?? "svm", SEARCHED_MACHINES);
  const lambda = checkNumber("lambda", options.lambda ?? 0.01, { min: 0, open: true });
  const kernel = ntk({ depth: options.depth });
  const count = checkCount("count", options.count ?? 200);
  const limit = options.rows === undefined ? undefined : checkCount("rows", options.rows);
  const radii: unknown = options.radii ?? [0.01, 0.05, 0.1];
  if (!Array.isArray(radii)) throw new TypeError(`radii: expected an array of numbers, got ${describe(radii)}`);
  const epsilons = radii.map((radius, k) => checkNumber(`radii[${k}]`, radius, { min: 0 }));
  const seed = checkNumber("seed", options.seed ?? 0, { min: 0, integer: true });
  const tolerance = checkNumber("tolerance", options.tolerance ?? 1e-6, { min: 1e-12, max: 0.1 });
  const runtime = await runtimeOf(options);
  const { signal, onProgress, method, rank, search, onModel } = options;
  const work = { runtime, signal, onProgress };
  const whole = options.data ?? (await mnistDigits({ digits: options.digits, ...(signal ? { signal } : {}) }));
  const train = await someRows(runtime, whole.train, limit, seed);
  const times = [performance.now()];
  const model = await fitDigits(train, { machine, kernel, lambda, tolerance, rank }, work);
  times.push(performance.now());
  onModel?.(model);
  const decided = await model.predict(whole.test, work);
  times.push(performance.now());
  const report = await certifyClasses(model, whole.test, { ...work, method, search, samples: count, radii: epsilons });
  times.push(performance.now());
  const { labels, classes } = whole.test;
  const perClass = classes.map((name, c) => {
    const own = Array.from(labels.keys()).filter((i) => labels[i] === c);
    return { name, samples: own.length, correct: own.filter((i) => decided[i] === c).length };
  });
  const [trained = 0, predicted = 0, certified = 0] = times.slice(1).map((time, k) => (time - (times[k] ?? 0)) / 1000);
  return {
    model,
    trainingRows: train.n,
    rows: model.rows.n,
    optimality: Math.max(
      ...model.training.map(({ relativeResidual, relativeDualityGap }) => relativeResidual ?? relativeDualityGap ?? 0),
    ),
    accuracy: perClass.reduce((sum, { correct }) => sum + correct, 0) / whole.test.n,
    training: model.training,
    perClass,
    report,
    memory: { peak: runtime.memory.peak, budget: runtime.memory.budget },
    seconds: { train: trained, predict: predicted, certify: certified },
  };
}
