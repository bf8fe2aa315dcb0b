// Certified radii: for each input the largest ball found on which a bound proves that the machine's decision does not
// change. A radius returned was itself verified. Not here: the bounds (interval.ts) and reports (report.ts).
import {
  CERTIFICATE_BYTES,
  CERTIFICATE_DECISION,
  CERTIFICATE_EVALUATIONS,
  CERTIFICATE_MARGIN,
  CERTIFICATE_RADIUS,
  CERTIFICATE_TIMED_OUT,
  CERTIFY_STOP,
  INTERVAL_GROUP,
} from "../../assembly/layout.js";
import type { Dataset } from "../data/dataset.js";
import { checkSameColumns } from "../kernels/rows.js";
import { checkRows, type Machine } from "../machines/machine.js";
import { NetworkModel } from "../networks/model.js";
import type { Scope } from "../runtime/memory.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkNumber, checkObject, describe } from "../validate.js";
import { attackSamples } from "./attacks/attack.js";
import { type AttackChoices, attackOptions, besideAttack } from "./beside.js";
import { prepareNetworkJob } from "./ibp.js";
import { type Bracket, prepareJob } from "./machine-job.js";
import {
  type BoundKind,
  checkKind,
  checkMachine,
  checkMovable,
  checkRelaxed,
  defaultBracket,
  defaultTolerance,
  isTwoLayer,
  MACHINE_METHODS,
  type MachineMethod,
  METHODS,
  type Method,
  NETWORK_METHODS,
  type Reach,
  SOUNDNESS,
  type Soundness,
  type Threat,
} from "./method.js";
import { prepareRelaxedJob } from "./relaxed.js";
import { makeReport, type Report } from "./report.js";
import { chooseSamples, type Samples, type Shard } from "./samples.js";
import { readTouching, type Touching } from "./touching.js";

export interface CertifyOptions extends WorkOptions, Threat, Reach {
  /** Bound method. Default "interval" for machines, "ibp" for networks. */
  readonly method?: Method | undefined;
  /**
   * Radii searched: [low, high], 0 <= low < high. Default [0, 0.3], the paper's, for its own methods; [0, 1] for tighter
   * ones on l-inf balls, [0, sqrt(d)] on l2 and [0, d] on l1 balls.
   */
  readonly bracket?: readonly [number, number] | undefined;
  /** Relative width at which the search stops, in [1e-9, 0.5]. Default 1e-6, for "curvature" and "best" 1e-3. */
  readonly tolerance?: number | undefined;
  /**
   * Seconds that the search of one input may take, > 0: it then ends with the best radius verified so far, once the bound
   * under way is finished. Default: no limit. With one, radii may depend on the machine's speed.
   */
  readonly timeLimit?: number | undefined;
  /** Whether radii are proved in real arithmetic. Default "rigorous-f64", the only one for networks. */
  readonly soundness?: Soundness | undefined;
  /**
   * Also attack each input in the same ball and domain, and lay the nearest adversarial input found beside the certificate.
   * Default false; true is projected gradient descent as attack() does it by itself.
   */
  readonly attack?: boolean | AttackChoices | undefined;
  /** Which rows: "all", the first N, or N drawn with `seed`. Default "all". */
  readonly samples?: Samples | undefined;
  /** Seed of the draw, an integer >= 0. Default 0. */
  readonly seed?: number | undefined;
  /** Which part of these rows, where several computers share them: see mergeReports(). Default: all. */
  readonly shard?: Shard | undefined;
}

/** What is known of one input. */
export interface Certificate {
  /** Row of the data set. */
  readonly index: number;
  readonly label: number;
  /** Sign of g(x0), 0 when rounding leaves it open. */
  readonly prediction: -1 | 0 | 1;
  /** g(x0), rounded to nearest. */
  readonly decision: number;
  /** Verified radius; 0 when not even g(x0) itself has a proved sign. */
  readonly radius: number;
  /** Proved lower bound of |g| on that ball. */
  readonly margin: number;
  readonly correct: boolean;
  /** "certified", "misclassified" (the radius is then that of the wrong decision) or "abstained". */
  readonly verdict: "certified" | "misclassified" | "abstained";
  /** Present when the time limit ended the search: the radius is proved, but the bound may reach further. */
  readonly timedOut?: true;
  /** Present when a quadratic form proved the radius on an l-inf ball: where its parabolas touched, for checkCertificates(). */
  readonly touching?: Touching;
  /** Distance of the nearest adversarial input that an attack found, null when it found none; absent without an attack. */
  readonly attackRadius?: number | null;
  /** The adversarial input, d entries in data units, null when none was found; kept out of files. */
  readonly adversarial?: Float64Array | null;
  /** radius / attackRadius, null when no adversarial input was found; absent without an attack. 1 is exact. */
  readonly ratio?: number | null;
  /** Wall time of its slice of the work divided by the slice's inputs. */
  readonly seconds: number;
}

/** Inputs in one slice of work for each thread: results come out, and cancelling is prompt. */
const SLICE_PER_THREAD = 64;

/** The same of the method that takes up to seconds an input. */
const SLOW_PER_THREAD = 4;

function checkBracket(options: CertifyOptions, method: Method, d: number): Bracket {
  const given: unknown = options.bracket ?? defaultBracket(method, options.norm ?? "linf", d);
  if (!Array.isArray(given) || given.length !== 2)
    throw new TypeError(`bracket: expected [low, high], got ${describe(given)}`);
  const [low, high] = given;
  checkNumber("bracket[0]", low, { min: 0 });
  checkNumber("bracket[1]", high, { min: 0, open: true });
  if (!(low < high)) throw new RangeError(`bracket: expected low < high, got [${low}, ${high}]`);
  const tolerance = checkNumber("tolerance", options.tolerance ?? defaultTolerance(options.method), {
    min: 1e-9,
    max: 0.5,
  });
  const { timeLimit } = options;
  if (timeLimit !== undefined) checkNumber("timeLimit", timeLimit, { min: 0, open: true });
  return { low, high, tolerance, timeLimit };
}

/** The method that `asked` names, once it is sure that it holds for this model and data. @throws TypeError, RangeError */
export function checkMethod(machine: Machine | NetworkModel, data: Dataset, asked: Method | undefined): Method {
  const isNetwork = machine instanceof NetworkModel;
  if (!isNetwork) checkMachine("machine", machine);
  checkRows("data", data);
  if (data.task === "regression")
    throw new RangeError(
      "data: expected labels -1 and +1, got targets of a regression: certifyOutputs() bounds outputs",
    );
  const method = checkChoice("method", asked ?? (isNetwork ? "ibp" : "interval"), METHODS);
  const own: readonly Method[] = isNetwork ? NETWORK_METHODS : MACHINE_METHODS;
  if (!own.includes(method)) {
    const list = own.map((name) => `"${name}"`).join(", ");
    throw new RangeError(`method: expected one of ${list} for a ${isNetwork ? "network" : "machine"}, got "${method}"`);
  }
  if (isNetwork) checkRelaxed(method, machine.spec.widths);
  if (isNetwork) machine.checkInputs("data", data);
  else {
    checkSameColumns("data", machine.rows, data);
  }
  return method;
}

/** Certificates one after another, in the order of the rows, without an attack. */
async function* proveSamples(
  machine: Machine | NetworkModel,
  data: Dataset,
  options: CertifyOptions,
): AsyncGenerator<Certificate, void, undefined> {
  const method = checkMethod(machine, data, options.method);
  const movable = checkMovable(options, data);
  const kind =
    machine instanceof NetworkModel
      ? undefined
      : { ...checkKind(method as MachineMethod, machine.kernel, options), movable };
  if (kind === undefined && ((options.norm ?? "linf") !== "linf" || (options.domain ?? false) !== false))
    throw new RangeError(`norm: expected "linf" without a domain for a network, got "${options.norm ?? "linf"}"`);
  if (kind === undefined && movable < data.d)
    throw new RangeError(`movable: expected ${data.d}, all entries of a network's inputs, got ${movable}`);
  const soundness = checkChoice("soundness", options.soundness ?? "rigorous-f64", SOUNDNESS);
  if (kind === undefined && soundness !== "rigorous-f64")
    throw new RangeError(`soundness: expected "rigorous-f64" for a network, got "${soundness}"`);
  const bracket = checkBracket(options, method, data.d);
  const runtime = await runtimeOf(options);
  const indices = await chooseSamples(data.n, options.samples, options.seed, { runtime, shard: options.shard });
  if (indices.length === 0) return;
  const scope = runtime.scope();
  try {
    const chosen = data.subset(indices);
    const how = { runtime, signal: options.signal, soundness };
    const prepared = await prepare(scope, machine, chosen, bracket, kind ?? method, how);
    const { pointer, job, results, slice, touchingOf } = prepared;
    for (let from = 0; from < indices.length; from += slice) {
      const count = Math.min(slice, indices.length - from);
      const start = performance.now();
      await stoppable(runtime, pointer, options.signal, () => job(from, count));
      const seconds = (performance.now() - start) / 1000 / count;
      options.onProgress?.({ stage: "certifying", done: from + count, total: indices.length });
      const view = runtime.memory.view(results + from * CERTIFICATE_BYTES, count * CERTIFICATE_BYTES);
      const read = Array.from({ length: count }, (_, k) => readCertificate(view, k));
      for (const [k, own] of read.entries()) {
        const index = indices[from + k] ?? 0;
        const touching = own.radius > 0 ? touchingOf?.(from + k) : undefined;
        yield { ...judge(index, data.y[index] ?? 0, own, seconds), ...(touching && { touching }) };
      }
    }
  } finally {
    scope.release();
  }
}

/**
 * Certificates one after another, in the order of the rows. What has come out stays valid when the loop is left early.
 * @throws as certify()
 */
export async function* certifySamples(
  machine: Machine | NetworkModel,
  data: Dataset,
  options: CertifyOptions = {},
): AsyncGenerator<Certificate, void, undefined> {
  checkObject("options", options);
  const proved = proveSamples(machine, data, options);
  const { attack } = options;
  if (attack === undefined || attack === false) return yield* proved;
  if (checkMovable(options, data) < data.d)
    throw new RangeError(`attack: expected false where only ${options.movable} of ${data.d} entries may change`);
  yield* besideAttack(proved, attackSamples(machine, data, attackOptions(options)));
}

/** Does `work`, and ends the searches of its job when the signal fires, after the bounds under way. */
async function stoppable(
  { memory }: Runtime,
  pointer: number,
  signal: AbortSignal | undefined,
  work: () => Promise<void>,
): Promise<void> {
  const stop = () => memory.view(pointer, CERTIFY_STOP + 4).setInt32(CERTIFY_STOP, 1, true);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    await work();
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

interface Work {
  readonly pointer: number;
  /** Pointer to the results, CERTIFICATE_BYTES an input. */
  readonly results: number;
  /** Most inputs in one call of `job`. */
  readonly slice: number;
  /** Certifies inputs [from, from + count). */
  readonly job: (from: number, count: number) => Promise<void>;
  /** What the proof of an input was, of methods that keep it. */
  readonly touchingOf?: (k: number) => Touching | undefined;
}

interface Preparation {
  readonly runtime: Runtime;
  readonly signal: AbortSignal | undefined;
  readonly soundness: Soundness;
}

/** Uploads what the method reads. */
async function prepare(
  scope: Scope,
  machine: Machine | NetworkModel,
  chosen: Dataset,
  bracket: Bracket,
  method: Method | BoundKind,
  { runtime, signal, soundness }: Preparation,
): Promise<Work> {
  if (machine instanceof NetworkModel) {
    if (typeof method === "string" && checkRelaxed(method, machine.spec.widths)) {
      const { pointer, results } = await prepareRelaxedJob(runtime, scope, machine, chosen, bracket, method);
      const job = (from: number, count: number) =>
        runtime.run("certifyRelaxed", count, [pointer, from], { signal }, "certifying");
      return { pointer, results, slice: SLOW_PER_THREAD * Math.max(1, runtime.threads), job };
    }
    const offset = method === "ibp" ? "frozen" : "difference";
    const { pointer, run, results, slice } = await prepareNetworkJob(
      runtime,
      scope,
      machine,
      chosen,
      bracket,
      offset,
      true,
    );
    const job = (from: number, count: number) => run("certifyNetwork", from, count, [], { signal });
    return { pointer, results, slice, job };
  }
  if (typeof method === "string") throw new TypeError(`method: expected a bound of machines, got "${method}"`);
  const prepared = await prepareJob(runtime, scope, machine, chosen, bracket, method, soundness);
  const { pointer, results, inputs, touching } = prepared;
  const grouped = method.method === "interval" && isTwoLayer(machine.kernel);
  const job = (from: number, count: number) =>
    grouped
      ? runtime.run("certifyIntervals", Math.ceil(count / INTERVAL_GROUP), [pointer, from, from + count], { signal })
      : runtime.run("certifyMachine", count, [pointer, from], { signal }, "certifying");
  const perThread = method.method === "curvature" ? SLOW_PER_THREAD : SLICE_PER_THREAD;
  const touchingOf = (k: number) =>
    touching && readTouching(runtime.memory, touching.pointer + k * touching.bytes, inputs);
  return { pointer, results, slice: perThread * Math.max(1, runtime.threads), job, touchingOf };
}

interface Raw {
  readonly decision: number;
  readonly radius: number;
  readonly margin: number;
  readonly evaluations: number;
  readonly timedOut: boolean;
}

function readCertificate(view: DataView, k: number): Raw {
  const at = (field: number) => view.getFloat64(k * CERTIFICATE_BYTES + field, true);
  return {
    decision: at(CERTIFICATE_DECISION),
    radius: at(CERTIFICATE_RADIUS),
    margin: at(CERTIFICATE_MARGIN),
    evaluations: at(CERTIFICATE_EVALUATIONS),
    timedOut: at(CERTIFICATE_TIMED_OUT) !== 0,
  };
}

function judge(
  index: number,
  label: number,
  { decision, radius, margin, timedOut }: Raw,
  seconds: number,
): Certificate {
  const proved = radius >= 0;
  const prediction = (proved ? Math.sign(decision) : 0) as -1 | 0 | 1;
  const correct = prediction === label;
  const verdict = !proved ? "abstained" : correct ? "certified" : "misclassified";
  return {
    index,
    label,
    prediction,
    decision,
    radius: proved ? radius : 0,
    margin,
    correct,
    verdict,
    ...(timedOut ? { timedOut } : {}),
    seconds,
  };
}

/** Starts on a network's hash, which the report holds, so that it is there when the threads are done. */
function hashBeside(machine: Machine | NetworkModel): void {
  if (!(machine instanceof NetworkModel)) return;
  // Later than the first work given to the threads; the report meets what goes wrong.
  setTimeout(() => machine.hash().catch(() => {}), 0);
}

/**
 * Certified l-infinity radii of a machine's decisions on (some of) a data set, and what they amount to.
 * @throws TypeError, RangeError (kernels without a certificate, other columns, an empty bracket), the signal's reason;
 *   SoundnessError when an attack succeeds inside a certified radius
 */
export async function certify(
  machine: Machine | NetworkModel,
  data: Dataset,
  options: CertifyOptions = {},
): Promise<Report> {
  const start = performance.now();
  const certificates: Certificate[] = [];
  hashBeside(machine);
  for await (const certificate of certifySamples(machine, data, options)) certificates.push(certificate);
  const seconds = (performance.now() - start) / 1000;
  return makeReport(machine, data, certificates, options, seconds);
}
