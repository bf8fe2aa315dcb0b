// How a runtime gets a GPU device: navigator.gpu in browsers and Deno; in Node the optional package "webgpu" (Dawn).
// The only file that knows. Not here: what is computed on a device (networks/webgpu/).
/// <reference types="@webgpu/types" />
import { DeviceLostError, GpuMemoryError, GpuUnavailableError } from "./device-errors.js";

/** Where adapters come from: navigator.gpu, or a stand-in. */
export type GpuEntry = Pick<GPU, "requestAdapter">;

/** Buffer usages, fixed by the WebGPU specification; Node has no global GPUBufferUsage. */
export const USAGE = { mapRead: 1, copySource: 4, copyTarget: 8, uniform: 64, storage: 128 } as const;
export const MAP_READ = 1;
export const STAGE_COMPUTE = 4;

const isNode = () => (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node;
const ownEntry = () => (globalThis.navigator as Navigator | undefined)?.gpu;

interface DawnPackage {
  create(options: string[]): GPU;
  readonly globals: Record<string, unknown>;
}

let dawn: Promise<{ gpu: GPU; globals: Record<string, unknown> }> | undefined;

/** The package for Node. Its name is kept from bundlers: a page never needs it. */
function loadDawn(): Promise<{ gpu: GPU; globals: Record<string, unknown> }> {
  dawn ??= (async () => {
    const name = "webgpu";
    try {
      const { create, globals } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as DawnPackage;
      return { gpu: create([]), globals };
    } catch (cause) {
      dawn = undefined;
      const why = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
      throw new GpuUnavailableError(`WebGPU in Node needs the package "webgpu": npm install webgpu (${why})`, {
        cause,
      });
    }
  })();
  return dawn;
}

/** The runtime's entry to its GPUs. @throws GpuUnavailableError */
async function findEntry(): Promise<GpuEntry> {
  const own = ownEntry();
  if (own !== undefined) return own;
  if (isNode()) return (await loadDawn()).gpu;
  throw new GpuUnavailableError(
    "this runtime has no navigator.gpu: use a browser with WebGPU on an https or localhost page, or Deno with --unstable-webgpu",
  );
}

/** Makes navigator.gpu and the GPU classes global, for libraries that look there. @throws GpuUnavailableError */
export async function installGpuGlobals(): Promise<void> {
  if (ownEntry() !== undefined || !isNode()) {
    await findEntry();
    return;
  }
  const { gpu, globals } = await loadDawn();
  for (const [name, value] of Object.entries(globals))
    if (!(name in globalThis)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  const holder = globalThis.navigator ?? {};
  Object.defineProperty(holder, "gpu", { value: gpu, configurable: true, enumerable: false });
  if (globalThis.navigator === undefined)
    Object.defineProperty(globalThis, "navigator", { value: holder, configurable: true, writable: true });
}

async function findAdapter(entry?: GpuEntry): Promise<GPUAdapter> {
  const adapter = await (entry ?? (await findEntry())).requestAdapter({ powerPreference: "high-performance" });
  if (adapter !== null) return adapter;
  const remedy = isNode()
    ? "install a Vulkan driver (on Debian libvulkan1, and mesa-vulkan-drivers where there is no GPU)"
    : "update the graphics driver, or allow WebGPU in the browser's flags (chrome://flags/#enable-unsafe-webgpu)";
  throw new GpuUnavailableError(`no GPU adapter was found: ${remedy}, or choose the "wasm" backend`);
}

/** What an adapter is called and whether it is a software one, which is slower than the core. */
export interface AdapterSummary {
  readonly description: string;
  readonly software: boolean;
}

function summarizeAdapter({ info }: GPUAdapter): AdapterSummary {
  const names = [info.vendor, info.architecture, info.device, info.description].filter((name) => name);
  const description = [...new Set(names)].join(" ") || "unnamed adapter";
  const software = info.isFallbackAdapter === true || /swiftshader|llvmpipe|lavapipe|basic render/i.test(description);
  return { description, software };
}

/** The adapter that a session would get. @throws GpuUnavailableError */
export async function findGpu(): Promise<AdapterSummary> {
  return summarizeAdapter(await findAdapter());
}

/** The adapter that a session would get, or undefined where there is none. */
export async function probeGpu(): Promise<AdapterSummary | undefined> {
  try {
    return await findGpu();
  } catch (error) {
    if (error instanceof GpuUnavailableError) return undefined;
    throw error;
  }
}

export interface DeviceOptions {
  /** Where to ask for an adapter; the runtime's own entry when not given. */
  readonly entry?: GpuEntry | undefined;
}

/** A device with the largest buffers its adapter allows. @throws GpuUnavailableError */
export async function requestDevice(options: DeviceOptions = {}): Promise<Gpu> {
  const adapter = await findAdapter(options.entry);
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  try {
    const device = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
    return new Gpu(device, summarizeAdapter(adapter));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new GpuUnavailableError(`the GPU adapter gave no device: update the graphics driver (${why})`, { cause });
  }
}

/** Milliseconds that a failed call waits for the news that its device is lost. */
const LOSS_NEWS = 200;

/** A device in use: its failures as typed errors, and its buffers, which close() frees. */
export class Gpu {
  /** Most bytes in one storage buffer. */
  readonly bufferBytes: number;
  private failure: Error | undefined;
  private closed = false;

  constructor(
    readonly device: GPUDevice,
    readonly adapter: AdapterSummary,
  ) {
    const { maxBufferSize, maxStorageBufferBindingSize } = device.limits;
    this.bufferBytes = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    device.lost.then(({ reason, message }) => {
      if (!this.closed) this.failure = new DeviceLostError(message || reason);
    });
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.failure ??= new Error(`WebGPU: ${event.error.message}`);
    });
  }

  get lost(): boolean {
    return this.failure instanceof DeviceLostError;
  }

  /** The result of `work`, or the device's own failure when there is one. @throws DeviceLostError */
  async guard<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      if (this.failure !== undefined) throw this.failure;
      return result;
    } catch (error) {
      if (this.failure === undefined) await this.lossNews();
      throw this.failure ?? error;
    }
  }

  private async lossNews(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const patience = new Promise((resolve) => {
      timer = setTimeout(resolve, LOSS_NEWS);
    });
    await Promise.race([this.device.lost, patience]);
    clearTimeout(timer);
  }

  /** Runs `make`, which allocates buffers for `what`. @throws GpuMemoryError, DeviceLostError */
  async allocating<T>(what: string, make: () => T): Promise<T> {
    this.device.pushErrorScope("out-of-memory");
    let outcome: { made: T } | { error: unknown };
    try {
      outcome = { made: make() };
    } catch (error) {
      outcome = { error };
    }
    if ((await this.guard(this.device.popErrorScope())) !== null) throw new GpuMemoryError(what);
    if ("error" in outcome) throw outcome.error;
    return outcome.made;
  }

  buffer(bytes: number, usage: number, label: string): GPUBuffer {
    if (bytes > this.bufferBytes) throw new GpuMemoryError(`${label} (${Math.ceil(bytes / 2 ** 20)} MiB)`);
    return this.device.createBuffer({ size: Math.max(16, Math.ceil(bytes / 4) * 4), usage, label });
  }

  /** Ends the device and all its buffers. */
  close(): void {
    this.closed = true;
    this.device.destroy();
  }
}
