// What can go wrong with GPUs and the packages of training backends, as errors that name the remedy. Apart from gpu.ts
// so that the public declarations do not need the types of WebGPU. Not here: finding and losing devices.

/** A training backend whose package is missing or does not start. */
export class BackendUnavailableError extends Error {
  override readonly name = "BackendUnavailableError";
}

/** No GPU answers: no WebGPU in this runtime, no adapter, or an adapter that gives no device. */
export class GpuUnavailableError extends Error {
  override readonly name = "GpuUnavailableError";
}

/** The device went away while in use: unplugged, reset by its driver, or destroyed. */
export class DeviceLostError extends Error {
  override readonly name = "DeviceLostError";
  constructor(readonly reason: string) {
    super(`the GPU device was lost (${reason}): restore() the last snapshot to continue on a new device`);
  }
}

/** The GPU has too little memory, or no buffer large enough. */
export class GpuMemoryError extends Error {
  override readonly name = "GpuMemoryError";
  constructor(what: string) {
    super(`the GPU has no room for ${what}: use a narrower network, a smaller batch, or the "wasm" backend`);
  }
}
