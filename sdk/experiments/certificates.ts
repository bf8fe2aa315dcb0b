// What can be proved of networks, against width, by each bound: interval propagation and one linear relaxation fall as the
// width grows, each neuron paired with itself at the start stays, and neurons that switch counted together rise towards
// the machine that is the limit. Not here: Table 2 itself (table2.ts), the picture (plots/certificates.ts).
import type { NetworkMethod } from "../certify/method.js";
import { checkNumber, checkObject } from "../validate.js";
import { CERTIFICATE_METHODS } from "./choices.js";
import { type Table2Options, type Table2Row, table2 } from "./table2.js";

export { CERTIFICATE_METHODS };

export interface CertificatesOptions extends Omit<Table2Options, "svm" | "svmMethod"> {
  /** Default [256, 1024, 4096]. */
  readonly widths?: readonly number[] | undefined;
  /** Networks of each width. Default 1. */
  readonly seeds?: number | undefined;
  /** Default 100. */
  readonly epochs?: number | undefined;
  /** Which test rows. Default the first 20. */
  readonly samples?: Table2Options["samples"];
  /** Default CERTIFICATE_METHODS. */
  readonly methods?: readonly NetworkMethod[] | undefined;
  /** Mean radius of the infinitely wide network. Default: that of its SVM by the method "best" on the same rows. */
  readonly infinite?: number | undefined;
}

export interface CertificatesResult {
  readonly experiment: "certificates";
  readonly settings: {
    readonly data: string;
    readonly n: number;
    readonly epochs: number;
    readonly seed: number;
    readonly seeds: number;
    readonly samples: number;
  };
  /** One for each width and method. */
  readonly rows: readonly Table2Row[];
  /** null where no radius of the machine was proved. */
  readonly infinite: number | null;
}

/** Measures the certificates. @throws TypeError, RangeError, and as table2() */
export async function certificates(options: CertificatesOptions = {}): Promise<CertificatesResult> {
  checkObject("options", options);
  const given = options.infinite;
  if (given !== undefined) checkNumber("infinite", given, { min: 0, open: true });
  const seeds = options.seeds ?? 1;
  const { settings, rows } = await table2({
    ...options,
    widths: options.widths ?? [256, 1024, 4096],
    seeds,
    epochs: options.epochs ?? 100,
    samples: options.samples ?? 20,
    methods: options.methods ?? CERTIFICATE_METHODS,
    svm: given === undefined,
    svmMethod: "best",
  });
  const networks = rows.filter(({ model }) => model === "network");
  return {
    experiment: "certificates",
    settings: { ...settings, seeds, samples: networks[0]?.samples ?? 0 },
    rows: networks,
    infinite: given ?? rows.find(({ model }) => model === "svm")?.radius.mean ?? null,
  };
}
