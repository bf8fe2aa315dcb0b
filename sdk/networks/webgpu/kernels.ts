// Compiled kernels of a device: WGSL text to pipelines, and buffers to bind groups. Binding 0 of every kernel is the
// record of the step, chosen by a dynamic offset. Not here: the text (shaders.ts) and the dispatches (pass.ts).
import { type Gpu, STAGE_COMPUTE } from "../../runtime/gpu.js";
import type { ResolvedTraining } from "../training.js";
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

/** What a kernel binds without a carry and with one. */
type Accesses = readonly [readonly Access[], readonly Access[]];

/** What the text of kernels depends on. */
type Choice = Pick<ResolvedTraining, "loss" | "compensated">;

const both = (access: readonly Access[]): Accesses => [access, access];

const GATHER: readonly Access[] = ["uniform", "read", "read", "read", "write"];
const FORWARD: readonly Access[] = ["uniform", "read", "read", "read", "write"];
const BACKWARD: readonly Access[] = ["uniform", "read", "read", "read", "read", "read", "read", "write"];
const UPDATE = [BACKWARD, [...BACKWARD, "write"]] as const satisfies Accesses;
const OUTPUT = [
  ["uniform", "read", "read", "read", "write"],
  ["uniform", "read", "read", "read", "write", "write"],
] as const satisfies Accesses;
const JUDGE: readonly Access[] = ["uniform", "read", "read", "read", "write", "write", "write", "write"];

const KERNELS = {
  gatherBytes: [() => gatherShader(true), both(GATHER)],
  gatherFloats: [() => gatherShader(false), both(GATHER)],
  forwardFirst: [() => forwardShader(true), both(FORWARD)],
  forward: [() => forwardShader(false), both(FORWARD)],
  partials: [() => partialsShader(), both(["uniform", "read", "read", "write"])],
  collect: [() => collectShader(), both(["uniform", "read", "write"])],
  judge: [({ loss }) => judgeShader(loss), both(JUDGE)],
  // "Only" is the lone hidden layer: first and last at once.
  updateOnly: [({ compensated }) => updateShader(true, true, compensated), UPDATE],
  updateFirst: [({ compensated }) => updateShader(true, false, compensated), UPDATE],
  updateLast: [({ compensated }) => updateShader(false, true, compensated), UPDATE],
  update: [({ compensated }) => updateShader(false, false, compensated), UPDATE],
  backwardLast: [() => backwardShader(true), both(BACKWARD)],
  backward: [() => backwardShader(false), both(BACKWARD)],
  output: [({ compensated }) => outputShader(compensated), OUTPUT],
} as const satisfies Record<string, readonly [(choice: Choice) => string, Accesses]>;

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
export async function compileKernels(gpu: Gpu, steps: GPUBuffer, layers: number, choice: Choice): Promise<Kernels> {
  const compile = async (name: KernelName) => {
    const [text, access] = KERNELS[name];
    const bound = access[choice.compensated ? 1 : 0];
    return [name, await Kernel.compile(gpu, steps, name, text(choice), bound)] as const;
  };
  return Object.fromEntries(await Promise.all(kernelsFor(layers).map(compile))) as unknown as Kernels;
}
