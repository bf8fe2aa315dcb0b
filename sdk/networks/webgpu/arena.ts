// Buffers that are freed together, and copies to and from them. Not here: devices (runtime/gpu.ts).
import { type Gpu, MAP_READ, USAGE } from "../../runtime/gpu.js";

/** Bytes copied between waits for the device, so that staging memory stays bounded. */
const FLUSH_BYTES = 128 * 2 ** 20;
/** Bytes read back at a time. */
const READ_BYTES = 64 * 2 ** 20;

export class Arena {
  private readonly buffers: GPUBuffer[] = [];
  private written = 0;

  constructor(readonly gpu: Gpu) {}

  storage(bytes: number, label: string): GPUBuffer {
    return this.keep(this.gpu.buffer(bytes, USAGE.storage | USAGE.copySource | USAGE.copyTarget, label));
  }

  /** Uniforms of `bytes` bytes. */
  uniforms(bytes: number, label: string): GPUBuffer {
    return this.keep(this.gpu.buffer(bytes, USAGE.uniform | USAGE.copyTarget, label));
  }

  /** A uniform buffer with 32-bit words: those listed in `floats` are float32, the others integers. */
  words(words: readonly number[], floats: readonly number[] = []): GPUBuffer {
    const view = new DataView(new ArrayBuffer(Math.ceil(words.length / 4) * 16));
    words.forEach((word, k) => {
      if (floats.includes(k)) view.setFloat32(k * 4, word, true);
      else view.setUint32(k * 4, word, true);
    });
    const buffer = this.uniforms(view.byteLength, "shapes");
    this.gpu.device.queue.writeBuffer(buffer, 0, view.buffer);
    return buffer;
  }

  private keep(buffer: GPUBuffer): GPUBuffer {
    this.buffers.push(buffer);
    return buffer;
  }

  /** Writes `count` elements of `from`, beginning at `start`, to byte `at`; waits for the device now and then. */
  async write(to: GPUBuffer, at: number, from: Float32Array, start = 0, count = from.length) {
    const { queue } = this.gpu.device;
    const most = FLUSH_BYTES / 4;
    for (let done = 0; done < count; done += most) {
      const now = Math.min(most, count - done);
      queue.writeBuffer(to, at + done * 4, from as Float32Array<ArrayBuffer>, start + done, now);
      this.written += now * 4;
      if (this.written < FLUSH_BYTES) continue;
      queue.submit([]);
      await this.gpu.guard(queue.onSubmittedWorkDone());
      this.written = 0;
    }
  }

  /** Reads `bytes` bytes from byte `at`, in pieces handed to `take` with the place of each. */
  async read(from: GPUBuffer, at: number, bytes: number, take: (piece: ArrayBuffer, place: number) => void) {
    const { gpu } = this;
    const size = Math.min(bytes, READ_BYTES);
    const staging = gpu.buffer(size, USAGE.mapRead | USAGE.copyTarget, "readback");
    try {
      for (let done = 0; done < bytes; done += size) {
        const now = Math.min(size, bytes - done);
        const encoder = gpu.device.createCommandEncoder();
        encoder.copyBufferToBuffer(from, at + done, staging, 0, now);
        gpu.device.queue.submit([encoder.finish()]);
        await gpu.guard(staging.mapAsync(MAP_READ, 0, now));
        take(staging.getMappedRange(0, now), done);
        staging.unmap();
      }
    } finally {
      staging.destroy();
    }
  }

  release(): void {
    for (const buffer of this.buffers) buffer.destroy();
    this.buffers.length = 0;
  }
}
