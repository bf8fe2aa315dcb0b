// The 128 handwritten digits that two demos share: 64 zeros and ones of MNIST's training set and 64 of its test set, exact
// bytes, in data/digits.npz (written by precompute-digits.mjs). For workers. Not here: what is done with them.
import { type Dataset, dataset, type NpyArray, readNpz } from "../../sdk/index.js";

/** Label -1 is the digit 0, +1 the digit 1. */
export interface Digits {
  readonly train: Dataset;
  readonly test: Dataset;
}

let loaded: Promise<Digits> | undefined;

function bytesOf(arrays: ReadonlyMap<string, NpyArray>, name: string): Uint8Array {
  const data = arrays.get(name)?.data;
  if (!(data instanceof Uint8Array)) throw new Error(`digits.npz: no bytes called ${name}`);
  return data;
}

function setOf(arrays: ReadonlyMap<string, NpyArray>, split: string): Dataset {
  const digits = bytesOf(arrays, `y_${split}`);
  const x = bytesOf(arrays, `x_${split}`);
  const y = Float64Array.from(digits, (digit) => (digit === 0 ? -1 : 1));
  return dataset({ x, y, shape: [y.length, x.length / y.length], name: `MNIST 0/1, ${y.length} of ${split}` });
}

async function load(): Promise<Digits> {
  const url = new URL("../data/digits.npz", import.meta.url);
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url.pathname}: ${answer.status} ${answer.statusText}`);
  const arrays = readNpz(new Uint8Array(await answer.arrayBuffer()));
  return { train: setOf(arrays, "train"), test: setOf(arrays, "test") };
}

/** The digits, fetched once. */
export function loadDigits(): Promise<Digits> {
  loaded ??= load().catch((error: unknown) => {
    // The next call tries again.
    loaded = undefined;
    throw error;
  });
  return loaded;
}
