// What the demo shows, as functions over the SDK of plain data: a kernel by angle and depth, and its matrix on some
// digits. In the worker, and where the stored start of the demo is made. Not here: fetching digits (work.ts), drawing.
import {
  type Dataset,
  eigenvalues,
  GramMatrix,
  type Kernel,
  kernelProfile,
  nngp,
  ntk,
  ridgeCondition,
  type WorkOptions,
} from "../../sdk/index.js";
import {
  type Condition,
  type Depths,
  FOLLOWED,
  KINDS,
  type Kind,
  LAMBDAS,
  type Matrix,
  type Profile,
} from "./facts.js";

const make = (kind: Kind, depth: number): Kernel => (kind === "ntk" ? ntk({ depth }) : nngp({ depth }));

async function shares(kind: Kind, depth: number, cosines: ArrayLike<number>): Promise<Float64Array> {
  const kernel = make(kind, depth);
  const [own = 1] = await kernelProfile(kernel, [1]);
  return (await kernelProfile(kernel, cosines)).map((value) => value / own);
}

/** Cosines of evenly spaced angles: kernels bend most at the ends. */
const COSINES = Float64Array.from({ length: 121 }, (_, k) => Math.cos(Math.PI * (1 - k / 120)));

export async function profileOf(depth: number): Promise<Profile> {
  const [of, beside] = [await shares("ntk", depth, COSINES), await shares("nngp", depth, COSINES)];
  return { cosines: COSINES.slice(), ntk: of, nngp: beside };
}

const DEPTHS = [1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256];

export async function depthsOf(): Promise<Depths> {
  const over = async (kind: Kind, cosine: number) => {
    const found: number[] = [];
    for (const depth of DEPTHS) found.push((await shares(kind, depth, [cosine]))[0] ?? Number.NaN);
    return Float64Array.from(found);
  };
  const all = async (kind: Kind) => {
    const lists: Float64Array[] = [];
    for (const cosine of FOLLOWED) lists.push(await over(kind, cosine));
    return lists;
  };
  return { depths: DEPTHS, ntk: await all("ntk"), nngp: await all("nngp") };
}

/** The first count / 2 zeros of `digits` and as many ones. */
function chosen(digits: Dataset, count: number): Dataset {
  const of = (label: number) => Array.from(digits.y.keys()).filter((i) => digits.y[i] === label);
  return digits.subset([-1, 1].flatMap((label) => of(label).slice(0, count / 2)));
}

export async function matrixOf(
  all: Dataset,
  kind: Kind,
  depth: number,
  count: number,
  work: WorkOptions,
): Promise<Matrix> {
  const rows = chosen(all, count);
  const spectra: Partial<Record<Kind, Float64Array>> = {};
  let values = new Float64Array(0);
  for (const each of KINDS) {
    const gram = await GramMatrix.create(make(each, depth), rows, work);
    try {
      spectra[each] = await eigenvalues(gram, { signal: work.signal });
      if (each === kind) values = gram.toArray() as Float64Array<ArrayBuffer>;
    } finally {
      gram.dispose();
    }
  }
  const digits = Uint8Array.from(rows.y, (label) => (label < 0 ? 0 : 1));
  const none = new Float64Array(0);
  const plain = { n: rows.n, values, digits, pixels: Uint8Array.from(rows.x) };
  return { ...plain, ntk: spectra.ntk ?? none, nngp: spectra.nngp ?? none };
}

export function conditionOf({ ntk: ofNtk, nngp: ofNngp }: Pick<Matrix, Kind>): Condition {
  const of = (values: Float64Array) =>
    ridgeCondition({ largest: values[0] ?? 1, smallest: values.at(-1) ?? 1 }, LAMBDAS);
  return { lambdas: LAMBDAS, ntk: of(ofNtk), nngp: of(ofNngp) };
}
