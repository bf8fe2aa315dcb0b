// The WGSL kernels of one training step. Every buffer of activations is row-major, [row of the batch][neuron], with
// widths padded to 4, so that a thread reads 4 neurons at a time and its neighbours the next 4; weights are [input][neuron]
// likewise. Sums run in an order fixed by the shapes, without atomics, so the same device gives the same bits each time.
// Threads keep a small tile of results in registers; none waits for another except in `partials` and `judge`.
// Not here: pipelines and bind groups (kernels.ts) and the order of the dispatches (pass.ts).
import type { Loss } from "../training.js";

/** Rows of the batch that one thread of `forward` handles; batches are padded to this. */
export const FORWARD_ROWS = 16;
/** Inputs that one thread of `update` handles. */
export const UPDATE_INPUTS = 16;
/** Rows that one thread of `backward` handles. */
export const BACKWARD_ROWS = 8;
/** Threads of a workgroup along neurons (4 neurons each) and along rows or inputs. */
export const TILE_X = 32;
export const TILE_Y = 4;
/** Neurons summed by one workgroup of `partials`. */
export const PARTIAL_NEURONS = 2048;
const PARTIAL_LANES = 64;
const JUDGE_LANES = 256;

/** Bytes of the uniform record of a step; records lie STEP_BYTES apart. */
export const STEP_BYTES = 256;

/** What changes from step to step. */
const STEP = /* wgsl */ `
struct Step {
  rows: u32,       // rows of the batch
  columns: u32,    // columns of the data that are not zero in all of them
  columns4: u32,   // the same padded, in fours
  orderAt: u32,    // place in lists of the batch's row numbers
  columnsAt: u32,  // place in lists of the column numbers
  index: u32,      // place of the step's report
  share: f32,      // 1 / rows
  outAt: u32,      // place of the first output
}
@group(0) @binding(0) var<uniform> step: Step;
`;

/** What is fixed for one dispatch: the shapes and factors of a shard of a layer. */
const PART = /* wgsl */ `
struct Part {
  inputs4: u32,    // inputs of this part of the layer, in fours
  width4: u32,     // neurons of this shard, in fours
  inputAt: u32,    // first row of the weights
  first: u32,      // 1 where this part starts a sum, 0 where it adds to one
  last: u32,       // 1 where it ends the sum
  scale: f32,      // factor at the end of the sum
  rate: f32,       // learning rate times the factor of the gradient
  decay: f32,      // learning rate times lambda s^2, for the output layer
  tileAt: u32,     // first tile of the shard in partials
  zero: u32,       // 0, which no compiler knows
}
@group(0) @binding(1) var<uniform> part: Part;
`;

/** What the judge finds out about a step; `state.stopped` is 1 + the step that was not taken. */
const STATE = /* wgsl */ `
struct State { stopped: u32, pushing: u32, }
struct Active { row: u32, slope: f32, }
`;

const times = (count: number, line: (k: number) => string) =>
  Array.from({ length: count }, (_, k) => line(k)).join("\n");
const LETTERS = ["x", "y", "z", "w"];

/** Rows of the batch, the columns that matter in it: batch[i][c] = data[order[i]][columns[c]]. */
export function gatherShader(eightBit: boolean): string {
  const read = eightBit
    ? `return table[(data[row * pitch + (column >> 2u)] >> ((column & 3u) * 8u)) & 255u];`
    : `return bitcast<f32>(data[row * pitch + column]);`;
  return /* wgsl */ `${STEP}
@group(0) @binding(1) var<uniform> pitchOf: vec4u;
@group(0) @binding(2) var<storage, read> lists: array<u32>;
@group(0) @binding(3) var<storage, read> data: array<u32>;
@group(0) @binding(4) var<storage, read> table: array<f32>;
@group(0) @binding(5) var<storage, read_write> batch: array<vec4f>;
fn entry(row: u32, c: u32) -> f32 {
  if (c >= step.columns) { return 0.0; }
  let pitch = pitchOf.x;
  let column = lists[step.columnsAt + c];
  ${read}
}
@compute @workgroup_size(${TILE_X}, ${TILE_Y})
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= step.columns4 || id.y >= step.rows) { return; }
  let row = lists[step.orderAt + id.y];
  let c = id.x * 4u;
  batch[id.y * step.columns4 + id.x] = vec4f(entry(row, c), entry(row, c + 1u), entry(row, c + 2u), entry(row, c + 3u));
}`;
}

/** Where a layer's inputs lie: the first layer reads the gathered columns, later ones all neurons before them. */
function inputsOf(first: boolean): string {
  return first
    ? /* wgsl */ `
fn inputs4() -> u32 { return step.columns4; }
fn weightRow(c: u32) -> u32 { return lists[step.columnsAt + c]; }
fn isInput(c: u32) -> bool { return c < step.columns; }`
    : /* wgsl */ `
fn inputs4() -> u32 { return part.inputs4; }
fn weightRow(c: u32) -> u32 { return part.inputAt + c; }
fn isInput(c: u32) -> bool { return true; }`;
}

/** h = relu(s sum_k a_k W_k), 16 rows and 4 neurons a thread. Padding columns have a = 0, so any weight will do. */
export function forwardShader(first: boolean): string {
  return /* wgsl */ `${STEP}${PART}
@group(0) @binding(2) var<storage, read> lists: array<u32>;
@group(0) @binding(3) var<storage, read> inputs: array<vec4f>;
@group(0) @binding(4) var<storage, read> weights: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> values: array<vec4f>;
${inputsOf(first)}
// NaN is not <= 0, so it reaches the outputs and is seen there.
fn finish(at: u32, sum: vec4f) {
  var value = sum;
  if (part.first == 0u) { value += values[at]; }
  if (part.last == 1u) { value = select(part.scale * value, vec4f(), value <= vec4f()); }
  values[at] = value;
}
@compute @workgroup_size(${TILE_X}, ${TILE_Y})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let j = id.x;
  let row = id.y * ${FORWARD_ROWS}u;
  if (j >= part.width4 || row >= step.rows) { return; }
  let count = inputs4();
  ${times(FORWARD_ROWS, (r) => `var sum${r} = vec4f();`)}
  for (var c = 0u; c < count; c++) {
    let w0 = weights[weightRow(c * 4u) * part.width4 + j];
    let w1 = weights[weightRow(c * 4u + 1u) * part.width4 + j];
    let w2 = weights[weightRow(c * 4u + 2u) * part.width4 + j];
    let w3 = weights[weightRow(c * 4u + 3u) * part.width4 + j];
    var at = row * count + c;
    ${times(FORWARD_ROWS, (r) => `let a${r} = inputs[at]; at += count; sum${r} += a${r}.x * w0 + a${r}.y * w1 + a${r}.z * w2 + a${r}.w * w3;`)}
  }
  ${times(FORWARD_ROWS, (r) => `finish((row + ${r}u) * part.width4 + j, sum${r});`)}
}`;
}

/** Shares of the outputs: sum_j w_j h_ij over a tile of neurons; row number `rows` is sum_j w_j^2. */
export function partialsShader(): string {
  const tile4 = PARTIAL_NEURONS / 4;
  return /* wgsl */ `${STEP}${PART}
@group(0) @binding(2) var<storage, read> values: array<vec4f>;
@group(0) @binding(3) var<storage, read> output: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> partials: array<f32>;
var<workgroup> lanes: array<f32, ${PARTIAL_LANES}>;
@compute @workgroup_size(${PARTIAL_LANES})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let start = group.x * ${tile4}u;
  let end = min(part.width4, start + ${tile4}u);
  for (var row = group.y; row <= step.rows; row += groups.y) {
    var sum = 0.0;
    for (var j = start + lane; j < end; j += ${PARTIAL_LANES}u) {
      let w = output[j];
      if (row == step.rows) { sum += dot(w, w); } else { sum += dot(w, values[row * part.width4 + j]); }
    }
    lanes[lane] = sum;
    for (var half = ${PARTIAL_LANES / 2}u; half > 0u; half >>= 1u) {
      workgroupBarrier();
      if (lane < half) { lanes[lane] += lanes[lane + half]; }
    }
    if (lane == 0u) { partials[(part.tileAt + group.x) * (step.rows + 1u) + row] = lanes[0]; }
    workgroupBarrier();
  }
}`;
}

const TILE_SUM = /* wgsl */ `
struct Totals { tiles: u32, scale: f32, epsilon: f32, }
@group(0) @binding(1) var<uniform> totals: Totals;
fn total(row: u32) -> f32 {
  var sum = 0.0;
  for (var tile = 0u; tile < totals.tiles; tile++) { sum += partials[tile * (step.rows + 1u) + row]; }
  return sum;
}
`;

/** f of the rows of a batch, for evaluation. */
export function collectShader(): string {
  return /* wgsl */ `${STEP}
@group(0) @binding(2) var<storage, read> partials: array<f32>;
@group(0) @binding(3) var<storage, read_write> outputs: array<f32>;
${TILE_SUM}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < step.rows) { outputs[step.outAt + id.x] = totals.scale * total(id.x); }
}`;
}

/** l and l' of assembly/math/loss.ts, in float32. */
const LOSS_CODE: Readonly<Record<Loss, string>> = {
  hinge: `let room = 1.0 - y * z; return vec2f(max(0.0, room), select(0.0, -y, room > 0.0));`,
  "squared-hinge": `let room = max(0.0, 1.0 - y * z); return vec2f(room * room, -2.0 * y * room);`,
  "epsilon-insensitive": `let room = abs(y - z) - totals.epsilon;
    return vec2f(max(0.0, room), select(0.0, sign(z - y), room > 0.0));`,
  squared: `return vec2f((y - z) * (y - z), 2.0 * (z - y));`,
  // log1p by its series where the plain logarithm would lose its digits.
  logistic: `let m = y * z; let e = exp(-abs(m));
    let series = e * (1.0 - e * (0.5 - e * (1.0 / 3.0 - e * (0.25 - e * (0.2 - e * (1.0 / 6.0 - e / 7.0))))));
    let rest = select(log(1.0 + e), series, e < 0.125);
    return vec2f(max(0.0, -m) + rest, -y * select(1.0, e, m > 0.0) / (1.0 + e));`,
};

/**
 * One workgroup: outputs, losses and slopes of the batch, the list of rows that push, and the step's report. Lane k
 * takes the k-th stretch of rows, so the list keeps their order. A step with a value that is not finite is not taken.
 */
export function judgeShader(loss: Loss): string {
  const tree = /* wgsl */ `
  for (var half = ${JUDGE_LANES / 2}u; half > 0u; half >>= 1u) {
    workgroupBarrier();
    if (lane < half) { losses[lane] += losses[lane + half]; broken[lane] |= broken[lane + half]; }
  }
  workgroupBarrier();`;
  return /* wgsl */ `${STEP}${STATE}
@group(0) @binding(2) var<storage, read> lists: array<u32>;
@group(0) @binding(3) var<storage, read> partials: array<f32>;
@group(0) @binding(4) var<storage, read> targets: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> slopes: array<f32>;
@group(0) @binding(6) var<storage, read_write> pushing: array<Active>;
@group(0) @binding(7) var<storage, read_write> state: State;
@group(0) @binding(8) var<storage, read_write> reports: array<vec2f>;
${TILE_SUM}
var<workgroup> losses: array<f32, ${JUDGE_LANES}>;
var<workgroup> broken: array<u32, ${JUDGE_LANES}>;
var<workgroup> counts: array<u32, ${JUDGE_LANES}>;
// By bits: compilers may assume that comparisons never see NaN.
fn isBroken(value: f32) -> u32 { return u32((bitcast<u32>(value) & 0x7f800000u) == 0x7f800000u); }
fn lossOf(z: f32, y: f32) -> vec2f { ${LOSS_CODE[loss]} }
@compute @workgroup_size(${JUDGE_LANES})
fn main(@builtin(local_invocation_index) lane: u32) {
  let stretch = (step.rows + ${JUDGE_LANES - 1}u) / ${JUDGE_LANES}u;
  let start = min(step.rows, lane * stretch);
  let end = min(step.rows, start + stretch);
  var sum = 0.0;
  var count = 0u;
  var bad = 0u;
  for (var i = start; i < end; i++) {
    let aim = targets[lists[step.orderAt + i]];
    let z = totals.scale * total(i) - aim.y;
    let found = lossOf(z, aim.x);
    sum += found.x;
    slopes[i] = found.y * step.share;
    bad |= isBroken(z) | isBroken(found.x) | isBroken(found.y);
    count += u32(found.y != 0.0);
  }
  let square = total(step.rows);
  losses[lane] = sum;
  counts[lane] = count;
  broken[lane] = bad | isBroken(square);
  ${tree}
  var at = 0u;
  for (var k = 0u; k < lane; k++) { at += counts[k]; }
  for (var i = start; i < end; i++) {
    if (slopes[i] != 0.0) {
      pushing[at] = Active(i, slopes[i]);
      at++;
    }
  }
  if (lane == ${JUDGE_LANES - 1}u) { state.pushing = at; }
  if (lane == 0u) {
    reports[step.index] = vec2f(losses[0] * step.share, 0.5 * totals.scale * totals.scale * square);
    if (state.stopped == 0u && broken[0] != 0u) { state.stopped = step.index + 1u; }
  }
}`;
}

/**
 * Errors by scaled pre-activation, for the a-th row that pushes: the last hidden layer's come from its values, slope
 * and output weights (without the factor s of the output), the others' lie in a buffer of their own.
 */
function errorsOf(last: boolean): string {
  return last
    ? /* wgsl */ `
@group(0) @binding(4) var<storage, read> values: array<vec4f>;
@group(0) @binding(5) var<storage, read> output: array<vec4f>;
fn mask(a: u32, j: u32) -> vec4f {
  return select(vec4f(), vec4f(pushing[a].slope), values[pushing[a].row * part.width4 + j] > vec4f());
}
fn fullError(a: u32, j: u32) -> vec4f { return mask(a, j) * output[j]; }
fn error(a: u32, j: u32) -> vec4f { return mask(a, j); }
fn shareOf(j: u32) -> vec4f { return output[j]; }`
    : /* wgsl */ `
@group(0) @binding(4) var<storage, read> values: array<vec4f>;
@group(0) @binding(5) var<storage, read> output: array<vec4f>;
fn fullError(a: u32, j: u32) -> vec4f { return values[a * part.width4 + j]; }
fn error(a: u32, j: u32) -> vec4f { return values[a * part.width4 + j]; }
fn shareOf(j: u32) -> vec4f { return vec4f(1.0); }`;
}

/**
 * Four weights move by `change`. With a carry, what float32 rounds away of the sum is kept there and joins the next
 * change (Kahan's compensated sum, as in assembly/network/block.ts). Compilers may reorder sums, which would leave a
 * carry of 0, so its parts pass through integers on the way.
 */
function moveCode(target: string, carried: boolean, binding: number): string {
  if (!carried) return /* wgsl */ `fn moveBy(at: u32, change: vec4f) { ${target}[at] += change; }`;
  return /* wgsl */ `
@group(0) @binding(${binding}) var<storage, read_write> carry: array<vec4f>;
fn settled(value: vec4f) -> vec4f { return bitcast<vec4f>(bitcast<vec4u>(value) ^ vec4u(part.zero)); }
fn moveBy(at: u32, change: vec4f) {
  let before = ${target}[at];
  let whole = settled(change + carry[at]);
  let after = settled(before + whole);
  carry[at] = whole - settled(after - before);
  ${target}[at] = after;
}`;
}

/** W_kj -= rate sum_a a_k error_j over the rows that push: no gradient is stored. 16 inputs and 4 neurons a thread. */
export function updateShader(first: boolean, last: boolean, carried: boolean): string {
  return /* wgsl */ `${STEP}${PART}${STATE}
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> pushing: array<Active>;
${errorsOf(last)}
@group(0) @binding(6) var<storage, read> lists: array<u32>;
@group(0) @binding(7) var<storage, read> inputs: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> weights: array<vec4f>;
${inputsOf(first)}
${moveCode("weights", carried, 9)}
fn apply(c: u32, j: u32, change: vec4f) {
  if (isInput(c)) { moveBy(weightRow(c) * part.width4 + j, -change); }
}
@compute @workgroup_size(${TILE_X}, ${TILE_Y})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let j = id.x;
  let c = id.y * ${UPDATE_INPUTS / 4}u;
  let pitch = inputs4();
  let rows = state.pushing;
  if (j >= part.width4 || c >= pitch || rows == 0u || state.stopped != 0u) { return; }
  ${times(UPDATE_INPUTS, (k) => `var sum${k} = vec4f();`)}
  for (var a = 0u; a < rows; a++) {
    let push = error(a, j);
    let at = pushing[a].row * pitch + c;
    ${times(UPDATE_INPUTS / 4, (q) => `let a${q} = inputs[at + ${q}u];`)}
    ${times(UPDATE_INPUTS, (k) => `sum${k} += a${k >> 2}.${LETTERS[k & 3]} * push;`)}
  }
  let factor = part.rate * shareOf(j);
  ${times(UPDATE_INPUTS, (k) => `if (c + ${k >> 2}u < pitch) { apply(c * 4u + ${k}u, j, factor * sum${k}); }`)}
}`;
}

/** Errors of the layer before: [value > 0] s sum_j error_j W_kj, 8 rows and 4 neurons k a thread. */
export function backwardShader(last: boolean): string {
  return /* wgsl */ `${STEP}${PART}${STATE}
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> pushing: array<Active>;
${errorsOf(last)}
@group(0) @binding(6) var<storage, read> weights: array<vec4f>;
@group(0) @binding(7) var<storage, read> before: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> errors: array<vec4f>;
fn finish(a: u32, k: u32, sum: vec4f) {
  if (a >= state.pushing) { return; }
  let at = a * part.inputs4 + k;
  var value = sum;
  if (part.first == 0u) { value += errors[at]; }
  if (part.last == 1u) {
    value = select(vec4f(), part.scale * value, before[pushing[a].row * part.inputs4 + k] > vec4f());
  }
  errors[at] = value;
}
@compute @workgroup_size(${TILE_X}, ${TILE_Y})
fn main(@builtin(global_invocation_id) id: vec3u) {
  let k = id.x;
  let a = id.y * ${BACKWARD_ROWS}u;
  if (k >= part.inputs4 || a >= state.pushing || state.stopped != 0u) { return; }
  let end = state.pushing - 1u;
  ${times(BACKWARD_ROWS, (r) => `var sum${r} = vec4f(); let a${r} = min(a + ${r}u, end);`)}
  let start = (part.inputAt + k * 4u) * part.width4;
  for (var j = 0u; j < part.width4; j++) {
    let w0 = weights[start + j];
    let w1 = weights[start + part.width4 + j];
    let w2 = weights[start + 2u * part.width4 + j];
    let w3 = weights[start + 3u * part.width4 + j];
    ${times(BACKWARD_ROWS, (r) => `let e${r} = fullError(a${r}, j); sum${r} += vec4f(dot(e${r}, w0), dot(e${r}, w1), dot(e${r}, w2), dot(e${r}, w3));`)}
  }
  ${times(BACKWARD_ROWS, (r) => `finish(a + ${r}u, k, sum${r});`)}
}`;
}

/** w_j -= eta (lambda s^2 w_j + s sum_a slope_a h_aj); after everything that reads the old w. */
export function outputShader(carried: boolean): string {
  return /* wgsl */ `${STEP}${PART}${STATE}
@group(0) @binding(2) var<storage, read> state: State;
@group(0) @binding(3) var<storage, read> pushing: array<Active>;
@group(0) @binding(4) var<storage, read> values: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4f>;
${moveCode("output", carried, 6)}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let j = id.x;
  if (j >= part.width4 || state.stopped != 0u) { return; }
  var sum = vec4f();
  for (var a = 0u; a < state.pushing; a++) { sum += pushing[a].slope * values[pushing[a].row * part.width4 + j]; }
  moveBy(j, -(part.decay * output[j] + part.rate * sum));
}`;
}
