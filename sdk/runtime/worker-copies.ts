// The program of a thread that may share no memory: it has one of its own, is sent a copy, then told which chunks to do, and
// says which words they changed. Also what a page brings along as workers.js, so it knows how to share too. Bundled into
// one string by the build. Not here: who sends what (transfers.ts).
import {
  type Changes,
  type CopyMessage,
  jobOf,
  listen,
  type Message,
  memoryHere,
  type Stretch,
  share,
} from "./worker.js";

let stretches: readonly Stretch[] = [];
let copy = new ArrayBuffer(0);

function take(message: CopyMessage): void {
  const memory = memoryHere();
  ({ stretches, copy } = message);
  const lacking = message.bytes - memory.buffer.byteLength;
  if (lacking > 0) memory.grow(lacking / 65536);
  const own = new Uint8Array(memory.buffer);
  let at = 0;
  for (const [start, bytes] of stretches) {
    own.set(new Uint8Array(copy, at, bytes), start);
    at += bytes;
  }
}

/** Words that differ from the copy, which is forgotten. */
function changes(): Changes {
  const own = new Int32Array(memoryHere().buffer);
  const before = new Int32Array(copy);
  const each = (found: (place: number) => void) => {
    let k = 0;
    for (const [start, bytes] of stretches)
      for (let place = start / 4; place < (start + bytes) / 4; place++) if (own[place] !== before[k++]) found(place);
  };
  let count = 0;
  each(() => count++);
  const list = new Int32Array(2 * count);
  count = 0;
  each((place) => {
    list[count++] = place;
    list[count++] = own[place]!;
  });
  copy = new ArrayBuffer(0);
  return list;
}

function act(message: Message): Changes | undefined {
  if (message.kind === "copy") take(message);
  else if (message.kind === "collect") return changes();
  else if (message.kind === "part")
    for (let chunk = message.from; chunk < message.to; chunk++) jobOf(message.name)(chunk, ...message.args);
  return share(message);
}

listen(act);
