// Initial weights for backends that keep their own: the same bits as the core's. Not here: how they are drawn.
import type { Runtime } from "../runtime/runtime.js";
import * as layers from "./layers.js";
import type { NetworkSpec, NetworkWeights } from "./network.js";

/** Initial weights of a network with `inputs` inputs. */
export function initialWeights(runtime: Runtime, spec: NetworkSpec, inputs: number): Promise<NetworkWeights> {
  return layers.initialWeights(spec, inputs, { runtime });
}
