// The paper's experiment on MNIST 0/1, row by row: one Gram matrix, the ridge path, the paper's descent, the exact SVM,
// and a certificate for each. Not here: how rows are shown (experiment-table.ts) and which are asked for (the commands).
import {
  type Certificate,
  certify,
  type Dataset,
  GramMatrix,
  krrPath,
  type Machine,
  type MachineMethod,
  mnist,
  ntk,
  type Report,
  reportFigures,
  type Summary,
  svm,
  svmSgdSeeds,
  VERSION,
} from "ntkit";
import type { Samples } from "./options.js";
import * as paper from "./paper.js";
import type { Session } from "./session.js";

/** Which rows are asked for. */
export interface Plan {
  /** Lambdas of Table 3's ridge rows; may be empty. */
  readonly lambdas: readonly number[];
  /** Tables that want the row of the paper's descent. */
  readonly descent: readonly ("table2" | "table3")[];
  /** Seeds 0, 1, ... of the descent. */
  readonly seeds: number;
  /** Whether the exact SVM stands beside it, for comparison. */
  readonly exact: boolean;
  readonly samples: Samples;
  readonly seed: number;
  /** A bound to stand beside the paper's. Default: none. */
  readonly method?: MachineMethod;
  /** Whether that bound has an attack beside it. */
  readonly attack?: boolean;
}

/** What a tighter bound proves of a row's machine, and what an attack finds. */
export interface Beside {
  readonly method: MachineMethod;
  readonly radius: Summary;
  /** Of the correctly classified images; null without an attack. */
  readonly attack: { readonly found: number; readonly radius: Summary; readonly ratio: Summary } | null;
}

export interface SeedFigures {
  readonly seed: number;
  readonly accuracy: number;
  readonly radius: number | null;
}

/** One row of a table, as `--json` writes it. */
export interface Row {
  readonly table: "table2" | "table3";
  readonly machine: "krr" | "svm" | "svm-sgd";
  readonly lambda: number;
  /** Test images certified (by each seed). */
  readonly samples: number;
  readonly accuracy: number;
  /** Over the correctly classified images, of all seeds together. */
  readonly radius: Summary;
  readonly paper: paper.PaperFigures | null;
  readonly beside?: Beside;
  /** Certification and the row's share of training. */
  readonly seconds: number;
  readonly seeds?: readonly SeedFigures[];
}

/** What the rows have in common, and where the time went. */
export interface Experiment {
  readonly rows: Row[];
  readonly seconds: Record<string, number>;
  readonly metadata: Record<string, unknown>;
}

/** Seconds that parts took on two cores, as weights of the progress line. */
const WEIGHTS = { gram: 2, ridge: 8, descent: 3.5, svm: 1, certify: 2, beside: 40 };

async function timed<T>(work: Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  return [await work, (performance.now() - start) / 1000];
}

class Run {
  private gram: GramMatrix | undefined;

  constructor(
    private readonly session: Session,
    private readonly plan: Plan,
    private readonly train: Dataset,
    private readonly test: Dataset,
    readonly into: Experiment,
  ) {}

  private spent(part: string, seconds: number): void {
    this.into.seconds[part] = (this.into.seconds[part] ?? 0) + seconds;
  }

  /** The Gram matrix of the training images, computed once. */
  private async sharedGram(): Promise<GramMatrix> {
    if (this.gram !== undefined) return this.gram;
    const { progress, work } = this.session;
    progress.step("Gram matrix", WEIGHTS.gram, "Gram matrix");
    const [gram, seconds] = await timed(GramMatrix.create(ntk(), this.train, work));
    this.spent("gram", seconds);
    this.gram = gram;
    return gram;
  }

  private async certificate(name: string, machine: Machine): Promise<Report> {
    const { progress, work } = this.session;
    const { samples, seed } = this.plan;
    progress.step(`${name}: certificates`, WEIGHTS.certify, "certifying");
    const report = await certify(machine, this.test, { ...work, samples, seed });
    this.spent("certificates", report.seconds);
    return report;
  }

  /** The bound asked for beside the paper's, and its attack. */
  private async beside(name: string, machine: Machine): Promise<Report | undefined> {
    const { progress, work } = this.session;
    const { method, attack, samples, seed } = this.plan;
    if (method === undefined) return undefined;
    progress.step(`${name}: ${method}`, WEIGHTS.beside, "certifying");
    const report = await certify(machine, this.test, { ...work, method, attack, samples, seed });
    this.spent(attack ? `${method} and attack` : method, report.seconds);
    return report;
  }

  async ridge(): Promise<void> {
    const { lambdas } = this.plan;
    if (lambdas.length === 0) return;
    const gram = await this.sharedGram();
    this.session.progress.step("ridge path", WEIGHTS.ridge, "conjugate gradients");
    const fit = krrPath({ kernel: ntk(), gram, lambdas }).fit(this.train, this.session.work);
    const [machines, training] = await timed(fit);
    this.spent("ridge path", training);
    for (const [k, machine] of machines.entries()) {
      const lambda = lambdas[k] ?? Number.NaN;
      const report = await this.certificate(`ridge, lambda ${lambda}`, machine);
      const tight = await this.beside(`ridge, lambda ${lambda}`, machine);
      this.into.rows.push({
        table: "table3",
        machine: "krr",
        lambda,
        samples: report.samples,
        accuracy: report.accuracy,
        radius: report.radius,
        paper: ridgeFigures(lambda),
        ...besideOf(this.plan, [tight]),
        seconds: training / machines.length + report.seconds + (tight?.seconds ?? 0),
      });
    }
  }

  async descent(): Promise<void> {
    const { descent, seeds: seedCount } = this.plan;
    if (descent.length === 0) return;
    const gram = await this.sharedGram();
    const seeds = Array.from({ length: seedCount }, (_, k) => k);
    this.session.progress.step("the paper's descent", WEIGHTS.descent * seedCount, "subgradient descent");
    const trainer = svmSgdSeeds({ kernel: ntk(), gram, seeds, ...paper.PAPER_DESCENT });
    const [machines, training] = await timed(trainer.fit(this.train, this.session.work));
    this.spent("descent", training);
    const reports: Report[] = [];
    const tight: (Report | undefined)[] = [];
    for (const [k, machine] of machines.entries()) {
      reports.push(await this.certificate(`descent, seed ${seeds[k]}`, machine));
      tight.push(await this.beside(`descent, seed ${seeds[k]}`, machine));
    }
    const beside = besideOf(this.plan, tight);
    const rows = descent.flatMap((table) => descentRows(table, reports, this.plan.samples, training));
    this.into.rows.push(...rows.map((row) => ({ ...row, ...beside })));
  }

  async exact(): Promise<void> {
    if (!this.plan.exact) return;
    this.session.progress.step("exact SVM", WEIGHTS.svm, "SVM");
    const fit = svm({ kernel: ntk(), c: paper.PAPER_SVM_C }).fit(this.train, this.session.work);
    const [machine, training] = await timed(fit);
    this.spent("exact SVM", training);
    const { samples, accuracy, radius, seconds } = await this.certificate("exact SVM", machine);
    const row = { table: "table3", machine: "svm", lambda: paper.PAPER_SVM_LAMBDA, samples, accuracy, radius } as const;
    this.into.rows.push({ ...row, paper: null, seconds: training + seconds });
  }

  dispose(): void {
    this.gram?.dispose();
  }
}

/** A row's entry for the bound beside the paper's, over all its machines. */
function besideOf({ method, attack }: Plan, reports: readonly (Report | undefined)[]): { readonly beside?: Beside } {
  const samples = reports.flatMap((report) => report?.perSample ?? []);
  if (method === undefined || samples.length === 0) return {};
  const figures = reportFigures(samples);
  return { beside: { method, radius: figures.radius, attack: attack === true ? (figures.attack ?? null) : null } };
}

function ridgeFigures(lambda: number): paper.PaperFigures | null {
  const row = paper.TABLE3_RIDGE.find((candidate) => candidate.lambda === lambda);
  return row === undefined ? null : { accuracy: row.accuracy, radius: row.radius };
}

/** The rows of one table; Table 2 also has its 100 images, where these are among the certified ones. */
function descentRows(table: Row["table"], reports: readonly Report[], samples: Samples, training: number): Row[] {
  const seconds = training + reports.reduce((sum, report) => sum + report.seconds, 0);
  const lists = reports.map(({ perSample }) => perSample);
  const row = (beside: paper.PaperFigures, own = lists) => descentRow(table, own, seconds, beside);
  if (table === "table3") return [row(paper.TABLE3_SVM)];
  const few = paper.TABLE2_FEW;
  const most = lists[0]?.length ?? 0;
  if (most === few) return [row(paper.TABLE2_SVM_100)];
  if (typeof samples === "object" || most < few) return [row(paper.TABLE2_SVM)];
  return [
    row(paper.TABLE2_SVM),
    row(
      paper.TABLE2_SVM_100,
      lists.map((list) => list.slice(0, few)),
    ),
  ];
}

/** Seeds count 0, 1, ... in the order of `lists`. */
function descentRow(
  table: Row["table"],
  lists: readonly (readonly Certificate[])[],
  seconds: number,
  beside: paper.PaperFigures,
): Row {
  const seeds = lists.map((list, seed) => ({ seed, ...figuresOf(list) }));
  return {
    table,
    machine: "svm-sgd",
    lambda: paper.PAPER_SVM_LAMBDA,
    samples: lists[0]?.length ?? 0,
    ...figuresOf(lists.flat()),
    paper: beside,
    seconds,
    seeds: seeds.map(({ seed, accuracy, radius }) => ({ seed, accuracy, radius: radius.mean })),
  };
}

function figuresOf(certificates: readonly Certificate[]): { readonly accuracy: number; readonly radius: Summary } {
  const { accuracy, radius } = reportFigures(certificates);
  return { accuracy, radius };
}

function weightOf({ lambdas, descent, seeds, exact, method }: Plan): number {
  const { gram, ridge, descent: one, svm: solve, certify: prove } = WEIGHTS;
  const proofs = prove + (method === undefined ? 0 : WEIGHTS.beside);
  const path = lambdas.length > 0 ? ridge + lambdas.length * proofs : 0;
  const runs = descent.length > 0 ? seeds * (one + proofs) : 0;
  return (path + runs > 0 ? gram : 0) + path + runs + (exact ? solve + prove : 0);
}

/**
 * Measures the rows of `plan` into `into.rows`, one after another: what is in there stays valid when this throws, as it
 * does when the session is interrupted.
 */
export async function measure(session: Session, plan: Plan, into: Experiment): Promise<void> {
  session.progress.plan(weightOf(plan));
  session.progress.step("MNIST", 0);
  const [{ train, test }, loading] = await timed(mnist({ digits: [0, 1], signal: session.signal }));
  into.seconds.loading = loading;
  Object.assign(into.metadata, {
    kernel: ntk(),
    method: "interval",
    norm: "linf",
    trainingRows: train.n,
    testRows: test.n,
    samples: plan.samples,
    seed: plan.seed,
    seeds: plan.seeds,
    beside: plan.method ?? null,
    attack: plan.attack === true,
    descent: paper.PAPER_DESCENT,
    trainingDataHash: await train.hash(),
    dataHash: await test.hash(),
    version: VERSION,
  });
  const run = new Run(session, plan, train, test, into);
  try {
    await run.ridge();
    await run.descent();
    await run.exact();
  } finally {
    run.dispose();
  }
}
