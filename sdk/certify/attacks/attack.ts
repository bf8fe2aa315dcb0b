// Attacks: for each input the nearest one found at which the model decides otherwise, by FGSM or by projected gradient
// descent with a search for the smallest radius. An adversarial input counts only once its output's sign is proved at
// exactly that float64 point. Not here: the search (assembly/attack/), proofs (verify.ts), figures (report.ts).
import {
  ATTACK_BYTES,
  ATTACK_DOMAIN,
  ATTACK_FGSM,
  ATTACK_INDICES,
  ATTACK_LIMIT,
  ATTACK_MARGIN,
  ATTACK_METHOD,
  ATTACK_MOMENTUM,
  ATTACK_NORM,
  ATTACK_PGD,
  ATTACK_RESULTS,
  ATTACK_SCHEDULE,
  ATTACK_SEED,
  ATTACK_STEP,
  ATTACK_STEPS,
  ATTACK_TOLERANCE,
  ATTACKED_BYTES,
  ATTACKED_EVALUATIONS,
  ATTACKED_FAILED,
  ATTACKED_RADIUS,
  SCHEDULE_CONSTANT,
  SCHEDULE_HALVING,
  SCHEDULE_LINEAR,
} from "../../../assembly/layout.js";
import type { Dataset } from "../../data/dataset.js";
import { checkSameColumns } from "../../kernels/rows.js";
import { checkRows, type Machine } from "../../machines/machine.js";
import { NetworkModel } from "../../networks/model.js";
import type { Scope } from "../../runtime/memory.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject, describe } from "../../validate.js";
import type { CertifyOptions } from "../certify.js";
import type { NetworkOffset } from "../ibp.js";
import { type Bounds, checkMachine, NORMS, type Norm, type Threat } from "../method.js";
import { chooseSamples, type Shard } from "../samples.js";
import { type AttackJob, prepareAttack, readPoint } from "./job.js";
import { type AttackReport, makeAttackReport } from "./report.js";
import { distanceAbove, Evaluator, isProvable, NORM_CODES } from "./verify.js";

export const ATTACK_METHODS = ["pgd", "fgsm"] as const;
export type AttackMethod = (typeof ATTACK_METHODS)[number];

export const SCHEDULES = ["halving", "linear", "constant"] as const;
/** How steps shrink within a radius: halved six times, in proportion to what is left, or not at all. */
export type Schedule = (typeof SCHEDULES)[number];

export interface AttackOptions extends WorkOptions, Threat {
  /** "pgd": linearised steps, then projected gradient descent from several starts; "fgsm": one step. Default "pgd". */
  readonly method?: AttackMethod | undefined;
  /** Which rows: "all", the first N, or N drawn with `seed`. Default "all". */
  readonly samples?: CertifyOptions["samples"];
  /** Seed of starting points, and of drawn samples; an integer >= 0. Default 0. */
  readonly seed?: number | undefined;
  /** Which part of these rows, where several computers share them. Default: all. */
  readonly shard?: Shard | undefined;
  /** Starting points at each radius, 2 to 64, rounded up to an even number. Default 4. */
  readonly restarts?: number | undefined;
  /** Most steps at each radius, 1 to 10,000. Default 40. */
  readonly steps?: number | undefined;
  /** First step as a share of the radius, > 0 and <= 2. Default 0.25. */
  readonly step?: number | undefined;
  /** How steps shrink. Default "halving". */
  readonly schedule?: Schedule | undefined;
  /** Share of the earlier directions kept in each step, in [0, 1). Default 0.75. */
  readonly momentum?: number | undefined;
  /** Relative width of the bracket (failed, radius) at which the search ends, in [1e-9, 0.5]. Default 0.01. */
  readonly tolerance?: number | undefined;
  /** Largest radius tried, > 0 and <= 1e12. Default 1e6, or what the image domain allows. */
  readonly limit?: number | undefined;
  /** Of centred networks: f_0 kept at the clean input, as in the paper's certificate, or subtracted at x. Default "frozen". */
  readonly offset?: NetworkOffset | undefined;
}

/** What was found for one input. */
export interface AttackedSample {
  /** Row of the data set. */
  readonly index: number;
  readonly label: number;
  /** Sign of the output at the clean input, 0 when rounding leaves it open: then nothing is attacked. */
  readonly prediction: -1 | 0 | 1;
  /** Output at the clean input: the middle of its proved ends. */
  readonly decision: number;
  /** Distance of the adversarial input from the clean one, rounded up; null when none was found. */
  readonly radius: number | null;
  /** Largest smaller radius that was tried in vain. It proves nothing. */
  readonly failed: number;
  /** The adversarial input, d entries in data units; null when none was found. */
  readonly adversarial: Float64Array | null;
  /** Ends of the output there: proved, or an estimate twice. */
  readonly output: { readonly lower: number; readonly upper: number } | null;
  /** Whether signs were proved in real arithmetic ("rigorous") or only computed (deep kernels). */
  readonly evaluation: "rigorous" | "estimate";
  readonly correct: boolean;
  /** "misclassified": the radius is then that of leaving the wrong decision. "withstood": nothing found up to `limit`. */
  readonly verdict: "attacked" | "withstood" | "misclassified" | "abstained";
  /** Outputs and gradients computed. */
  readonly evaluations: number;
  /** Wall time of its slice of the work divided by the slice's inputs. */
  readonly seconds: number;
}

/** Options with every choice made. */
export interface AttackPlan {
  readonly method: AttackMethod;
  readonly norm: Norm;
  readonly domain: boolean;
  readonly seed: number;
  readonly restarts: number;
  readonly steps: number;
  readonly step: number;
  readonly schedule: Schedule;
  readonly momentum: number;
  readonly tolerance: number;
  readonly limit: number;
  readonly offset: NetworkOffset;
}

/** No machine needs more: norms of rows stay below it by far. */
const LARGEST_RADIUS = 1e6;

function farthest(norm: Norm, d: number): number {
  return norm === "linf" ? 1 : norm === "l2" ? Math.sqrt(d) : d;
}

/** The choices that options leave open, made. @throws TypeError, RangeError */
export function checkAttack(options: AttackOptions, d: number): AttackPlan {
  checkObject("options", options);
  const norm = checkChoice("norm", options.norm ?? "linf", NORMS);
  const domain: unknown = options.domain ?? false;
  if (typeof domain !== "boolean") throw new TypeError(`domain: expected true or false, got ${describe(domain)}`);
  const restarts = checkNumber("restarts", options.restarts ?? 4, { min: 2, max: 64, integer: true });
  const limit = checkNumber("limit", options.limit ?? LARGEST_RADIUS, { min: 0, open: true, max: 1e12 });
  return {
    method: checkChoice("method", options.method ?? "pgd", ATTACK_METHODS),
    norm,
    domain,
    seed: checkNumber("seed", options.seed ?? 0, { min: 0, integer: true }),
    restarts: 2 * Math.ceil(restarts / 2),
    steps: checkNumber("steps", options.steps ?? 40, { min: 1, max: 10_000, integer: true }),
    step: checkNumber("step", options.step ?? 0.25, { min: 0, open: true, max: 2 }),
    schedule: checkChoice("schedule", options.schedule ?? "halving", SCHEDULES),
    momentum: checkNumber("momentum", options.momentum ?? 0.75, { min: 0, max: 1 - 2 ** -20 }),
    tolerance: checkNumber("tolerance", options.tolerance ?? 0.01, { min: 1e-9, max: 0.5 }),
    limit: domain ? Math.min(limit, farthest(norm, d)) : limit,
    offset: checkChoice("offset", options.offset ?? "frozen", ["frozen", "difference"]),
  };
}

function checkInputs(model: Machine | NetworkModel, data: Dataset, domain: boolean): void {
  const isNetwork = model instanceof NetworkModel;
  if (!isNetwork) checkMachine("machine", model);
  checkRows("data", data);
  if (isNetwork) model.checkInputs("data", data);
  else checkSameColumns("data", model.rows, data);
  if (!domain) return;
  const { x, scale } = data;
  const outside = x.findIndex((entry) => !(entry * scale >= 0 && entry * scale <= 1));
  if (outside >= 0)
    throw new RangeError(
      `domain: expected entries in [0, 1], got ${(x[outside] ?? 0) * scale} in row ${Math.floor(outside / data.d)}`,
    );
}

/** Inputs in one slice of work for each thread: results come out, and cancelling is prompt. */
const SLICE_PER_THREAD = 4;

/**
 * How far beyond 0 the output must be, as a share of the sum of its absolute terms: what the evaluator can prove. The
 * first holds nearly always; where a proof fails the input is attacked again with the next.
 */
const MARGINS = [1e-11, 1e-8, 1e-5] as const;

const METHOD_CODES: Readonly<Record<AttackMethod, number>> = { pgd: ATTACK_PGD, fgsm: ATTACK_FGSM };
const SCHEDULE_CODES: Readonly<Record<Schedule, number>> = {
  constant: SCHEDULE_CONSTANT,
  linear: SCHEDULE_LINEAR,
  halving: SCHEDULE_HALVING,
};

function writePlan(scope: Scope, { pointer }: AttackJob, plan: AttackPlan, indices: Int32Array): number {
  const results = scope.allocate(indices.length * ATTACKED_BYTES);
  const rows = scope.i32(indices.length, indices);
  const view = scope.memory.view(pointer, ATTACK_BYTES);
  view.setUint32(ATTACK_RESULTS, results, true);
  view.setUint32(ATTACK_INDICES, rows, true);
  view.setInt32(ATTACK_NORM, NORM_CODES[plan.norm], true);
  view.setInt32(ATTACK_DOMAIN, plan.domain ? 1 : 0, true);
  view.setInt32(ATTACK_METHOD, METHOD_CODES[plan.method], true);
  view.setInt32(ATTACK_SCHEDULE, SCHEDULE_CODES[plan.schedule], true);
  view.setInt32(ATTACK_STEPS, plan.steps, true);
  view.setBigUint64(ATTACK_SEED, BigInt(plan.seed), true);
  view.setFloat64(ATTACK_STEP, plan.step, true);
  view.setFloat64(ATTACK_MOMENTUM, plan.momentum, true);
  view.setFloat64(ATTACK_TOLERANCE, plan.tolerance, true);
  view.setFloat64(ATTACK_LIMIT, plan.limit, true);
  return results;
}

/** One attack under way: what it works on and with. */
class Attack {
  constructor(
    private readonly runtime: Runtime,
    private readonly signal: AbortSignal | undefined,
    private readonly job: AttackJob,
    private readonly results: number,
    private readonly evaluator: Evaluator,
    private readonly chosen: Dataset,
    private readonly plan: AttackPlan,
  ) {}

  private setMargin(margin: number): void {
    this.runtime.memory.view(this.job.pointer, ATTACK_BYTES).setFloat64(ATTACK_MARGIN, margin, true);
  }

  private field(index: number, field: number): number {
    return this.runtime.memory.view(this.results + index * ATTACKED_BYTES, ATTACKED_BYTES).getFloat64(field, true);
  }

  /** Attacks inputs [from, from + count), again with a wider margin where the proof fails. */
  async slice(from: number, count: number): Promise<Found[]> {
    const { runtime, signal, chosen, plan } = this;
    const work = { signal };
    this.setMargin(MARGINS[0]);
    await runtime.run("attackInput", count, [this.job.pointer, from], work, "attacking");
    const indices = Int32Array.from({ length: count }, (_, k) => from + k);
    const clean = await this.evaluator.clean(chosen.subset(indices));
    const found = Array.from(indices, (index, k) => this.read(index, endsAt(clean, k)));
    let open = found.filter(({ radius, prediction }) => radius !== null && prediction !== 0);
    for (const margin of [...MARGINS.slice(1), 0]) {
      await this.prove(open);
      open = open.filter(({ output, prediction }) => output === null || -signOf(output) !== prediction);
      if (open.length === 0 || margin === 0) break;
      this.setMargin(margin);
      for (const own of open) {
        await runtime.run("attackInput", 1, [this.job.pointer, own.index], work, "attacking");
        Object.assign(own, this.read(own.index, own.clean));
      }
      open = open.filter(({ radius }) => radius !== null);
    }
    // What could not be proved does not count.
    for (const own of open) Object.assign(own, { radius: null, adversarial: null, output: null });
    for (const own of found)
      if (own.adversarial !== null && own.prediction !== 0)
        own.radius = distanceAbove(runtime, own.adversarial, chosen, own.index, plan.norm);
    return found;
  }

  private read(index: number, clean: Ends): Found {
    const prediction = signOf(clean);
    const radius = this.field(index, ATTACKED_RADIUS);
    const hit = prediction !== 0 && radius < Number.POSITIVE_INFINITY;
    return {
      index,
      clean,
      prediction,
      decision: 0.5 * (clean.lower + clean.upper),
      radius: hit ? radius : null,
      failed: this.field(index, ATTACKED_FAILED),
      adversarial: hit ? readPoint(this.runtime, this.job, this.job.found, index) : null,
      output: null,
      evaluations: this.field(index, ATTACKED_EVALUATIONS),
    };
  }

  /** Fills in the outputs. */
  private async prove(open: readonly Found[]): Promise<void> {
    if (open.length === 0) return;
    const { d } = this.chosen;
    const points = new Float64Array(open.length * d);
    open.forEach(({ adversarial }, k) => {
      points.set(adversarial ?? [], k * d);
    });
    const clean = this.chosen.subset(open.map(({ index }) => index));
    const { lower, upper } = await this.evaluator.at(points, clean);
    open.forEach((own, k) => {
      own.output = endsAt({ lower, upper }, k);
    });
  }
}

interface Ends {
  readonly lower: number;
  readonly upper: number;
}

interface Found {
  readonly index: number;
  /** Output at the clean input. */
  readonly clean: Ends;
  readonly prediction: -1 | 0 | 1;
  readonly decision: number;
  radius: number | null;
  readonly failed: number;
  readonly adversarial: Float64Array | null;
  output: Ends | null;
  readonly evaluations: number;
}

function endsAt({ lower, upper }: Bounds, k: number): Ends {
  return { lower: lower[k] ?? Number.NaN, upper: upper[k] ?? Number.NaN };
}

function signOf({ lower, upper }: Ends): -1 | 0 | 1 {
  return lower > 0 ? 1 : upper < 0 ? -1 : 0;
}

/**
 * Attacked inputs one after another, in the order of the rows.
 * @throws TypeError, RangeError (other columns, entries outside the domain), MemoryBudgetError, the signal's reason
 */
export async function* attackSamples(
  model: Machine | NetworkModel,
  data: Dataset,
  options: AttackOptions = {},
): AsyncGenerator<AttackedSample, void, undefined> {
  checkObject("options", options);
  checkInputs(model, data, options.domain === true);
  const plan = checkAttack(options, data.d);
  const runtime = await runtimeOf(options);
  const indices = await chooseSamples(data.n, options.samples, options.seed, { runtime, shard: options.shard });
  if (indices.length === 0) return;
  const evaluation = isProvable(model) ? "rigorous" : "estimate";
  const scope = runtime.scope();
  try {
    const chosen = data.subset(indices);
    const slice = Math.min(indices.length, SLICE_PER_THREAD * Math.max(1, runtime.threads));
    const { restarts: lanes, offset } = plan;
    const job = await prepareAttack(runtime, scope, model, chosen, { lanes, inFlight: slice, offset });
    const results = writePlan(scope, job, plan, indices);
    const evaluator = new Evaluator(model, offset, runtime);
    const attack = new Attack(runtime, options.signal, job, results, evaluator, chosen, plan);
    for (let from = 0; from < indices.length; from += slice) {
      const count = Math.min(slice, indices.length - from);
      const start = performance.now();
      const found = await attack.slice(from, count);
      const seconds = (performance.now() - start) / 1000 / count;
      options.onProgress?.({ stage: "attacking", done: from + count, total: indices.length });
      for (const { clean, ...own } of found) {
        const index = indices[own.index] ?? 0;
        const label = data.y[index] ?? 0;
        yield { ...own, index, label, evaluation, ...judge(own, label), seconds };
      }
    }
  } finally {
    scope.release();
  }
}

function judge(
  { prediction, radius }: Pick<Found, "prediction" | "radius">,
  label: number,
): Pick<AttackedSample, "correct" | "verdict"> {
  const correct = prediction === label;
  if (prediction === 0) return { correct, verdict: "abstained" };
  if (!correct) return { correct, verdict: "misclassified" };
  return { correct, verdict: radius === null ? "withstood" : "attacked" };
}

/**
 * Attacks a model's decisions on (some of) a data set: adversarial inputs, how far they are, and what they amount to.
 * A certified radius can never exceed the radius of a rigorous attack in the same norm and domain.
 * @throws as attackSamples()
 */
export async function attack(
  model: Machine | NetworkModel,
  data: Dataset,
  options: AttackOptions = {},
): Promise<AttackReport> {
  const start = performance.now();
  const samples: AttackedSample[] = [];
  for await (const sample of attackSamples(model, data, options)) samples.push(sample);
  return makeAttackReport(model, data, samples, options, (performance.now() - start) / 1000);
}
