// What the figures were measured on, in words: no host names, no paths.
import { availableParallelism, cpus, totalmem } from "node:os";

export interface MachineDescription {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
  /** Versions of Python and the peers' packages, where there are any. */
  readonly python: Readonly<Record<string, string>> | undefined;
}

export function describeMachine(python: MachineDescription["python"]): MachineDescription {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.versions.node,
    python,
  };
}
