// Progress on standard error: one line that overwrites itself, on a terminal only. Steps have weights, so that the
// percentage is of the whole command. Not here: what is done (the commands) and results (output.ts).
import type { Progress } from "ntkit";

const BAR = 24;

/** Milliseconds between two drawings. */
const PACE = 100;

/** What the line needs of a stream; process.stderr is one. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class ProgressLine {
  private readonly start = performance.now();
  private readonly shown: boolean;
  private name = "";
  private counted: string | undefined;
  private finished = 0;
  private weight = 1;
  private share = 0;
  private total = 1;
  private drawn = 0;
  private visible = false;

  constructor(
    private readonly stream: Terminal,
    wanted: boolean,
  ) {
    this.shown = wanted && stream.isTTY === true && process.env.TERM !== "dumb";
  }

  /** The weights of all steps to come, together. */
  plan(total: number): void {
    this.total = total;
    this.finished = 0;
    this.weight = 0;
  }

  /** The next step begins. When `counted` is given, only the SDK's stage of that name moves the percentage. */
  step(name: string, weight = 1, counted?: string): void {
    this.finished = Math.min(this.total, this.finished + (this.name === "" ? 0 : this.weight));
    this.name = name;
    this.weight = weight;
    this.counted = counted;
    this.share = 0;
    this.draw({ stage: "", done: 0, total: 1 }, true);
  }

  /** For the SDK's onProgress. */
  readonly report = (progress: Progress): void => this.draw(progress, false);

  private draw({ stage, done, total }: Progress, now: boolean): void {
    const time = performance.now();
    if (!this.shown || (!now && time - this.drawn < PACE)) return;
    this.drawn = time;
    const moves = this.counted === undefined || this.counted === stage;
    // Never backwards, unless the whole step is one stage after another.
    if (moves && total > 0)
      this.share = Math.max(this.counted === undefined ? 0 : this.share, Math.min(1, done / total));
    const whole = Math.min(1, (this.finished + this.weight * this.share) / Math.max(this.total, 1e-9));
    const bar = "#".repeat(Math.round(whole * BAR)).padEnd(BAR, ".");
    const elapsed = ((time - this.start) / 1000).toFixed(0);
    const detail = stage === "" || stage === this.name || stage === this.counted ? "" : `: ${stage}`;
    const line = `[${bar}] ${Math.floor(100 * whole)}%  ${elapsed} s  ${this.name}${detail}`;
    // Carriage return, the text, and an erase to the end of the line.
    this.stream.write(`\r${line.slice(0, this.width())}\x1b[K`);
    this.visible = true;
  }

  /** One column is left free: a full line wraps on some terminals, and some say that they have 0 columns. */
  private width(): number {
    const columns = this.stream.columns ?? 0;
    return columns > 1 ? columns - 1 : 79;
  }

  /** Takes the line away; results can be printed. */
  clear(): void {
    if (this.visible) this.stream.write("\r\x1b[K");
    this.visible = false;
  }
}
