// Table 2 of the paper: certified radii of trained two-layer networks by width, beside the SVM that is their limit.
// How a network is trained and certified can be replaced, so that other bounds can stand behind a row.
// Not here: the paper's own figures and the table's look (the command line), the picture (plots/table2.ts).
import { type Certificate, type CertifyOptions, certify } from "../certify/certify.js";
import {
  MACHINE_METHODS,
  type MachineMethod,
  type Method,
  NETWORK_METHODS,
  type NetworkMethod,
} from "../certify/method.js";
import { type Report, type Summary, summarize } from "../certify/report.js";
import type { Dataset } from "../data/dataset.js";
import { ntk } from "../kernels/kernel.js";
import { svmSgdSeeds } from "../machines/svm-sgd.js";
import { trainNetwork } from "../networks/model.js";
import { network } from "../networks/network.js";
import type { BackendName } from "../networks/training.js";
import { runtimeOf, type WorkOptions } from "../runtime/runtime.js";
import { checkChoice, checkObject, describe } from "../validate.js";
import { draw, experimentData } from "./data.js";
import type { ExperimentOptions } from "./follow.js";
import { checkCommon, checkCount, checkList, checkWidth } from "./options.js";
import { fitPowerLaw, type PowerLaw } from "./slope.js";

/** Section 5's training. */
export const TABLE2_TRAINING = { loss: "hinge", learningRate: 1, lambda: 0.001, batch: 64 } as const;

/** One network of the table: to be trained on `train` with these settings and certified on `test`. */
export interface NetworkRun {
  readonly width: number;
  readonly seed: number;
  readonly epochs: number;
  readonly training: typeof TABLE2_TRAINING;
  readonly backend: BackendName | "auto";
  readonly train: Dataset;
  readonly test: Dataset;
  readonly samples: CertifyOptions["samples"];
  /** Seed of random samples, the same for every row. */
  readonly sampleSeed: number;
  readonly methods: readonly NetworkMethod[];
}

/** A report for each of the run's methods, in their order. */
export type CertifyNetwork = (run: NetworkRun, work: WorkOptions) => Promise<readonly Report[]>;

/** Rows that bounds by relaxation see where all are asked for: they take up to seconds each. */
const FEW_SAMPLES = 100;

/** trainNetwork(), then each of the methods. */
export const trainAndCertify: CertifyNetwork = async (run, work) => {
  const { width, seed, epochs, training, backend, train, test, samples, sampleSeed, methods } = run;
  const spec = network({ widths: [width], seed });
  const model = await trainNetwork(spec, train, { ...training, epochs, backend, seed, ...work });
  const reports: Report[] = [];
  for (const method of methods) {
    const quick = method === "ibp" || method === "ibp-difference";
    const own = quick || samples !== "all" ? samples : FEW_SAMPLES;
    reports.push(await certify(model, test, { ...work, method, samples: own, seed: sampleSeed }));
  }
  return reports;
};

export interface Table2Options extends ExperimentOptions {
  /** Trains and certifies one network. Default trainAndCertify. */
  readonly certifyNetwork?: CertifyNetwork | undefined;
  /** Default [1000, 10000]. */
  readonly widths?: readonly number[] | undefined;
  /** Networks of each width, and descents of the SVM: seeds seed, seed + 1, ... Default 5. */
  readonly seeds?: number | undefined;
  /** Default 300. */
  readonly epochs?: number | undefined;
  /** Training rows, drawn with the seed: to try a width where all of them take too long. Default: all, as the paper. */
  readonly n?: number | undefined;
  /** Which test rows (certify()). Default "all", for bounds of networks by relaxation the first 100. */
  readonly samples?: CertifyOptions["samples"];
  /** Bounds of the networks, a row each. Default ["ibp"], the paper's. */
  readonly methods?: readonly NetworkMethod[] | undefined;
  /** Bound of the SVM. Default "interval", the paper's. */
  readonly svmMethod?: MachineMethod | undefined;
  /** Whether the SVM's row is measured. Default true. */
  readonly svm?: boolean | undefined;
}

export interface Table2Row {
  readonly model: "network" | "svm";
  readonly method: Method;
  /** null for the SVM: infinite. */
  readonly width: number | null;
  readonly samples: number;
  readonly accuracy: number;
  /** Radii of the correctly classified rows, of all seeds together. */
  readonly radius: Summary;
  readonly seeds: readonly { readonly seed: number; readonly accuracy: number; readonly radius: number | null }[];
}

export interface Table2Result {
  readonly experiment: "table2";
  readonly settings: { readonly data: string; readonly n: number; readonly epochs: number; readonly seed: number };
  readonly rows: readonly Table2Row[];
  /** Mean radius by the first method of each network against width; absent with one width only. Appendix H.2 says -1/2. */
  readonly fit?: PowerLaw;
}

function figuresOf(certificates: readonly Certificate[]) {
  const correct = certificates.filter((certificate) => certificate.correct);
  return {
    accuracy: correct.length / Math.max(1, certificates.length),
    radius: summarize(correct.map(({ radius }) => radius)),
  };
}

function rowOf(
  { model, method, width }: Pick<Table2Row, "model" | "method" | "width">,
  first: number,
  reports: readonly Report[],
): Table2Row {
  const seeds = reports.map(({ perSample }, k) => {
    const { accuracy, radius } = figuresOf(perSample);
    return { seed: first + k, accuracy, radius: radius.mean };
  });
  const all = figuresOf(reports.flatMap(({ perSample }) => perSample));
  return { model, method, width, samples: reports[0]?.samples ?? 0, ...all, seeds };
}

function resolve(options: Table2Options) {
  checkObject("options", options);
  const { certifyNetwork = trainAndCertify, svm = true } = options;
  if (typeof certifyNetwork !== "function")
    throw new TypeError(`certifyNetwork: expected a function, got ${describe(certifyNetwork)}`);
  if (typeof svm !== "boolean") throw new TypeError(`svm: expected a boolean, got ${describe(svm)}`);
  const widths = checkList("widths", options.widths ?? [1000, 10_000], checkWidth);
  return {
    ...checkCommon(options),
    certifyNetwork,
    widths: [...new Set(widths)].sort((a, b) => a - b),
    count: checkCount("seeds", options.seeds ?? 5),
    epochs: checkCount("epochs", options.epochs ?? 300),
    n: options.n === undefined ? undefined : checkCount("n", options.n),
    samples: options.samples ?? "all",
    svm,
    methods: checkList(
      "methods",
      options.methods ?? ["ibp"],
      (name, value) => checkChoice(name, value, NETWORK_METHODS),
      "method",
    ),
    svmMethod: checkChoice("svmMethod", options.svmMethod ?? "interval", MACHINE_METHODS),
  };
}

/** Measures Table 2. @throws TypeError, RangeError, and as training and certifying */
export async function table2(options: Table2Options = {}): Promise<Table2Result> {
  const { certifyNetwork, widths, count, epochs, n, samples, svm, seed, backend, methods, svmMethod } =
    resolve(options);
  const runtime = await runtimeOf(options);
  const work = { runtime, signal: options.signal };
  const { train: all, test } = await experimentData(options);
  const train = n === undefined ? all : draw(runtime, all, n, seed, "train");
  const seeds = Array.from({ length: count }, (_, k) => seed + k);
  const rows: Table2Row[] = [];
  // A network costs as its width; the SVM about as a network of 500 neurons.
  const total = count * (widths.reduce((sum, width) => sum + width, 0) + (svm ? 500 : 0));
  let spent = 0;
  let shown = 0;
  const within = (stage: string, weight: number): WorkOptions => ({
    ...work,
    onProgress: (part) => {
      // Each stage of a row counts from 0, so the whole is kept from going backwards.
      shown = Math.max(shown, spent + weight * Math.min(1, part.done / Math.max(1, part.total)));
      options.onProgress?.({ stage: `${stage}: ${part.stage}`, done: shown, total });
    },
  });
  for (const width of widths) {
    const reports: (readonly Report[])[] = [];
    for (const own of seeds) {
      const run = {
        methods,
        width,
        seed: own,
        epochs,
        training: TABLE2_TRAINING,
        backend,
        train,
        test,
        samples,
        sampleSeed: seed,
      };
      reports.push(await certifyNetwork(run, within(`width ${width}, seed ${own}`, width)));
      spent += width;
    }
    for (const [k, method] of methods.entries()) {
      const own = reports.flatMap((list) => list[k] ?? []);
      rows.push(rowOf({ model: "network", method, width }, seed, own));
    }
  }
  if (svm) {
    const { learningRate, lambda, batch } = TABLE2_TRAINING;
    const trainer = svmSgdSeeds({ kernel: ntk(), seeds, learningRate, lambda, batch, epochs });
    const machines = await trainer.fit(train, within("SVM", 250 * count));
    spent += 250 * count;
    const reports: Report[] = [];
    for (const machine of machines) {
      reports.push(await certify(machine, test, { ...within("SVM", 250), method: svmMethod, samples, seed }));
      spent += 250;
    }
    rows.push(rowOf({ model: "svm", method: svmMethod, width: null }, seed, reports));
  }
  const settings = { data: train.name, n: train.n, epochs, seed };
  const points = rows.flatMap(({ method, width, seeds: own }) =>
    own.flatMap(({ radius }) =>
      method !== methods[0] || width === null || radius === null || radius === 0 ? [] : [{ width, radius }],
    ),
  );
  const result = { experiment: "table2" as const, settings, rows };
  if (new Set(points.map(({ width }) => width)).size < 2) return result;
  const [x, y] = [points.map(({ width }) => width), points.map(({ radius }) => radius)];
  return { ...result, fit: fitPowerLaw(x, y) };
}
