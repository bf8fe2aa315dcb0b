// How many leading entries of an input a perturbation may change; the others stay as they are. A machine on lifted
// points (x, 1) is asked about x alone, a table about the features that someone can change. Every bound stays what it
// is, with norms of D taken over these entries: D is 0 elsewhere. Fewer than all only for float64 rows, which keep
// their order of columns. Not here: the bounds.

// One a thread.
export let movable: i32 = 0;

/** Takes the number of entries that may change from now on, 1 to d. */
export function setMovable(columns: i32): void {
  movable = columns;
}
