// Keeps a picture up to date with the visitor: asks the worker for the surface and then for the balls of the setting
// seen last, one job at a time, and never for what is no longer wanted. Not here: drawing (ntkit-machines.ts).
import type { WorkerClient } from "../shared/worker-client.js";
import { RANGE } from "./points.js";
import type * as work from "./work.js";
import type { Balls, Exact, Setting, Surface } from "./work.js";

export interface EngineEvents {
  readonly surface: (setting: Setting, surface: Surface, size: number) => void;
  readonly balls: (setting: Setting, balls: Balls) => void;
  /** The same balls, as large as they get. */
  readonly exact: (setting: Setting, exact: Exact) => void;
  /** The ball around the place asked for last, first quickly and then as large as it gets. */
  readonly probe: (place: Place, balls: Balls) => void;
  /** Work takes longer than a moment, or no longer does. */
  readonly busy: (busy: boolean) => void;
  /** The setting has no machine: the SDK's words. */
  readonly failed: (error: unknown) => void;
}

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** Cells along a side while something moves, and at rest. */
const COARSE = 61;
const FINE = 121;

/** Milliseconds without a change after which the picture is at rest. */
const REST = 160;

/** A job that is older than this when the visitor moves on is stopped, milliseconds; younger ones soon end. */
const PATIENCE = 200;

/** Work that lasts longer than this shows. */
const MOMENT = 400;

/** One job at a time, of all that was asked for the latest. */
export class Engine {
  private wanted: Setting | undefined;
  private place: Place | undefined;
  private shown: Setting | undefined;
  private refine = false;
  private running = false;
  private stop: AbortController | undefined;
  private since = 0;
  private restTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly worker: WorkerClient<typeof work>,
    private readonly events: EngineEvents,
  ) {}

  /** Shows another setting as soon as the worker can. */
  show(setting: Setting): void {
    this.wanted = setting;
    clearTimeout(this.restTimer);
    this.refine = false;
    this.restTimer = setTimeout(() => {
      this.refine = true;
      void this.run();
    }, REST);
    if (performance.now() - this.since > PATIENCE) this.stop?.abort(new DOMException("superseded", "AbortError"));
    void this.run();
  }

  /** Looks at the ball around a place of the picture that is shown. */
  probe(place: Place | undefined): void {
    this.place = place;
    void this.run();
  }

  /** Ends what is under way and forgets what was asked for. */
  cancel(): void {
    clearTimeout(this.restTimer);
    this.wanted = undefined;
    this.place = undefined;
    this.refine = false;
    this.stop?.abort(new DOMException("stopped", "AbortError"));
  }

  /** Whether nothing else is waiting. */
  private get idle(): boolean {
    return this.wanted === undefined && this.place === undefined && !this.refine;
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    const timer = setTimeout(() => this.events.busy(true), MOMENT);
    try {
      while (await this.next()) this.stop = undefined;
    } finally {
      this.running = false;
      this.stop = undefined;
      clearTimeout(timer);
      this.events.busy(false);
    }
  }

  /** Does what is most urgent; false when there is nothing to do. */
  private async next(): Promise<boolean> {
    const { wanted, shown, place } = this;
    const job = new AbortController();
    this.stop = job;
    this.since = performance.now();
    try {
      if (wanted !== undefined) {
        this.wanted = undefined;
        await this.draw(wanted, COARSE, job.signal);
      } else if (this.refine && shown !== undefined) {
        this.refine = false;
        await this.draw(shown, FINE, job.signal);
        const exact = await this.worker.call("exact", shown, { signal: job.signal });
        if (this.wanted === undefined) this.events.exact(shown, exact);
      } else if (place !== undefined && shown !== undefined) {
        this.place = undefined;
        const at = { x: Float64Array.of(place.x, place.y), y: Float64Array.of(1) };
        const quick = await this.worker.call("balls", { ...shown, at }, { signal: job.signal });
        this.events.probe(place, quick);
        if (this.idle) {
          const { square, disc } = await this.worker.call("exact", { ...shown, at }, { signal: job.signal });
          this.events.probe(place, { ...quick, square, disc });
        }
      } else return false;
    } catch (error) {
      if (!job.signal.aborted) {
        this.shown = undefined;
        this.events.failed(error);
      }
    }
    return true;
  }

  private async draw(setting: Setting, size: number, signal: AbortSignal): Promise<void> {
    const surface = await this.worker.call("surface", { ...setting, size, range: RANGE }, { signal });
    this.events.surface(setting, surface, size);
    const again = this.shown === setting;
    this.shown = setting;
    if (!again) this.events.balls(setting, await this.worker.call("balls", setting, { signal }));
  }
}
