// The command line's own errors and what they mean to a shell: exit code 1 for work that failed, 2 for wrong use, 128
// plus the signal's number for an interruption. Not here: the SDK's errors, which all count as work that failed.

/** Wrong use: the message names the flag or argument, what was expected and what came. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Work that failed for a reason that the user can see: a file that is not there, or not what it should be. */
export class Failure extends Error {
  override readonly name = "Failure";
}

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const;
export type StopSignal = keyof typeof SIGNAL_NUMBERS;
export const STOP_SIGNALS = Object.keys(SIGNAL_NUMBERS) as StopSignal[];

/** The user stopped the work; `what` says what became of the finished part. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  constructor(
    readonly signal: StopSignal,
    what = "nothing was written",
  ) {
    super(`interrupted: ${what}`);
  }

  /** The same interruption with the fate of the finished part. */
  leaving(what: string): Interrupted {
    return new Interrupted(this.signal, what);
  }

  get exitCode(): number {
    return exitCodeOf(this.signal);
  }
}

/** What a shell expects of a process that a signal ended. */
export function exitCodeOf(signal: StopSignal): number {
  return 128 + SIGNAL_NUMBERS[signal];
}
