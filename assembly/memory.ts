// The map of linear memory and access to the records of layout.ts. The core never allocates: the SDK owns everything
// above __heap_base (sdk/runtime/memory.ts) and passes pointers, so that any number of threads share one memory, or work
// on copies of it.
//
//   0            __heap_base                                                    4 GiB
//   +------------+-------+----------------+---------------------+-------------+
//   | constants  | job   | scratch of     | records, packed     |    free     |
//   | (read only)| count | each thread    | rows, tiles, vectors|             |
//   +------------+-------+----------------+---------------------+-------------+
//                                ^ setScratch() tells each thread where its own begins
// Not here: sizes of what a job needs (the SDK asks for memory before it starts one).

let scratchPointer: usize = 0;

/** Gives this thread its scratch of SCRATCH_BYTES. */
export function setScratch(pointer: usize): void {
  scratchPointer = pointer;
}

// @ts-ignore: decorator
@inline
export function scratch(): usize {
  return scratchPointer;
}

// @ts-ignore: decorator
@inline
export function field(record: usize, offset: i32): i32 {
  return load<i32>(record + offset);
}

// @ts-ignore: decorator
@inline
export function pointerField(record: usize, offset: i32): usize {
  return load<u32>(record + offset) as usize;
}

// @ts-ignore: decorator
@inline
export function floatField(record: usize, offset: i32): f64 {
  return load<f64>(record + offset);
}
