// Typed errors of the SDK. Wrong types are TypeError and wrong values RangeError (see validate.ts); these classes are
// for everything else that a caller may want to tell apart. Each message names what was wrong and the remedy.

/** A file or byte buffer that does not follow its format; `offset` is the byte at which that became clear. */
export class FormatError extends Error {
  override readonly name = "FormatError";
  constructor(
    readonly format: string,
    readonly offset: number,
    what: string,
  ) {
    super(`${format}: ${what} (at byte ${offset})`);
  }
}

/** Work that needs more memory than the budget allows; both figures are in bytes. */
export class MemoryBudgetError extends Error {
  override readonly name = "MemoryBudgetError";
  constructor(
    readonly needed: number,
    readonly budget: number,
    what: string,
  ) {
    const mib = (bytes: number) => `${Math.ceil(bytes / 1048576)} MiB`;
    super(`${what} needs ${mib(needed)}, the budget is ${mib(budget)}: raise the memory option or use fewer rows`);
  }
}

/** A solver that stopped before its tolerance; `reached` says how far it came. */
export class ConvergenceError extends Error {
  override readonly name = "ConvergenceError";
  constructor(
    readonly quantity: string,
    readonly reached: number,
    readonly tolerance: number,
    remedy: string,
  ) {
    super(`${quantity} reached ${reached.toExponential(2)}, asked for ${tolerance.toExponential(2)}: ${remedy}`);
  }
}

/** Labels that no machine of the kernel tells apart; `i` and `j` are the rows that stand in the way (equal: one alone). */
export class NotSeparableError extends Error {
  override readonly name = "NotSeparableError";
  constructor(
    readonly i: number,
    readonly j: number,
    bias: boolean,
    /** Whether the kernel can not tell these two apart; otherwise they are the closest of opposite labels. */
    readonly same: boolean,
  ) {
    const alike = bias ? "the kernel takes them for equal" : "the kernel takes them for parallel";
    const what =
      i === j
        ? `row ${i} is zero, which lies on no side without a bias`
        : `rows ${i} and ${j} have opposite labels and ${same ? alike : "are the closest of those that do"}`;
    super(`not separable: ${what}; take them out, or use a soft margin`);
  }
}

/** Data that can not be had: a missing package, file or folder. */
export class DataSourceError extends Error {
  override readonly name = "DataSourceError";
}

/** Training that left the finite numbers: the step at which it did; the weights are those before that step. */
export class DivergenceError extends Error {
  override readonly name = "DivergenceError";
  constructor(readonly step: number) {
    super(`training left the finite numbers at step ${step}: lower the learning rate (the weights before it are kept)`);
  }
}

/** Parts that do not make one report: `field` is what differs, is missing or is there twice, `names` the parts concerned. */
export class ReportMismatchError extends Error {
  override readonly name = "ReportMismatchError";
  constructor(
    readonly field: string,
    readonly names: readonly string[],
    what: string,
  ) {
    super(what);
  }
}

/** A kernel that a bound method does not hold for; `methods` are those that do, none where there is no proof at all. */
export class UnsupportedKernelError extends RangeError {
  override readonly name = "UnsupportedKernelError";
  constructor(
    readonly kernel: string,
    readonly method: string,
    readonly methods: readonly string[],
  ) {
    const names = methods.map((name) => `"${name}"`).join(" or ");
    super(
      methods.length > 0
        ? `method: expected ${names} for the kernel ${kernel}, got "${method}"`
        : `method: expected a kernel of ReLU or leaky ReLU networks without biases, which "interval" and "best" bound, ` +
            `got "${method}" for the kernel ${kernel}`,
    );
  }
}

/** A model whose kernel is a function of its maker's own, loaded without that function; `kernel` is its name. */
export class MissingKernelError extends Error {
  override readonly name = "MissingKernelError";
  constructor(readonly kernel: string) {
    super(
      `kernels: expected the function "${kernel}" that this model was made with, got none of that name: ` +
        `load it with { kernels: [userKernel({ name: "${kernel}", evaluate })] }`,
    );
  }
}

/** A proof that an adversarial input contradicts: one of the two is wrong, and nothing of the run should be trusted. */
export class SoundnessError extends Error {
  override readonly name = "SoundnessError";
  constructor(
    /** Row of the data set. */
    readonly index: number,
    readonly radius: number,
    readonly attackRadius: number,
  ) {
    super(
      `row ${index} is certified up to ${radius}, but an adversarial input was found at ${attackRadius}: this is a bug, trust no result of this run and report it with the model and the data`,
    );
  }
}
