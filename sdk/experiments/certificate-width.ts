// Appendix H.2 of the paper: what interval bound propagation certifies of a finite network falls like width^(-1/2), in
// the NTK parameterisation and with LeCun initialisation alike, and faster in deeper networks. Mean radii against width,
// of networks as they are drawn and after training, with fitted powers. Not here: the bounds (certify/), the picture
// (plots/certificate-width.ts).
import { type Certificate, certify } from "../certify/certify.js";
import { chooseSamples } from "../certify/samples.js";
import type { Dataset } from "../data/dataset.js";
import { initialWeights } from "../networks/initial.js";
import { NetworkModel, trainNetwork } from "../networks/model.js";
import { type NetworkSpec, network, type Parameterization } from "../networks/network.js";
import { type Runtime, runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkNumber, checkObject } from "../validate.js";
import { draw, experimentData } from "./data.js";
import type { ExperimentOptions } from "./follow.js";
import { checkCommon, checkCount, checkList, checkRate, checkWidth } from "./options.js";
import { fitPowerLaw, type PowerLaw } from "./slope.js";

export const PARAMETERIZATIONS = ["ntk", "lecun"] as const satisfies readonly Parameterization[];

/** When a network is certified: as it is drawn, or after training. */
export const STAGES = ["start", "trained"] as const;
export type CertificateStage = (typeof STAGES)[number];

export interface CertificateWidthOptions extends ExperimentOptions {
  /** Default [256, 512, 1024, 2048, 4096, 8192]. */
  readonly widths?: readonly number[] | undefined;
  /** Hidden layers, all of the same width. Default 1. */
  readonly depth?: number | undefined;
  /** Trained networks of each width: seeds seed, seed + 1, ... Default 2. */
  readonly seeds?: number | undefined;
  /** Networks of each width that are certified as they are drawn, seeds likewise; 0 leaves them out. Default 32. */
  readonly starts?: number | undefined;
  /** Default 10. */
  readonly epochs?: number | undefined;
  /** Learning rate of the NTK parameterisation; with LeCun initialisation it is divided by the width. Default 1. */
  readonly learningRate?: number | undefined;
  /** Default 0.001. */
  readonly lambda?: number | undefined;
  /** Rows in a batch. Default 64. */
  readonly batch?: number | undefined;
  /** Training rows, drawn by seed. Default: all. */
  readonly n?: number | undefined;
  /** Test rows certified: the first so many, or "all". Default 200. */
  readonly samples?: number | "all" | { readonly random: number } | undefined;
  /** Confidence level of the slopes' intervals. Default 0.95. */
  readonly level?: number | undefined;
}

/** Mean certified radius at one width; of a network after training, or of all those drawn there. */
export interface CertificatePoint {
  readonly stage: CertificateStage;
  readonly parameterization: Parameterization;
  readonly width: number;
  /** Seed of the one network, or of the first of `networks`. */
  readonly seed: number;
  readonly networks: number;
  /** After training of the correctly classified rows (null: none); at the start, where labels mean nothing, of all. */
  readonly radius: number | null;
  /** Share of correctly classified rows; null at the start. */
  readonly accuracy: number | null;
}

export interface CertificateFit {
  readonly stage: CertificateStage;
  readonly parameterization: Parameterization;
  readonly law: PowerLaw;
}

export interface CertificateWidthResult {
  readonly experiment: "certificate-width";
  readonly settings: {
    readonly data: string;
    readonly n: number;
    readonly samples: number;
    readonly depth: number;
    readonly epochs: number;
    readonly learningRate: number;
    readonly lambda: number;
    readonly batch: number;
    readonly seed: number;
    readonly seeds: number;
    readonly starts: number;
  };
  readonly points: readonly CertificatePoint[];
  /** Powers of the width, of each stage and parameterisation; empty with one width only. */
  readonly fits: readonly CertificateFit[];
}

function resolve(options: CertificateWidthOptions) {
  checkObject("options", options);
  const widths = checkList("widths", options.widths ?? [256, 512, 1024, 2048, 4096, 8192], checkWidth);
  return {
    ...checkCommon(options),
    widths: [...new Set(widths)].sort((a, b) => a - b),
    depth: checkNumber("depth", options.depth ?? 1, { min: 1, max: 100, integer: true }),
    seeds: checkNumber("seeds", options.seeds ?? 2, { min: 1, max: 1000, integer: true }),
    starts: checkNumber("starts", options.starts ?? 32, { min: 0, max: 10_000, integer: true }),
    epochs: checkCount("epochs", options.epochs ?? 10),
    learningRate: checkRate("learningRate", options.learningRate ?? 1),
    lambda: checkNumber("lambda", options.lambda ?? 0.001, { min: 0 }),
    batch: checkCount("batch", options.batch ?? 64),
    n: options.n === undefined ? undefined : checkCount("n", options.n),
    samples: options.samples ?? 200,
    level: checkNumber("level", options.level ?? 0.95, { min: 0, open: true, max: 1 - 1e-9 }),
  };
}

type Resolved = ReturnType<typeof resolve>;

/** Training that moves f alike at every width and in either parameterisation. */
function trainingOf({ learningRate, lambda, batch }: Resolved, { parameterization, widths }: NetworkSpec) {
  // Without the factor 1 / sqrt(m) the output layer's share of the tangent kernel is m times as large.
  const rate = parameterization === "ntk" ? learningRate : learningRate / (widths.at(-1) ?? 1);
  return { loss: "hinge", learningRate: rate, lambda, batch } as const;
}

/** The network as it is drawn, a model of f_0 itself. */
async function drawnModel(runtime: Runtime, spec: NetworkSpec, data: Dataset): Promise<NetworkModel> {
  return new NetworkModel({
    spec,
    inputs: data.d,
    weights: await initialWeights(spec, data.d, { runtime }),
    centred: false,
    eightBit: data.x instanceof Uint8Array,
    scale: data.scale,
    loss: "hinge",
    parameters: { epochs: 0 },
    history: [],
    dataHash: "",
    dataName: data.name,
  });
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

class Sweep {
  readonly points: CertificatePoint[] = [];
  private spent = 0;
  private shown = 0;

  constructor(
    private readonly resolved: Resolved,
    private readonly data: { readonly train: Dataset; readonly test: Dataset },
    private readonly options: CertificateWidthOptions,
    private readonly runtime: Runtime,
  ) {}

  /** In units of its neurons: a network that is only drawn costs about a twentieth of an epoch. */
  private cost(width: number, stage: CertificateStage): number {
    const { depth, epochs } = this.resolved;
    return width ** Math.min(2, depth) * (stage === "trained" ? 20 * epochs : 1);
  }

  private get total(): number {
    const { widths, seeds, starts } = this.resolved;
    const each = widths.map((width) => seeds * this.cost(width, "trained") + starts * this.cost(width, "start"));
    return PARAMETERIZATIONS.length * each.reduce((sum, own) => sum + own, 0);
  }

  private within(stage: string, weight: number): WorkOptions {
    return {
      runtime: this.runtime,
      signal: this.options.signal,
      onProgress: ({ done, total }) => {
        // Each part of a network's work counts from 0, so the whole is kept from going backwards.
        this.shown = Math.max(this.shown, this.spent + weight * Math.min(1, done / Math.max(1, total)));
        this.options.onProgress?.({ stage, done: this.shown, total: this.total });
      },
    };
  }

  private async certificates(model: NetworkModel, work: WorkOptions): Promise<readonly Certificate[]> {
    const { samples, seed } = this.resolved;
    return (await certify(model, this.data.test, { ...work, method: "ibp", samples, seed })).perSample;
  }

  /** One point for all networks: f_0 of one network has nearly one sign and size on all images of a kind. */
  async start(parameterization: Parameterization, width: number): Promise<void> {
    const { depth, seed, starts } = this.resolved;
    const radii: number[] = [];
    for (let own = seed; own < seed + starts; own++) {
      const spec = network({ widths: new Array(depth).fill(width), parameterization, seed: own });
      const weight = this.cost(width, "start");
      const model = await drawnModel(this.runtime, spec, this.data.test);
      const found = await this.certificates(model, this.within(`width ${width} as drawn`, weight));
      radii.push(mean(found.map(({ radius }) => radius)));
      this.spent += weight;
    }
    const networks = { seed, networks: starts };
    this.points.push({ stage: "start", parameterization, width, ...networks, radius: mean(radii), accuracy: null });
  }

  async trained(parameterization: Parameterization, width: number, seed: number): Promise<void> {
    const { resolved } = this;
    const { depth, epochs, backend } = resolved;
    const spec = network({ widths: new Array(depth).fill(width), parameterization, seed });
    const weight = this.cost(width, "trained");
    const work = this.within(`width ${width}, ${parameterization}, seed ${seed}`, weight);
    const training = { ...trainingOf(resolved, spec), epochs, backend, seed };
    const model = await trainNetwork(spec, this.data.train, { ...training, ...work });
    const found = await this.certificates(model, work);
    this.spent += weight;
    const correct = found.filter((own) => own.correct);
    const accuracy = correct.length / found.length;
    const radius = correct.length === 0 ? null : mean(correct.map((own) => own.radius));
    this.points.push({ stage: "trained", parameterization, width, seed, networks: 1, radius, accuracy });
  }
}

function fitsOf(points: readonly CertificatePoint[], level: number): CertificateFit[] {
  const fits: CertificateFit[] = [];
  for (const stage of STAGES)
    for (const parameterization of PARAMETERIZATIONS) {
      const own = points.filter((point) => point.stage === stage && point.parameterization === parameterization);
      const proved = own.flatMap(({ width, radius }) => (radius === null || radius === 0 ? [] : [{ width, radius }]));
      const widths = proved.map(({ width }) => width);
      const radii = proved.map(({ radius }) => radius);
      if (new Set(widths).size >= 2) fits.push({ stage, parameterization, law: fitPowerLaw(widths, radii, level) });
    }
  return fits;
}

/** Measures certificates against width. @throws TypeError, RangeError, and as training and certifying */
export async function certificateWidth(options: CertificateWidthOptions = {}): Promise<CertificateWidthResult> {
  const resolved = resolve(options);
  const { widths, depth, seeds, starts, epochs, learningRate, lambda, batch, seed, n, level } = resolved;
  const runtime = await runtimeOf(options);
  const { train: all, test } = await experimentData(options);
  const train = draw(runtime, all, n ?? all.n, seed, "train");
  // Also a check of `samples` before hours of training.
  const chosen = await chooseSamples(test.n, resolved.samples, seed, { runtime });
  const sweep = new Sweep(resolved, { train, test }, options, runtime);
  for (const width of widths)
    for (const parameterization of PARAMETERIZATIONS) {
      if (starts > 0) await sweep.start(parameterization, width);
      for (let k = 0; k < seeds; k++) await sweep.trained(parameterization, width, seed + k);
    }
  const { points } = sweep;
  const sizes = { data: train.name, n: train.n, samples: chosen.length };
  const settings = { ...sizes, depth, epochs, learningRate, lambda, batch, seed, seeds, starts };
  return { experiment: "certificate-width", settings, points, fits: fitsOf(points, level) };
}
