// Compiled kernels of a device: WGSL text to pipelines, and buffers to bind groups. Binding 0 of every kernel is the
// record of the step, chosen by a dynamic offset. Not here: the text (shaders.ts) and the dispatches (pass.ts).
import { type Gpu, STAGE_COMPUTE } from "../../runtime/gpu.js";
import type { Loss } from "../training.js";
import {
  backwardShader,
  collectShader,
  forwardShader,
  gatherShader,
  judgeShader,
  outputShader,
  partialsShader,
  STEP_BYTES,
  updateShader,
} from "./shaders.js";

type Access = "uniform" | "read" | "write";

export class Kernel {
  private constructor(
    private readonly device: GPUDevice,
    private readonly steps: GPUBuffer,
    private readonly layout: GPUBindGroupLayout,
    private readonly pipeline: GPUComputePipeline,
  ) {}

  static async compile(
    gpu: Gpu,
    steps: GPUBuffer,
    label: string,
    code: string,
    access: readonly Access[],
  ): Promise<Kernel> {
    const { device } = gpu;
    const types = { uniform: "uniform", read: "read-only-storage", write: "storage" } as const;
    const rest = access.map((kind, k) => ({
      binding: k + 1,
      visibility: STAGE_COMPUTE,
      buffer: { type: types[kind] },
    }));
    const first = {
      binding: 0,
      visibility: STAGE_COMPUTE,
      buffer: { type: "uniform", hasDynamicOffset: true },
    } as const;
    const layout = device.createBindGroupLayout({ label, entries: [first, ...rest] });
    const pipeline = await gpu.guard(
      device.createComputePipelineAsync({
        label,
        layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module: device.createShaderModule({ label, code }), entryPoint: "main" },
      }),
    );
    return new Kernel(device, steps, layout, pipeline);
  }

  bind(...buffers: GPUBuffer[]): Dispatch {
    const rest = buffers.map((buffer, k) => ({ binding: k + 1, resource: { buffer } }));
    const entries = [{ binding: 0, resource: { buffer: this.steps, size: STEP_BYTES } }, ...rest];
    const group = this.device.createBindGroup({ layout: this.layout, entries });
    return new Dispatch(this.pipeline, group);
  }
}

/** A kernel with its buffers. */
export class Dispatch {
  constructor(
    private readonly pipeline: GPUComputePipeline,
    private readonly group: GPUBindGroup,
  ) {}

  /** Records the kernel for step record number `slot` on a grid of workgroups. */
  record(pass: GPUComputePassEncoder, slot: number, x: number, y = 1): void {
    if (x === 0 || y === 0) return;
    pass.setPipeline(this.pipeline);
    pass.setBindGroup(0, this.group, [slot * STEP_BYTES]);
    pass.dispatchWorkgroups(x, y);
  }
}

const GATHER: readonly Access[] = ["uniform", "read", "read", "read", "write"];
const FORWARD: readonly Access[] = ["uniform", "read", "read", "read", "write"];
const BACKWARD: readonly Access[] = ["uniform", "read", "read", "read", "read", "read", "read", "write"];
const JUDGE: readonly Access[] = ["uniform", "read", "read", "read", "write", "write", "write", "write"];

const KERNELS = {
  gatherBytes: [() => gatherShader(true), GATHER],
  gatherFloats: [() => gatherShader(false), GATHER],
  forwardFirst: [() => forwardShader(true), FORWARD],
  forward: [() => forwardShader(false), FORWARD],
  partials: [() => partialsShader(), ["uniform", "read", "read", "write"]],
  collect: [() => collectShader(), ["uniform", "read", "write"]],
  judge: [judgeShader, JUDGE],
  // "Only" is the lone hidden layer: first and last at once.
  updateOnly: [() => updateShader(true, true), BACKWARD],
  updateFirst: [() => updateShader(true, false), BACKWARD],
  updateLast: [() => updateShader(false, true), BACKWARD],
  update: [() => updateShader(false, false), BACKWARD],
  backwardLast: [() => backwardShader(true), BACKWARD],
  backward: [() => backwardShader(false), BACKWARD],
  output: [() => outputShader(), ["uniform", "read", "read", "read", "write"]],
} as const satisfies Record<string, readonly [(loss: Loss) => string, readonly Access[]]>;

export type KernelName = keyof typeof KERNELS;
export type Kernels = Readonly<Record<KernelName, Kernel>>;

function kernelsFor(layers: number): KernelName[] {
  const always: KernelName[] = [
    "gatherBytes",
    "gatherFloats",
    "forwardFirst",
    "partials",
    "collect",
    "judge",
    "output",
  ];
  if (layers === 1) return [...always, "updateOnly"];
  const deep: KernelName[] = ["forward", "updateFirst", "updateLast", "backwardLast"];
  return layers === 2 ? [...always, ...deep] : [...always, ...deep, "update", "backward"];
}

/** Compiles what a network of `layers` hidden layers needs. */
export async function compileKernels(gpu: Gpu, steps: GPUBuffer, layers: number, loss: Loss): Promise<Kernels> {
  const compile = async (name: KernelName) => {
    const [text, access] = KERNELS[name];
    return [name, await Kernel.compile(gpu, steps, name, text(loss), access)] as const;
  };
  return Object.fromEntries(await Promise.all(kernelsFor(layers).map(compile))) as unknown as Kernels;
}
