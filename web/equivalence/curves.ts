// What the demo keeps of a run, live or stored, and the settings that make one. Not here: how it is computed (work.ts).

/** Widths of the slider: 16, 32, ..., 16384, and infinity, which is null in addresses and files. */
export const WIDTHS: readonly number[] = [
  ...Array.from({ length: 11 }, (_, k) => 2 ** (k + 4)),
  Number.POSITIVE_INFINITY,
];

/** Rows of the test set whose outputs are drawn: two zeros and two ones. */
export const SHOWN = 4;

/** Training rows on which the tangent kernel is followed. */
export const KERNEL_ROWS = 16;

export const RATES = ["0.1", "1", "5"] as const;

/** lambda of every run. */
export const LAMBDA = 0.001;

/** Steps of a stored run, and of a live one before it doubles. */
export const STEPS = 256;

/** Steps after which both sides are looked at, up to `last`: every one at first, then every eighth. */
export function looks(last: number): number[] {
  const early = [0, 1, 2, 3, 4, 6, 8, 10, 12, 14];
  return [...early, ...Array.from({ length: Math.ceil(last / 8) - 1 }, (_, k) => 8 * (k + 2))].filter((k) => k <= last);
}

/** What is drawn of one look. */
export interface Look {
  readonly step: number;
  /** Outputs at the shown test points. */
  readonly f?: readonly number[] | undefined;
  readonly g: readonly number[];
  readonly hingeF?: number | undefined;
  readonly hingeG: number;
  /** Root mean square and largest |f - g| over all test points. */
  readonly rms?: number | undefined;
  readonly largest?: number | undefined;
  readonly drift?: number | undefined;
}

/** Where a run computes. */
export interface Place {
  /** Undefined at infinite width. */
  readonly backend: string | undefined;
  /** Threads of the core; 0: one, the worker's own. */
  readonly threads: number;
}

/** The gap of one run at its last look. */
export interface Gap {
  readonly width: number;
  readonly rms: number;
}

/** Runs that were made before (data/equivalence.json): one for each width of the slider, of one seed and rate. */
export interface Stored {
  readonly seed: number;
  readonly rate: string;
  /** Exponent of the last gaps in the width, and its 95% interval. */
  readonly law: { readonly slope: number; readonly interval: readonly [number, number] };
  readonly runs: readonly (readonly Look[])[];
}

/** What stands on the slider at a width. */
export const nameOf = (width: number) => (Number.isFinite(width) ? width.toLocaleString("en-GB") : "∞");

export const latest = (looks: readonly Look[]): Look | undefined => looks.at(-1);

/** The stored run of these settings; empty where there is none. */
export function storedRun(
  stored: Stored | undefined,
  { width, rate, seed }: { readonly width: number; readonly rate: string; readonly seed: number },
): readonly Look[] {
  if (stored === undefined || stored.seed !== seed || stored.rate !== rate) return [];
  return stored.runs[WIDTHS.indexOf(width)] ?? [];
}

/** The last gap of every stored run. */
export function gapsOf(stored: Stored | undefined): Gap[] {
  return (stored?.runs ?? []).flatMap((run, k) => {
    const [width = 0, rms] = [WIDTHS[k], latest(run)?.rms];
    return rms === undefined || rms === null ? [] : [{ width, rms }];
  });
}

/** Where a run computes, in words. */
export function placeOf(place: Place | undefined): string {
  if (place === undefined) return "";
  const core = place.threads > 1 ? `WebAssembly on ${place.threads} threads` : "WebAssembly on one thread";
  if (place.backend === undefined) return `The machine alone, in ${core}.`;
  if (place.backend === "webgpu") return `The network trains on WebGPU, the machine in ${core}.`;
  return `Network and machine train in ${core}.`;
}

/** The same run with the SDK. */
export function codeOf({
  width,
  rate,
  seed,
}: {
  readonly width: number;
  readonly rate: number;
  readonly seed: number;
}): string {
  return `import { mnist, openComparison } from "ntkit";

const all = await mnist({ digits: [0, 1] });
const first = Array.from({ length: 64 }, (_, i) => i);
const [train, test] = [all.train.subset(first), all.test.subset(first)];
const run = await openComparison({
  train,
  test,
  width: ${width},
  learningRate: ${rate},
  lambda: ${LAMBDA},
  seed: ${seed},
  kernelRows: ${KERNEL_ROWS},
});
for (let step = 0; step < ${STEPS}; step += 8) {
  await run.steps(8);
  const { machine, network, difference, drift } = await run.point({ kernel: true });
  console.log(run.step, network?.hinge, machine.hinge, difference?.rms, drift);
}
run.dispose();
`;
}
