// What the tests see of a runtime that may not share memory: which jobs it sends to threads with copies, and a way to make
// it send short ones too. In Node and in pages. Not here: tests.
import type { Runtime, WorkOptions } from "../../sdk/runtime/runtime.js";
import type { Thread } from "../../sdk/runtime/threads.js";
import type { Parted } from "../../sdk/runtime/transfers.js";

/** Private parts of a runtime. */
interface Inside {
  /** Milliseconds a chunk of a job took. */
  readonly paces: { get: (name: string) => number | undefined };
  /** Loaded with the first job that may be worth it. */
  readonly copies: Promise<{ pool: Promise<readonly Thread[]> | undefined } | undefined> | undefined;
  runApart: (job: Parted, work: WorkOptions) => Promise<number>;
}

export const inside = (runtime: Runtime) => runtime as unknown as Inside;

/** Notes every job that is sent out, and the first of its chunks that is. */
export function watchSending(runtime: Runtime): Parted[] {
  const sent: Parted[] = [];
  const own = inside(runtime);
  const usual = own.runApart.bind(runtime);
  own.runApart = async (job, work) => {
    const first = await usual(job, work);
    if (first > job.first) sent.push(job);
    return first;
  };
  return sent;
}

/** Makes it send each job of two chunks and more, however short, the first few times; notes them. */
export function sendAll(runtime: Runtime, times = 4): Parted[] {
  const sent = watchSending(runtime);
  inside(runtime).paces.get = (name) => (sent.filter((job) => job.name === name).length <= times ? 1e6 : 0);
  return sent;
}
