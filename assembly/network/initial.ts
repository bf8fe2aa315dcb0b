// Initial weights of finite networks: every block of neurons has its own stream of random numbers, made from the seed,
// the layer and the block, so that blocks can be made on any thread, in any order, and again when f_0 is wanted.
// Not here: the generator (math/random.ts).
import { LAYER_BLOCKS, LAYER_FAN_IN, LAYER_WEIGHTS, LAYER_WIDTH, NEURONS } from "../layout";
import { randomSeed, randomUnit } from "../math/random";
import { field, pointerField, scratch } from "../memory";

/** Fills `count` float32 with N(0, deviation^2): Marsaglia's polar method, two numbers at a time. */
export function randomNormals(state: usize, to: usize, count: i32, deviation: f64): void {
  for (let k = 0; k < count; k += 2) {
    let a: f64 = 0;
    let b: f64 = 0;
    let square: f64 = 0;
    do {
      a = 2 * randomUnit(state) - 1;
      b = 2 * randomUnit(state) - 1;
      square = a * a + b * b;
    } while (square >= 1 || square == 0);
    const factor = deviation * Math.sqrt((-2 * NativeMath.log(square)) / square);
    store<f32>(to + (<usize>k << 2), <f32>(a * factor));
    if (k + 1 < count) store<f32>(to + (<usize>k << 2) + 4, <f32>(b * factor));
  }
}

/** Starts `state` for one block of one layer. */
function blockSeed(state: usize, seed: u64, layer: i32, block: i32): void {
  randomSeed(state, seed ^ ((<u64>layer + 1) << 48) ^ (<u64>block << 20));
  // One more round: neighbouring seeds of splitmix64 differ in few bits.
  randomSeed(state, load<u64>(state) ^ load<u64>(state, 16));
}

/**
 * Initial weights of blocks first + `chunk` of hidden layer number `index` into block `chunk` of the record `layer`,
 * which holds the layer from block `first` on; padding neurons get 0. `seed` is the low and high half of 64 bits.
 */
export function initialLayer(chunk: i32, layer: usize, index: i32, first: i32, low: u32, high: u32, deviation: f64): void {
  const inputs = field(layer, LAYER_FAN_IN);
  const to = pointerField(layer, LAYER_WEIGHTS) + (<usize>chunk * inputs * NEURONS << 2);
  const state = scratch();
  blockSeed(state, (<u64>high << 32) | <u64>low, index, first + chunk);
  randomNormals(state, to, inputs * NEURONS, deviation);
  const live = field(layer, LAYER_WIDTH) - chunk * NEURONS;
  if (live >= NEURONS) return;
  for (let k = 0; k < inputs; ++k)
    memory.fill(to + (<usize>(k * NEURONS + live) << 2), 0, <usize>(NEURONS - live) << 2);
}

/** Initial weights of the output layer, `width` float32; layers is the number of hidden layers. */
export function initialOutput(layers: i32, width: i32, low: u32, high: u32, deviation: f64, to: usize): void {
  const state = scratch();
  blockSeed(state, (<u64>high << 32) | <u64>low, layers, 0);
  randomNormals(state, to, width, deviation);
}

/** Copies the layer to (back = 0) or from (1) the plain order [input][width], for the inputs of block `chunk`. */
export function plainLayer(chunk: i32, layer: usize, plain: usize, back: i32): void {
  const inputs = field(layer, LAYER_FAN_IN);
  const width = field(layer, LAYER_WIDTH);
  const live = min(NEURONS, width - chunk * NEURONS);
  const own = pointerField(layer, LAYER_WEIGHTS) + (<usize>chunk * inputs * NEURONS << 2);
  for (let k = 0; k < inputs; ++k) {
    const at = own + (<usize>(k * NEURONS) << 2);
    const other = plain + ((<usize>k * width + chunk * NEURONS) << 2);
    if (back) memory.copy(at, other, <usize>live << 2);
    else memory.copy(other, at, <usize>live << 2);
  }
}

/** Blocks of a layer, for jobs over them. */
export function layerBlocks(layer: usize): i32 {
  return field(layer, LAYER_BLOCKS);
}
