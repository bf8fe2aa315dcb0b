// A barrier between the threads that share one training step: all wait until all have come. Participants of one job
// run at the same time, one a thread; a lone participant passes straight through.
// Not here: the work between barriers (step.ts).
import { NET_BARRIER, NET_PARTICIPANTS } from "../layout";
import { field, pointerField } from "../memory";

/** Looks at the counter this often before the thread sleeps. */
const SPINS: i32 = 4000;

/** Waits for the other participants. [0] counts arrivals, [4] the barriers passed so far. */
export function meet(net: usize): void {
  const participants = field(net, NET_PARTICIPANTS);
  if (participants == 1) return;
  const at = pointerField(net, NET_BARRIER);
  const round = atomic.load<i32>(at, 4);
  if (atomic.add<i32>(at, 1) + 1 == participants) {
    atomic.store<i32>(at, 0);
    atomic.store<i32>(at, round + 1, 4);
    atomic.notify(at + 4, -1);
    return;
  }
  for (let spin = 0; spin < SPINS; ++spin) if (atomic.load<i32>(at, 4) != round) return;
  while (atomic.load<i32>(at, 4) == round) atomic.wait<i32>(at + 4, round, -1);
}
