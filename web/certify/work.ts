// What the demo computes, in its worker: one picture at a time against one machine, all of it by the SDK. Not here: the
// page's side (ntkit-certify.ts).
import {
  attackPath,
  type Bounds,
  type Certificate,
  certify,
  certifySamples,
  conformalPValue,
  type Dataset,
  dataset,
  defaultRuntime,
  inkOf,
  loadModel,
  Machine,
  machineBounds,
  mnistDigit,
  nestedBounds,
  Runtime,
  readNpz,
  reportToJson,
  setDefaultRuntime,
  similarity,
  VERSION,
  writeNpz,
} from "../../sdk/index.js";
import type { Call } from "../shared/worker.js";

/** One picture: 784 pixels of 8 bits, and its label; a drawing has the machine's own answer for a label. */
export interface Subject {
  readonly pixels: Uint8Array;
  readonly label: -1 | 1;
  /** Only perturbations that stay images: pixels in [0, 1]. */
  readonly domain: boolean;
}

/** What rows count as typical, and how like them the images of a test set are. */
interface Typical {
  readonly rows: Dataset;
  readonly scores: Float64Array;
}

let current: Promise<Machine> | undefined;
let typical: Promise<Typical> | undefined;
/** Whether the machine is the page's own, of digits 0 and 1: only for those it is known what is typical. */
let own = true;

async function fetchBytes(name: string): Promise<Uint8Array> {
  const answer = await fetch(new URL(`../data/${name}`, import.meta.url));
  if (!answer.ok) throw new Error(`${name}: the server answered ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** Two threads are what the curves can use; a page may have more demos than one. */
async function prepare(): Promise<void> {
  setDefaultRuntime(await Runtime.create({ threads: Math.min(2, navigator.hardwareConcurrency ?? 1) }));
}

let prepared: Promise<void> | undefined;

async function machine(): Promise<Machine> {
  prepared ??= prepare();
  await prepared;
  current ??= fetchBytes("svm.safetensors").then((bytes) => Machine.load(bytes));
  return current;
}

async function typicalOf(): Promise<Typical> {
  typical ??= fetchBytes("typical.npz").then((bytes) => {
    const arrays = readNpz(bytes);
    const [x, scores] = [arrays.get("x"), arrays.get("scores")];
    if (!(x?.data instanceof Uint8Array) || !(scores?.data instanceof Float64Array))
      throw new Error("typical.npz: expected x (8-bit) and scores (float64)");
    const n = x.data.length / 784;
    return {
      rows: dataset({ x: x.data, y: new Float64Array(n).fill(1), shape: [n, 784] }),
      scores: scores.data,
    };
  });
  return typical;
}

export interface ModelNews {
  readonly description: string;
  readonly dataName: string;
  readonly rows: number;
  readonly version: string;
}

async function news(): Promise<ModelNews> {
  const found = await machine();
  return { description: found.describe(), dataName: found.dataName, rows: found.rows.n, version: VERSION };
}

/** The page's own machine. */
export async function loadOwn(): Promise<ModelNews> {
  if (!own) {
    own = true;
    current = undefined;
  }
  return news();
}

/** The machine in a file that the user chose. @throws FormatError, RangeError that says what this page can show */
export async function loadFile({ bytes }: { bytes: Uint8Array }): Promise<ModelNews> {
  await machine();
  const found = loadModel(bytes);
  if (!(found instanceof Machine))
    throw new RangeError("this file holds a finite network: here only kernel machines can be shown");
  const { rows, kernel } = found;
  if (!(rows.x instanceof Uint8Array) || rows.d !== 784 || rows.scale !== 1 / 255)
    throw new RangeError(`this machine takes ${rows.d} columns: here it has to take 28 x 28 pixels of 8 bits`);
  if (kernel.kind !== "ntk" || kernel.depth !== 1 || kernel.biasVariance !== 0 || kernel.activation !== undefined)
    throw new RangeError("this machine has another kernel: tight certificates are for the NTK of one hidden layer");
  current = Promise.resolve(found);
  own = false;
  return news();
}

/** Bytes of the machine, to be saved. */
export async function modelFile(): Promise<Uint8Array> {
  return (await machine()).save();
}

/** A picture of a canvas in MNIST's form; empty where it shows no ink. */
export async function digitOf(args: { rgba: Uint8ClampedArray; width: number; height: number }): Promise<Uint8Array> {
  const picture = inkOf(args.rgba, args.width, args.height);
  return picture.pixels.every((value) => value === 0) ? new Uint8Array(0) : mnistDigit(picture);
}

const dataOf = ({ pixels, label }: Pick<Subject, "pixels" | "label">, name = "picture") =>
  dataset({ x: pixels, y: [label], shape: [1, 784], name });

export interface Judgement {
  readonly decision: number;
  readonly prediction: -1 | 0 | 1;
  /** The paper's certificate. */
  readonly intervalRadius: number;
  /** Likeness to the nearest training image and how rare so little is; null for a machine of other digits. */
  readonly likeness: { readonly similarity: number; readonly pValue: number } | null;
}

async function onlyOne(certificates: AsyncGenerator<Certificate>): Promise<Certificate> {
  const { value } = await certificates.next();
  await certificates.return(undefined);
  return value as Certificate;
}

/** The decision, the paper's certificate and whether the picture looks like a digit at all: milliseconds. */
export async function judge({ pixels }: { pixels: Uint8Array }, { signal }: Call): Promise<Judgement> {
  const found = await machine();
  const data = dataOf({ pixels, label: 1 });
  const { decision, prediction, radius } = await onlyOne(certifySamples(found, data, { signal }));
  let likeness: Judgement["likeness"] = null;
  if (own) {
    const { rows, scores } = await typicalOf();
    const [score = 0] = await similarity(found.kernel, data, rows, { signal });
    likeness = { similarity: score, pValue: conformalPValue(score, scores) };
  }
  return { decision, prediction, intervalRadius: radius, likeness };
}

export interface Proof {
  readonly prediction: -1 | 0 | 1;
  readonly decision: number;
  readonly radius: number;
  readonly attackRadius: number | null;
  /** The adversarial input in data units; null when none was found. */
  readonly adversarial: Float64Array | null;
  /** The report as ntkit certify writes it. */
  readonly json: string;
}

/** Ours: the tight certificate and the attack beside it, some tenths of a second. */
export async function prove({ name, ...subject }: Subject & { name: string }, { signal }: Call): Promise<Proof> {
  // As loadDataset() names the file's only split.
  const data = dataOf(subject, `${name}.npz train`);
  const domain = subject.domain ? true : undefined;
  const report = await certify(await machine(), data, { method: "best", attack: true, domain, signal });
  const { prediction, decision, radius, attackRadius, adversarial } = report.perSample[0]!;
  return {
    prediction,
    decision,
    radius,
    attackRadius: attackRadius ?? null,
    adversarial: adversarial ?? null,
    json: reportToJson(report),
  };
}

export interface Ball {
  readonly epsilon: number;
  /** Proved ends of the output on the ball, by our bound. */
  readonly lower: number;
  readonly upper: number;
  /** By the paper's, which knows no image domain. */
  readonly intervalLower: number;
  readonly intervalUpper: number;
  /** The worst image found, 784 values, and the ends of the output there; null when there is no attack. */
  readonly worst: Float64Array | null;
  readonly worstOutput: number;
}

/** Everything known of the ball of one radius. */
export async function ball(
  { epsilon, adversarial, ...subject }: Subject & { epsilon: number; adversarial: Float64Array | null },
  { signal }: Call,
): Promise<Ball> {
  const found = await machine();
  const data = dataOf(subject);
  const { domain } = subject;
  const best = await machineBounds(found, data, epsilon, { method: "best", domain, signal });
  const interval = await machineBounds(found, data, epsilon, { method: "interval", signal });
  const path = adversarial === null ? null : await attackPath(found, data, adversarial, [epsilon], { domain, signal });
  return {
    epsilon,
    lower: best.lower[0]!,
    upper: best.upper[0]!,
    intervalLower: interval.lower[0]!,
    intervalUpper: interval.upper[0]!,
    worst: path?.points ?? null,
    worstOutput: path === null ? Number.NaN : (path.lower[0]! + path.upper[0]!) / 2,
  };
}

export interface Curves {
  readonly epsilons: readonly number[];
  readonly best: { readonly lower: readonly number[]; readonly upper: readonly number[] };
  readonly interval: { readonly lower: readonly number[]; readonly upper: readonly number[] };
  /** Outputs on the way to the adversarial input; null when there is none. */
  readonly path: readonly number[] | null;
}

const plain = ({ lower, upper }: Bounds) => ({ lower: [...lower], upper: [...upper] });

/** Bounds on balls of growing radius. */
export async function curves(
  { epsilons, adversarial, ...subject }: Subject & { epsilons: readonly number[]; adversarial: Float64Array | null },
  { signal, onProgress }: Call,
): Promise<Curves> {
  const found = await machine();
  const data = dataOf(subject);
  const many = data.subset(epsilons.map(() => 0));
  const interval = await machineBounds(found, many, [...epsilons], { method: "interval", signal });
  const best: { lower: number[]; upper: number[] } = { lower: [], upper: [] };
  const { domain } = subject;
  const path =
    adversarial === null ? null : await attackPath(found, data, adversarial, [...epsilons], { domain, signal });
  const { threads } = await defaultRuntime();
  const slice = Math.max(1, threads);
  for (let from = 0; from < epsilons.length; from += slice) {
    onProgress({ stage: "Bounding larger and larger balls", done: from, total: epsilons.length });
    const some = epsilons.slice(from, from + slice);
    const rows = data.subset(some.map(() => 0));
    const bounds = await machineBounds(found, rows, some, { method: "best", domain, signal });
    best.lower.push(...bounds.lower);
    best.upper.push(...bounds.upper);
  }
  return {
    epsilons,
    best: plain(nestedBounds({ lower: Float64Array.from(best.lower), upper: Float64Array.from(best.upper) })),
    interval: plain(interval),
    path: path === null ? null : Array.from(path.lower, (value, k) => (value + path.upper[k]!) / 2),
  };
}

/** The picture as a file that ntkit reads: x [1, 784] of 8 bits, y [1]. */
export async function pictureFile({ pixels, label }: Pick<Subject, "pixels" | "label">): Promise<Uint8Array> {
  return writeNpz({ x: { data: pixels, shape: [1, 784] }, y: { data: Int8Array.of(label), shape: [1] } });
}
