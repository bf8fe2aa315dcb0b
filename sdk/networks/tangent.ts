// The empirical tangent kernel of a finite network, Theta(w; x, x') = <df(x)/dw, df(x')/dw> over all raw weights
// (Section 3.3 of the paper): computed from each layer's activations and backpropagated signals, so nothing of the size
// of the weights exists for any row. Not here: the sums (assembly/network/tangent.ts) and the kernel of infinite width
// (kernels/kernel.ts).
import { MemoryBudgetError } from "../errors.js";
import { type CrossGram, crossGram } from "../kernels/gram.js";
import { ntk } from "../kernels/kernel.js";
import type { RowSource } from "../kernels/rows.js";
import { checkRows } from "../machines/machine.js";
import type { Scope } from "../runtime/memory.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkWeights } from "./layers.js";
import { fanIns, layerScales, type NetworkSpec, type NetworkWeights } from "./network.js";

/** Rows whose signals are held at once, on either side. */
const TILE_ROWS = 128;

/** Neurons of one chunk (assembly/network/tangent.ts). */
const LANES = 16;

/** A network in linear memory, weights in the plain order. */
interface Loaded {
  readonly fans: readonly number[];
  readonly scales: readonly number[];
  readonly widths: readonly number[];
  readonly hidden: readonly number[];
  readonly output: number;
}

/** Pointers to a tile's activations a_0 ... a_L and signals b_1 ... b_L. */
interface Signals {
  readonly rows: number;
  readonly values: readonly number[];
  readonly errors: readonly number[];
}

/** Bytes that tangentKernel() takes in the core, before anything is allocated. */
export function estimateTangentBytes(spec: NetworkSpec, inputs: number, left: number, right: number): number {
  const fans = fanIns(spec, inputs);
  const weights = spec.widths.reduce((sum, width, l) => sum + (fans[l] ?? 0) * width * 4, 0);
  const row = (inputs + 2 * spec.widths.reduce((sum, width) => sum + width, 0)) * 8;
  const [rows, others] = [Math.min(TILE_ROWS, left), Math.min(TILE_ROWS, right)];
  return weights + (rows + others) * row + rows * others * 8;
}

function load(runtime: Runtime, scope: Scope, spec: NetworkSpec, inputs: number, weights: NetworkWeights): Loaded {
  const upload = (values: Float32Array) => {
    const pointer = scope.allocate(values.byteLength, "the weights of a network");
    new Float32Array(runtime.memory.memory.buffer, pointer, values.length).set(values);
    return pointer;
  };
  return {
    fans: fanIns(spec, inputs),
    scales: layerScales(spec, inputs),
    widths: spec.widths,
    hidden: weights.hidden.map(upload),
    output: upload(weights.output),
  };
}

/** Activations and signals of rows [from, end) of `data`. */
async function signalsOf(
  runtime: Runtime,
  scope: Scope,
  { fans, scales, widths, hidden, output }: Loaded,
  data: RowSource,
  from: number,
  signal: AbortSignal | undefined,
): Promise<Signals> {
  const { d, scale } = data;
  const rows = Math.min(TILE_ROWS, data.n - from);
  const values = [scope.allocate(rows * d * 8, "rows")];
  const inputs = runtime.memory.f64(values[0] ?? 0, rows * d);
  for (let k = 0; k < inputs.length; k++) inputs[k] = (data.x[from * d + k] ?? 0) * scale;
  for (const [l, width] of widths.entries()) {
    const to = scope.allocate(rows * width * 8, "activations of a network");
    const args = [hidden[l] ?? 0, fans[l] ?? 0, width, scales[l] ?? 1, rows, values[l] ?? 0, to];
    await runtime.run("tangentForward", Math.ceil(width / LANES), args, { signal });
    values.push(to);
  }
  const errors = widths.map((width) => scope.allocate(rows * width * 8, "signals of a network"));
  const last = widths.length;
  const top = [output, widths.at(-1) ?? 1, scales[last] ?? 1, values[last] ?? 0, errors[last - 1] ?? 0];
  await runtime.run("tangentLast", rows, top, { signal });
  for (let l = last - 1; l > 0; l--) {
    const [fan, width] = [fans[l] ?? 0, widths[l] ?? 0];
    const pointers = [errors[l] ?? 0, values[l] ?? 0, errors[l - 1] ?? 0];
    const args = [hidden[l] ?? 0, fan, width, scales[l] ?? 1, rows, ...pointers];
    await runtime.run("tangentBackward", Math.ceil(fan / LANES), args, { signal });
  }
  return { rows, values, errors };
}

/** The kernel between two tiles, row-major. */
async function tile(
  runtime: Runtime,
  { fans, scales, widths }: Loaded,
  left: Signals,
  right: Signals,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const scope = runtime.scope();
  try {
    const out = scope.f64(left.rows * right.rows);
    for (let l = 0; l <= widths.length; l++) {
      const before = [fans[l] ?? 0, left.values[l] ?? 0, right.values[l] ?? 0];
      const after = [widths[l] ?? 0, left.errors[l] ?? 0, right.errors[l] ?? 0];
      const args = [...before, ...after, (scales[l] ?? 1) ** 2, right.rows, out];
      await runtime.run("tangentShare", left.rows, args, { signal });
    }
    return runtime.memory.f64(out, left.rows * right.rows).slice();
  } finally {
    scope.release();
  }
}

/** Writes a tile into the matrix, and its transpose where the matrix is symmetric. */
function place(to: CrossGram, part: Float64Array, i: number, j: number, columns: number, symmetric: boolean): void {
  part.forEach((value, k) => {
    const row = i + Math.floor(k / columns);
    const column = j + (k % columns);
    to.values[row * to.columns + column] = value;
    if (symmetric) to.values[column * to.columns + row] = value;
  });
}

/**
 * Theta(w; left_i, right_j) for all rows of two sets, over the raw weights of either parameterisation; float64 sums.
 * The same object on both sides costs half and gives an exactly symmetric matrix.
 * @throws TypeError, RangeError for rows and weights that do not fit, MemoryBudgetError, the signal's reason
 */
export async function tangentKernel(
  spec: NetworkSpec,
  weights: NetworkWeights,
  left: RowSource,
  right: RowSource,
  options: WorkOptions = {},
): Promise<CrossGram> {
  checkRows("left", left);
  checkRows("right", right);
  if (left.d !== right.d) throw new RangeError(`right: expected ${left.d} columns, got ${right.d}`);
  checkWeights(spec, left.d, weights);
  const runtime = await runtimeOf(options);
  const needed = runtime.memory.bytesInUse + estimateTangentBytes(spec, left.d, left.n, right.n);
  if (needed > runtime.memory.budget)
    throw new MemoryBudgetError(needed, runtime.memory.budget, `the tangent kernel of widths ${spec.widths}`);
  const { signal, onProgress } = options;
  const symmetric = left === right;
  const gram = { rows: left.n, columns: right.n, values: new Float64Array(left.n * right.n) };
  const scope = runtime.scope();
  try {
    const loaded = load(runtime, scope, spec, left.d, weights);
    for (let i = 0; i < left.n; i += TILE_ROWS) {
      onProgress?.({ stage: "tangent kernel", done: i, total: left.n });
      const own = runtime.scope();
      try {
        const rows = await signalsOf(runtime, own, loaded, left, i, signal);
        for (let j = symmetric ? i : 0; j < right.n; j += TILE_ROWS) {
          const other = runtime.scope();
          try {
            const same = symmetric && i === j;
            const columns = same ? rows : await signalsOf(runtime, other, loaded, right, j, signal);
            place(gram, await tile(runtime, loaded, rows, columns, signal), i, j, columns.rows, symmetric);
          } finally {
            other.release();
          }
        }
      } finally {
        own.release();
      }
    }
    onProgress?.({ stage: "tangent kernel", done: left.n, total: left.n });
    return gram;
  } finally {
    scope.release();
  }
}

/**
 * ||now - start||_F / ||start||_F: how far a kernel has drifted from where it started.
 * @throws RangeError when the shapes differ or `start` is zero
 */
export function kernelDrift(start: CrossGram, now: CrossGram): number {
  if (start.rows !== now.rows || start.columns !== now.columns)
    throw new RangeError(`now: expected ${start.rows} x ${start.columns} values, got ${now.rows} x ${now.columns}`);
  let moved = 0;
  let size = 0;
  start.values.forEach((value, k) => {
    moved += ((now.values[k] ?? 0) - value) ** 2;
    size += value ** 2;
  });
  if (!(size > 0)) throw new RangeError("start: expected a kernel that is not zero everywhere");
  return Math.sqrt(moved / size);
}

/**
 * ||empirical - analytic||_F / ||analytic||_F: distance of an empirical tangent kernel from that of infinite width,
 * ntk() of the same depth. NTK parameterisation only: over LeCun's raw weights the kernel grows with the width.
 * @throws RangeError for the LeCun parameterisation, and as crossGram()
 */
export async function distanceToNtk(
  spec: NetworkSpec,
  empirical: CrossGram,
  left: RowSource,
  right: RowSource,
  options: WorkOptions = {},
): Promise<number> {
  if (spec.parameterization !== "ntk")
    throw new RangeError(`spec.parameterization: expected "ntk", got "${spec.parameterization}"`);
  return kernelDrift(await crossGram(ntk({ depth: spec.widths.length }), left, right, options), empirical);
}
