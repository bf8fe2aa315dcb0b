// The Python that runs the peers: one that can import what they need. Not here: the peers' scripts (peers/).
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mnistFolder } from "../sdk/runtime/files.js";
import type { Peer, PeerOutput } from "./job.js";
import { jsonOf } from "./process.js";

const CANDIDATES = ["/usr/bin/python3", "python3"];

const VERSIONS =
  "import json, platform, numpy, torch, sklearn; print(json.dumps({'python': platform.python_version()," +
  " 'numpy': numpy.__version__, 'torch': torch.__version__, 'sklearn': sklearn.__version__}))";

export const REMEDY =
  "no python3 that can import numpy, torch and sklearn: peers are left out (Debian: apt install python3-numpy python3-torch python3-sklearn)";

/** Beside dist/, where the bundled program lies. */
const PEERS = fileURLToPath(new URL("../bench/peers/", import.meta.url));

export interface Python {
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
}

/** Undefined when there is none, or no scripts to run. */
export async function findPython(signal: AbortSignal): Promise<Python | undefined> {
  if (!existsSync(PEERS)) return undefined;
  for (const command of CANDIDATES) {
    try {
      const versions = (await jsonOf(command, ["-c", VERSIONS], { signal })) as Python["versions"];
      return { command, versions };
    } catch {
      signal.throwIfAborted();
    }
  }
  return undefined;
}

export interface PeerOptions {
  readonly n: number | undefined;
  readonly threads: number;
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/** One run of a peer. Throws an Error that says how it failed. */
export async function runPeer(python: Python, peer: Peer, options: PeerOptions): Promise<PeerOutput> {
  const { n, threads, scratch, signal } = options;
  const own = peer.arguments?.(scratch) ?? [];
  const args = [`${PEERS}${peer.script}.py`, ...own, "--threads", String(threads)];
  if (n !== undefined) args.push("--n", String(n));
  const environment = {
    MNIST_DATA: await mnistFolder(),
    OMP_NUM_THREADS: String(threads),
    OPENBLAS_NUM_THREADS: String(threads),
    // Threads that wait by spinning take the core from those that work as soon as anything else runs on the machine:
    // a peer would be ten times slower for a reason that is not its own.
    OMP_WAIT_POLICY: "passive",
    PYTHONDONTWRITEBYTECODE: "1",
  };
  const output = (await jsonOf(python.command, args, { environment, signal })) as PeerOutput;
  if (!(output.seconds > 0 && output.peak_bytes > 0)) throw new Error("expected seconds and peak_bytes in its output");
  return output;
}
