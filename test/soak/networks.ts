// A round of the soak for finite networks: random shapes and weights, interval bounds with f_0 frozen and as a difference
// or bounds by relaxation, and plain float64 evaluation beside them. Not here: machines (round.ts).
import { type NetworkOffset, networkBounds } from "../../sdk/certify/ibp.js";
import { offsetOf, RELAXED_METHODS } from "../../sdk/certify/method.js";
import { relaxedBounds } from "../../sdk/certify/relaxed.js";
import { initialWeights } from "../../sdk/networks/initial.js";
import { NetworkModel } from "../../sdk/networks/model.js";
import { network } from "../../sdk/networks/network.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { pointsIn } from "../certify/reference.js";
import { plainOutputs, plainWeights } from "../networks/reference.js";
import { normal } from "../seeded.js";
import type { Round } from "./round.js";

/** A network some way from its start, and both as plain functions of one input. */
async function drawNetwork(runtime: Runtime, seed: number, next: () => number, deepest: number) {
  const inputs = 1 + Math.floor(next() * 8);
  const widths = Array.from({ length: 1 + Math.floor(next() * deepest) }, () => 1 + Math.floor(next() * 12));
  const spec = network({ widths, parameterization: next() < 0.5 ? "ntk" : "lecun", seed });
  const start = await initialWeights(spec, inputs, { runtime });
  const gauss = normal(next);
  const step = next() < 0.5 ? 0.05 : 1;
  const trained = (layer: Float32Array) => layer.map((weight) => weight + step * gauss());
  const weights = { hidden: start.hidden.map(trained), output: trained(start.output) };
  const parts = { spec, inputs, weights, eightBit: false, scale: 1, loss: "hinge" as const, parameters: {} };
  const model = new NetworkModel({ ...parts, centred: next() < 0.7, history: [], dataHash: "", dataName: "" });
  const [own, initial] = [plainWeights(weights), plainWeights(start)];
  const outputOf = (plain: typeof own) => (x: Float64Array) =>
    plainOutputs(spec, { n: 1, d: inputs, x, scale: 1 }, plain)[0] ?? Number.NaN;
  return { model, f: outputOf(own), f0: model.centred ? outputOf(initial) : () => 0 };
}

export async function networkRound(
  runtime: Runtime,
  seed: number,
  next: () => number,
  balls: number,
  samples: number,
  relaxed: boolean,
): Promise<Round> {
  const { model, f, f0 } = await drawNetwork(runtime, seed, next, relaxed ? 1 : 3);
  const method = RELAXED_METHODS[Math.floor(next() * RELAXED_METHODS.length)];
  const offset: NetworkOffset = relaxed ? offsetOf(method) : next() < 0.5 ? "frozen" : "difference";
  const d = model.inputs;
  const gauss = normal(next);
  const x = Float64Array.from({ length: balls * d }, gauss);
  const radii = Float64Array.from({ length: balls }, () => 10 ** (-4 + 4.5 * next()));
  const rows = { n: balls, d, x, scale: 1 };
  const { lower, upper } = relaxed
    ? await relaxedBounds(model, rows, radii, { runtime, method })
    : await networkBounds(model, rows, radii, { runtime, offset });
  let triples = 0;
  let worst = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < balls; k++) {
    const centre = x.slice(k * d, (k + 1) * d);
    const kept = f0(centre);
    const value = (point: Float64Array) => f(point) - (offset === "frozen" ? kept : f0(point));
    const ball = { centre, radius: radii[k] ?? 0, norm: "linf" as const, domain: false };
    const size = 1 + Math.abs(lower[k] ?? 0) + Math.abs(upper[k] ?? 0);
    for (const point of pointsIn(ball, value, centre, samples, next)) {
      const g = value(point);
      worst = Math.max(worst, Math.max((lower[k] ?? Number.NaN) - g, g - (upper[k] ?? Number.NaN)) / size);
      triples++;
    }
  }
  // Plain float64 sums of at most 12 terms in at most four layers, of the sizes that the bounds show.
  const escapes = worst <= 1e-12 ? [] : [`a sample leaves a network's bounds by ${worst.toExponential(2)}`];
  return { triples, escapes };
}
