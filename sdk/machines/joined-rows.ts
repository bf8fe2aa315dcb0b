// Machines that share rows: each row stands once in the joined list, with a coefficient for every machine. Not here: what
// the machines decide together (one-vs-rest.ts, one-vs-one.ts).
import type { RowSource } from "../kernels/rows.js";
import type { Machine } from "./machine.js";

/**
 * The rows of all machines and each machine's coefficients on them; equal rows of one machine are added up, unless all
 * machines share one list of rows already. @internal
 */
export function joinRows(
  machines: readonly Machine[],
  { d, scale, x: like }: RowSource,
): { readonly rows: RowSource; readonly alphas: Float64Array[] } {
  const [first] = machines;
  if (first !== undefined && machines.every((machine) => machine.rows.x === first.rows.x))
    return { rows: first.rows, alphas: machines.map(({ alpha }) => alpha) };
  const place = new Map<string, number>();
  const sources: { readonly machine: Machine; readonly row: number }[] = [];
  const lists = machines.map((machine) =>
    Array.from({ length: machine.rows.n }, (_, row) => {
      const key = keyOf(machine.rows, row);
      const known = place.get(key);
      if (known !== undefined) return known;
      place.set(key, sources.length);
      return sources.push({ machine, row }) - 1;
    }),
  );
  const n = sources.length;
  const x = like instanceof Uint8Array ? new Uint8Array(n * d) : new Float64Array(n * d);
  sources.forEach(({ machine, row }, k) => {
    x.set(machine.rows.x.subarray(row * d, row * d + d), k * d);
  });
  const alphas = machines.map(({ alpha }, c) => {
    const own = new Float64Array(n);
    lists[c]?.forEach((to, k) => {
      own[to] = (own[to] ?? 0) + (alpha[k] ?? 0);
    });
    return own;
  });
  return { rows: { n, d, x, scale }, alphas };
}

/** The rows with a coefficient and their coefficients; where no row has one, the first stays. @internal */
export function rowsOf(
  rows: RowSource,
  alpha: Float64Array,
): { readonly rows: RowSource; readonly alpha: Float64Array } {
  const support = Array.from(alpha.keys()).filter((i) => alpha[i] !== 0);
  const kept = support.length > 0 ? support : [0];
  return { rows: pickRows(rows, kept), alpha: Float64Array.from(kept, (i) => alpha[i] ?? 0) };
}

function pickRows({ d, x, scale }: RowSource, list: readonly number[]): RowSource {
  const own = x instanceof Uint8Array ? new Uint8Array(list.length * d) : new Float64Array(list.length * d);
  list.forEach((row, k) => {
    own.set(x.subarray(row * d, row * d + d), k * d);
  });
  return { n: list.length, d, x: own, scale };
}

/** The bytes of a row, as text. */
function keyOf({ x, d }: RowSource, row: number): string {
  const own = x.subarray(row * d, row * d + d);
  const bytes = new Uint8Array(own.buffer, own.byteOffset, own.byteLength);
  let key = "";
  for (let from = 0; from < bytes.length; from += 4096)
    key += String.fromCharCode(...bytes.subarray(from, Math.min(bytes.length, from + 4096)));
  return key;
}
