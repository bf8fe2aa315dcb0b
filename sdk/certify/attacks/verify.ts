// Rigorous re-evaluation: the output at exactly the float64 inputs that an attack found, between proved ends, and the
// distance from the clean input, rounded up. Not here: finding them (attack.ts), the bounds (assembly/bounds/).
import { NORM_1, NORM_2, NORM_INF } from "../../../assembly/layout.js";
import type { RowSource } from "../../kernels/rows.js";
import { Machine } from "../../machines/machine.js";
import { initialWeights } from "../../networks/initial.js";
import { NetworkModel } from "../../networks/model.js";
import type { Runtime } from "../../runtime/runtime.js";
import { intervalBounds } from "../bounds.js";
import { type NetworkOffset, networkBounds } from "../ibp.js";
import { type Bounds, isTwoLayer, type Norm } from "../method.js";

export const NORM_CODES: Readonly<Record<Norm, number>> = { linf: NORM_INF, l2: NORM_2, l1: NORM_1 };

/** Whether outputs of this model can be proved: other kernels than the two-layer NTK can not, yet. */
export function isProvable(model: Machine | NetworkModel): boolean {
  if (model instanceof NetworkModel) return true;
  return isTwoLayer(model.kernel);
}

/**
 * The same function of float64 inputs in data units. Theta is homogeneous of degree 1 in either argument, so the unit of
 * 8-bit training rows goes into the coefficients and their integers stay exact: one rounding of a coefficient replaces
 * the two that the unit costs otherwise, and the bound's allowance covers it.
 */
function realMachine(machine: Machine): Machine {
  const { x, n, d, scale } = machine.rows;
  if (x instanceof Float64Array && scale === 1) return machine;
  const rows = { n, d, x: Float64Array.from(x), scale: 1 };
  return new Machine({ ...machine, rows, alpha: machine.alpha.map((alpha) => alpha * scale) });
}

/** Points in data units. */
function realRows(x: Float64Array, d: number): RowSource {
  return { n: x.length / d, d, x, scale: 1 };
}

/** Proved ends of outputs, and where they are not available estimates twice. */
export class Evaluator {
  private readonly provable: boolean;
  private readonly real: Machine | NetworkModel;
  private start: NetworkModel | undefined;

  constructor(
    private readonly model: Machine | NetworkModel,
    private readonly offset: NetworkOffset,
    private readonly runtime: Runtime,
  ) {
    this.provable = isProvable(model);
    if (model instanceof NetworkModel) this.real = this.networkOn(model, model.centred && offset === "difference");
    else if (this.provable) this.real = realMachine(model);
    // Biases are not homogeneous, so values and not coefficients take the unit; these are estimates anyway.
    else {
      const { x, n, d, scale } = model.rows;
      const values = Float64Array.from(x, (entry) => entry * scale);
      this.real = new Machine({ ...model, rows: { n, d, x: values, scale: 1 } });
    }
  }

  private networkOn(model: NetworkModel, centred: boolean): NetworkModel {
    return new NetworkModel({ ...model, eightBit: false, scale: 1, centred });
  }

  /** Of the clean inputs. */
  async clean(data: RowSource): Promise<Bounds> {
    const { runtime, model } = this;
    if (model instanceof NetworkModel) return networkBounds(model, data, 0, { runtime, offset: this.offset });
    if (this.provable) return intervalBounds(model, data, 0, { runtime });
    const values = await model.decisionFunction(data, { runtime });
    return { lower: values, upper: values };
  }

  /** Of points in data units, row-major; `data` has the clean input of each, where a frozen f_0 is taken. */
  async at(points: Float64Array, data: RowSource): Promise<Bounds> {
    const { runtime, real, offset } = this;
    const rows = realRows(points, data.d);
    if (real instanceof NetworkModel) {
      const own = await networkBounds(real, rows, 0, { runtime, offset });
      if (!(this.model instanceof NetworkModel && this.model.centred && offset === "frozen")) return own;
      const { lower, upper } = await this.startBounds(this.model, data);
      return {
        lower: own.lower.map((value, k) => runtime.call("nextDown", value - (upper[k] ?? Number.NaN))),
        upper: own.upper.map((value, k) => runtime.call("nextUp", value - (lower[k] ?? Number.NaN))),
      };
    }
    if (this.provable) return intervalBounds(real, rows, 0, { runtime });
    const values = await real.decisionFunction(rows, { runtime });
    return { lower: values, upper: values };
  }

  /** f_0 at the clean inputs. */
  private async startBounds(model: NetworkModel, data: RowSource): Promise<Bounds> {
    const { runtime } = this;
    this.start ??= new NetworkModel({
      ...model,
      weights: await initialWeights(model.spec, model.inputs, { runtime }),
      centred: false,
    });
    return networkBounds(this.start, data, 0, { runtime });
  }
}

/** An upper bound of the distance between a point in data units and row `index` of `data`. */
export function distanceAbove(
  runtime: Runtime,
  point: Float64Array,
  data: RowSource,
  index: number,
  norm: Norm,
): number {
  const { d, scale, x } = data;
  const scope = runtime.scope();
  try {
    const own = scope.f64(d, point);
    const raw = scope.f64(d, x.subarray(index * d, (index + 1) * d));
    return runtime.call("distanceAbove", own, raw, scale, d, NORM_CODES[norm]);
  } finally {
    scope.release();
  }
}
