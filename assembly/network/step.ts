// (Sub)gradient steps of a fully connected ReLU network, any number of hidden layers, on several threads at once.
// Blocks of neurons are shared out among participants; every number is computed by one of them in an order fixed by
// the network alone, so the number of threads never changes a bit. Not here: the way forward and back through the
// layers (forward.ts, backward.ts), the losses (math/loss.ts), the order of rows (the SDK).
import {
  LAYER_BLOCKS,
  NET_BATCH,
  NET_CENTRE,
  NET_EPSILON,
  NET_LABELS,
  NET_LAYERS,
  NET_LOSS,
  NET_ORDER,
  NET_OUTPUT_SCALE,
  NET_PARTIALS,
  NET_PARTICIPANTS,
  NET_REPORTS,
  NET_STEP_STARTS,
  NET_STOPPED,
} from "../layout";
import { lossSlope, lossValue } from "../math/loss";
import { field, floatField, pointerField } from "../memory";
import { backward, backwardLone } from "./backward";
import { meet } from "./barrier";
import { forward, forwardLastBlock, outputOf, partialBytes } from "./forward";
import { listPushing, slopesOf } from "./lists";
import { firstBlock, layerAt } from "./rows";

/** Rows of step `step`: where they start in NET_ORDER. */
// @ts-ignore: decorator
@inline
function stepStart(net: usize, step: i32): i32 {
  return load<i32>(pointerField(net, NET_STEP_STARTS) + (<usize>step << 2));
}

/** Shares of the outputs of step `step`: two buffers in turn, since a participant may be a step ahead of another. */
// @ts-ignore: decorator
@inline
function partialsOf(net: usize, step: i32): usize {
  return pointerField(net, NET_PARTIALS) + <usize>(step & 1) * partialBytes(net);
}

/**
 * Runs steps [0, steps) of the call as participant `chunk`. A step whose outputs are not finite is not taken:
 * NET_STOPPED says which, and the weights are those before it.
 */
export function networkSteps(chunk: i32, net: usize, steps: i32): void {
  const lone = field(net, NET_LAYERS) == 1;
  for (let step = 0; step < steps; ++step) {
    const from = stepStart(net, step);
    const rows = stepStart(net, step + 1) - from;
    const order = pointerField(net, NET_ORDER) + (<usize>from << 2);
    const partials = partialsOf(net, step);
    if (!lone || step == 0) forward(net, chunk, order, rows, partials);
    if (!judge(net, chunk, step, order, rows, partials)) return;
    if (lone) turn(net, chunk, step, order, rows, step + 1 < steps);
    else backward(net, chunk, order, rows);
    meet(net);
  }
}

/** A lone hidden layer goes back through `step` and forward through the next, block by block while it is in cache. */
function turn(net: usize, who: i32, step: i32, order: usize, rows: i32, goesOn: bool): void {
  const pushing = listPushing(net, who, order, rows);
  const blocks = field(layerAt(net, 0), LAYER_BLOCKS);
  const participants = field(net, NET_PARTICIPANTS);
  const start = firstBlock(blocks, who, participants);
  const end = firstBlock(blocks, who + 1, participants);
  const next = goesOn ? stepStart(net, step + 1) : 0;
  const nextRows = goesOn ? stepStart(net, step + 2) - next : 0;
  const nextOrder = pointerField(net, NET_ORDER) + (<usize>next << 2);
  for (let block = start; block < end; ++block) {
    backwardLone(net, who, block, pushing, block == start);
    if (goesOn) forwardLastBlock(net, 0, block, nextOrder, nextRows, partialsOf(net, step + 1));
  }
}

/** Outputs f(x) of the rows of steps [0, steps), in the order of NET_ORDER, to out; participant `chunk`. */
export function networkOutputs(chunk: i32, net: usize, steps: i32, out: usize): void {
  for (let step = 0; step < steps; ++step) {
    const from = stepStart(net, step);
    const rows = stepStart(net, step + 1) - from;
    const partials = partialsOf(net, step);
    forward(net, chunk, pointerField(net, NET_ORDER) + (<usize>from << 2), rows, partials);
    if (chunk == 0) for (let r = 0; r < rows; ++r) store<f64>(out + (<usize>(from + r) << 3), outputOf(net, partials, r));
  }
}

/** Outputs and slopes of the step, the same on every participant; false when an output is not finite. */
function judge(net: usize, who: i32, step: i32, order: usize, rows: i32, partials: usize): bool {
  const last = layerAt(net, field(net, NET_LAYERS) - 1);
  const blocks = field(last, LAYER_BLOCKS);
  const batch = field(net, NET_BATCH);
  const pitch = <usize>(batch + 1) << 3;
  const slopes = slopesOf(net, who);
  const scale = floatField(net, NET_OUTPUT_SCALE);
  const kind = field(net, NET_LOSS);
  const epsilon = floatField(net, NET_EPSILON);
  let loss: f64 = 0;
  let finite = true;
  for (let r = 0; r < rows; ++r) {
    const row = <usize>load<i32>(order + (<usize>r << 2)) << 3;
    const z = outputOf(net, partials, r) - load<f64>(pointerField(net, NET_CENTRE) + row);
    const label = load<f64>(pointerField(net, NET_LABELS) + row);
    const slope = lossSlope(kind, z, label, epsilon) / <f64>rows;
    store<f64>(slopes + (<usize>r << 3), slope);
    loss += lossValue(kind, z, label, epsilon);
    finite = finite && isFinite(z) && isFinite(slope);
  }
  let square: f64 = 0;
  for (let block = 0; block < blocks; ++block) square += load<f64>(partials + <usize>block * pitch + (<usize>batch << 3));
  finite = finite && isFinite(square);
  if (who == 0) {
    const report = pointerField(net, NET_REPORTS) + (<usize>step << 4);
    store<f64>(report, loss / <f64>rows);
    store<f64>(report, scale * scale * square, 8);
    if (!finite) store<i32>(net + NET_STOPPED, step + 1);
  }
  return finite;
}
