// How nearly exact certificates are: machines trained on the same digits, each correctly classified test image certified
// by the paper's method and by the best one, and attacked. The ratio certified / attacked is 1 where nothing is unknown.
// Not here: the bounds and attacks (certify/), the table's look (the command line).
import { attack } from "../certify/attacks/attack.js";
import { certify } from "../certify/certify.js";
import type { MachineMethod, Threat } from "../certify/method.js";
import { type Summary, summarize } from "../certify/report.js";
import type { Dataset } from "../data/dataset.js";
import { SoundnessError } from "../errors.js";
import { ntk } from "../kernels/kernel.js";
import { krr } from "../machines/krr.js";
import type { Machine } from "../machines/machine.js";
import { svm } from "../machines/svm.js";
import { svmSgd } from "../machines/svm-sgd.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkObject, describe } from "../validate.js";
import { TIGHTNESS_MACHINES, type TightnessMachine } from "./choices.js";
import { experimentData } from "./data.js";
import { checkCount } from "./options.js";

export { TIGHTNESS_MACHINES, type TightnessMachine };

/** C of the exact machine: the paper's lambda 0.064 with ||w||^2 / 2 + C sum of losses. */
const EXACT_C = 15.625;

export interface TightnessOptions extends WorkOptions, Omit<Threat, "norm"> {
  /** Training and test set. Default MNIST 0/1. */
  readonly data?: { readonly train: Dataset; readonly test: Dataset } | undefined;
  /** Default all five. */
  readonly machines?: readonly TightnessMachine[] | undefined;
  /** How many correctly classified test images, from the first on. Default 100. */
  readonly count?: number | undefined;
  /** Called with each row as it is done. */
  readonly onRow?: ((row: TightnessRow) => void) | undefined;
}

export interface TightnessRow {
  readonly machine: TightnessMachine;
  /** Rows with a coefficient other than 0. */
  readonly rows: number;
  readonly samples: number;
  /** Radii by the paper's method (absent inside a domain), by one linear relaxation, and by the best bound. */
  readonly interval: Summary | null;
  readonly linear: Summary;
  readonly certified: Summary;
  /** Distances of the nearest adversarial inputs found. */
  readonly attacked: Summary;
  /** Certified over attacked, sample by sample. */
  readonly ratio: Summary;
  /** Wall seconds for each sample: the best bound's, and the attack's. */
  readonly seconds: { readonly certify: number; readonly attack: number };
}

async function train(name: TightnessMachine, data: Dataset, work: WorkOptions): Promise<Machine> {
  const kernel = ntk();
  if (name === "svm") return svm({ kernel, c: EXACT_C }).fit(data, work);
  if (name === "svm-sgd") return svmSgd({ kernel }).fit(data, work);
  return krr({ kernel, lambda: Number(name.slice("krr-".length)) }).fit(data, work);
}

/** The first `count` rows that the machine classifies as their label says. */
async function firstCorrect(machine: Machine, test: Dataset, count: number, work: WorkOptions): Promise<Dataset> {
  const decisions = await machine.decisionFunction(test, work);
  const correct = Array.from(decisions.keys()).filter((k) => (decisions[k] ?? 0) * (test.y[k] ?? 0) > 0);
  return test.subset(correct.slice(0, count));
}

async function measure(name: TightnessMachine, options: Resolved, runtime: Runtime): Promise<TightnessRow> {
  const { signal, domain, count, onProgress } = options;
  const work = { runtime, signal };
  const { train: rows, test } = await experimentData(options);
  const machine = await train(name, rows, { ...work, onProgress });
  const chosen = await firstCorrect(machine, test, count, work);
  const by = (method: MachineMethod) => certify(machine, chosen, { ...work, method, domain, onProgress });
  const interval = domain ? null : await by("interval");
  const linear = await by("linear");
  const best = await by("best");
  const attacked = await attack(machine, chosen, { ...work, domain, tolerance: 1e-3, onProgress });
  const ratios = best.perSample.map(({ radius }, k) => {
    const found = attacked.perSample[k]?.radius ?? Number.POSITIVE_INFINITY;
    if (radius >= found) throw new SoundnessError(k, radius, found);
    return radius / found;
  });
  return {
    machine: name,
    rows: machine.alpha.reduce((sum, a) => sum + (a === 0 ? 0 : 1), 0),
    samples: chosen.n,
    interval: interval?.radius ?? null,
    linear: linear.radius,
    certified: best.radius,
    attacked: summarize(attacked.perSample.flatMap(({ radius }) => (radius === null ? [] : [radius]))),
    ratio: summarize(ratios),
    seconds: { certify: best.seconds / chosen.n, attack: attacked.seconds / chosen.n },
  };
}

function resolve(options: TightnessOptions) {
  checkObject("options", options);
  const machines: unknown = options.machines ?? TIGHTNESS_MACHINES;
  if (!Array.isArray(machines) || machines.length === 0)
    throw new TypeError(`machines: expected an array of at least one name, got ${describe(machines)}`);
  return {
    ...options,
    domain: options.domain ?? false,
    machines: machines.map((name, k) => checkChoice(`machines[${k}]`, name, TIGHTNESS_MACHINES)),
    count: checkCount("count", options.count ?? 100),
  };
}

type Resolved = ReturnType<typeof resolve>;

/**
 * Measures certificates beside attacks, on l-inf balls.
 * @throws SoundnessError should an attack succeed inside a certified ball; TypeError, RangeError
 */
export async function tightness(options: TightnessOptions = {}): Promise<TightnessRow[]> {
  const resolved = resolve(options);
  const runtime = await runtimeOf(options);
  const rows: TightnessRow[] = [];
  for (const name of resolved.machines) {
    const row = await measure(name, resolved, runtime);
    rows.push(row);
    options.onRow?.(row);
  }
  return rows;
}
