// Table 1 on data: every machine trained to its optimality certificate on the same digits, its accuracy, and what can be
// proved of its decisions by the paper's bound and by the best one. Not here: solvers (machines/), bounds (certify/).
import { certify } from "../certify/certify.js";
import type { Summary } from "../certify/report.js";
import type { Dataset } from "../data/dataset.js";
import { GramMatrix } from "../kernels/gram.js";
import { ntk } from "../kernels/kernel.js";
import type { Loss } from "../losses.js";
import { hardMarginSvm } from "../machines/hard-margin.js";
import { krr } from "../machines/krr.js";
import { logistic } from "../machines/logistic.js";
import type { Machine, Trainer } from "../machines/machine.js";
import { svm } from "../machines/svm.js";
import { svm2 } from "../machines/svm2.js";
import { svr } from "../machines/svr.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject } from "../validate.js";
import { TABLE1, TABLE1_MACHINES, type Table1Entry, type Table1Machine } from "./choices.js";
import { experimentData } from "./data.js";
import { checkCount, checkList } from "./options.js";

export { TABLE1, TABLE1_MACHINES, type Table1Entry, type Table1Machine };

export interface Table1Options extends WorkOptions {
  /** Training and test set. Default MNIST 0/1. */
  readonly data?: { readonly train: Dataset; readonly test: Dataset } | undefined;
  /** Default all seven. */
  readonly machines?: readonly Table1Machine[] | undefined;
  /** lambda of the rows that have one, > 0. Default 1. */
  readonly lambda?: number | undefined;
  /** Half-width of support vector regression's tube, >= 0. Default 0.1. */
  readonly epsilon?: number | undefined;
  /** How many correctly classified test images are certified, from the first on. Default 100. */
  readonly count?: number | undefined;
  /** Called with each row as it is done. */
  readonly onRow?: ((row: Table1Row) => void) | undefined;
}

export interface Table1Row extends Table1Entry {
  readonly machine: Table1Machine;
  readonly parameters: Readonly<Record<string, number | boolean>>;
  /**
   * The finite network whose limit the machine is, for trainNetwork(): its lambda weighs the ridge against the mean of the
   * losses and the machine's against their sum, so it is lambda / n (null: the limit 0).
   */
  readonly network: { readonly loss: Loss; readonly lambda: number | null };
  /** How far from the optimum: see `optimality`. */
  readonly reached: number;
  /** Rows with a coefficient other than 0. */
  readonly rows: number;
  /** Share of all test images. */
  readonly accuracy: number;
  /** Images certified. */
  readonly samples: number;
  /** Certified l-inf radii, by Theorem 4.2 and by the best bound. */
  readonly interval: Summary;
  readonly certified: Summary;
  /** Wall seconds: training (a Gram matrix that rows share apart), and the best bound for each image. */
  readonly seconds: { readonly train: number; readonly certify: number };
}

interface Choices {
  readonly lambda: number;
  readonly epsilon: number;
  readonly gram: () => Promise<GramMatrix>;
}

async function trainerOf(machine: Table1Machine, { lambda, epsilon, gram }: Choices): Promise<Trainer> {
  const kernel = ntk();
  if (machine === "hard-margin") return hardMarginSvm({ kernel });
  if (machine === "svm") return svm({ kernel, lambda });
  if (machine === "svm2") return svm2({ kernel, lambda });
  if (machine === "svr") return svr({ kernel, lambda, epsilon });
  if (machine === "logistic") return logistic({ kernel, lambda, gram: await gram() });
  return krr({ kernel, lambda: machine === "krr" ? lambda : 0, gram: await gram() });
}

async function measure(
  name: Table1Machine,
  { train, test }: { readonly train: Dataset; readonly test: Dataset },
  choices: Choices,
  count: number,
  work: WorkOptions,
): Promise<Table1Row> {
  const trainer = await trainerOf(name, choices);
  const start = performance.now();
  const machine: Machine = await trainer.fit(train, work);
  const seconds = (performance.now() - start) / 1000;
  const decisions = await machine.decisionFunction(test, work);
  const correct = Array.from(decisions.keys()).filter((k) => (decisions[k] ?? 0) * (test.y[k] ?? 0) > 0);
  const chosen = test.subset(correct.slice(0, count));
  const interval = await certify(machine, chosen, { ...work, method: "interval" });
  const best = await certify(machine, chosen, { ...work, method: "best" });
  const entry = TABLE1[name];
  const { relativeResidual, relativeDualityGap } = machine.training;
  return {
    machine: name,
    ...entry,
    parameters: machine.parameters,
    network: {
      loss: entry.loss,
      lambda: entry.lambda === "-> 0" ? null : (entry.lambda === "0" ? 0 : choices.lambda) / train.n,
    },
    reached: relativeResidual ?? relativeDualityGap ?? Number.NaN,
    rows: machine.alpha.reduce((sum, a) => sum + (a === 0 ? 0 : 1), 0),
    accuracy: correct.length / test.n,
    samples: chosen.n,
    interval: interval.radius,
    certified: best.radius,
    seconds: { train: seconds, certify: best.seconds / chosen.n },
  };
}

/**
 * Trains and certifies the machines of Table 1 on the same data.
 * @throws TypeError, RangeError; NotSeparableError, ConvergenceError, MemoryBudgetError; the signal's reason
 */
export async function table1(options: Table1Options = {}): Promise<Table1Row[]> {
  checkObject("options", options);
  const machines = checkList(
    "machines",
    options.machines ?? TABLE1_MACHINES,
    (name, value) => checkChoice(name, value, TABLE1_MACHINES),
    "name",
  );
  const lambda = checkNumber("lambda", options.lambda ?? 1, { min: 0, open: true });
  const epsilon = checkNumber("epsilon", options.epsilon ?? 0.1, { min: 0 });
  const count = checkCount("count", options.count ?? 100);
  const runtime = await runtimeOf(options);
  const { signal, onProgress } = options;
  const work = { runtime, signal, onProgress };
  const data = await experimentData(options);
  let shared: GramMatrix | undefined;
  const gram = async () => {
    shared ??= await GramMatrix.create(ntk(), data.train, work);
    return shared;
  };
  const rows: Table1Row[] = [];
  try {
    for (const name of machines) {
      const row = await measure(name, data, { lambda, epsilon, gram }, count, work);
      rows.push(row);
      options.onRow?.(row);
    }
  } finally {
    shared?.dispose();
  }
  return rows;
}
