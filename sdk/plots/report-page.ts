// A report of certificates as one HTML page that needs nothing else: no script, no request, no font. Radii are shown
// rounded down, distances of adversarial inputs rounded up. Not here: plots (report-figures.ts), pictures
// (report-images.ts), looks (report-style.ts).
import { formatDistance } from "../certify/attacks/report.js";
import type { Certificate } from "../certify/certify.js";
import type { SavedCertificate, SavedReport } from "../certify/report.js";
import { formatRadius } from "../certify/report-file.js";
import type { Dataset } from "../data/dataset.js";
import { accuracyPlot, histogramPlot, type RadiusSeries, seriesOf } from "./report-figures.js";
import { smallPictures } from "./report-images.js";
import { REPORT_STYLE } from "./report-style.js";
import { formatCount, formatLabel, type PlotLibrary } from "./sheet.js";

export interface ReportPageOptions {
  /** The data set of the report, whose images are shown. Default: no images. */
  readonly data?: Dataset | undefined;
  /** Reports of other methods on the same model and samples, drawn beside this one. */
  readonly beside?: readonly SavedReport[] | undefined;
  /** The document to draw in. Default: one of linkedom's, for Node. */
  readonly document?: Document | undefined;
}

/** Images shown: those of the smallest certified radius. */
const SHOWN = 10;

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (value: unknown) => String(value).replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");

const NORMS = { linf: "ℓ∞", l2: "ℓ2", l1: "ℓ1" } as const;
const certified = (radius: number | null) => (radius === null ? "–" : formatRadius(radius));
const attacked = (distance: number | null | undefined) =>
  distance === null || distance === undefined ? "none found" : formatDistance(distance);
const percentOf = (share: number) => `${(100 * share).toFixed(2)}%`;
const ratioText = (ratio: number | null | undefined) => ratio?.toFixed(3) ?? "–";

function tiles({ accuracy, samples, correct, radius, attack }: SavedReport): string {
  const list = [
    [percentOf(accuracy), `accuracy: ${formatCount(correct)} of ${formatCount(samples)}`],
    [certified(radius.mean), "mean certified radius"],
    [certified(radius.median), "median certified radius"],
    [certified(radius.min), "smallest certified radius"],
    ...(attack === undefined
      ? []
      : [
          [attack.radius.mean === null ? "–" : attacked(attack.radius.mean), "mean distance of adversarial inputs"],
          [ratioText(attack.ratio.mean), "certified / attacked, mean: 1 is exact"],
          [ratioText(attack.ratio.median), "certified / attacked, median"],
        ]),
  ];
  const boxes = list.map(
    ([value, name]) => `<div class="tile"><b>${escaped(value)}</b><span>${escaped(name)}</span></div>`,
  );
  return `<div class="tiles">${boxes.join("")}</div>`;
}

/** What was proved, and in which arithmetic. */
function statement({ metadata, norm }: SavedReport): string {
  const estimate = metadata.soundness === "estimate-f64";
  const domain = metadata.domain === "unbounded" ? "" : ` and inside ${metadata.domain}`;
  const ball = `the ${NORMS[norm]} ball of the certified radius${domain}`;
  const says = estimate ? "Estimated, not proved" : "Proved";
  const warning =
    metadata.complete === true
      ? ""
      : `<p class="statement warning">Interrupted: not all samples asked for are here.</p>`;
  return `<p class="statement${estimate ? " warning" : ""}"><b>${says}:</b> ${escaped(metadata.statement)}, in ${escaped(ball)}.</p>${warning}`;
}

function facts({ method, norm, metadata, samples }: SavedReport): string {
  const [low, high] = (metadata.bracket ?? []) as number[];
  const hash = (value: unknown) => (value === "" || value === undefined ? "–" : `<code>${escaped(value)}</code>`);
  const attack = metadata.attack as Record<string, unknown> | undefined;
  const list: (readonly [string, string])[] = [
    ["Model", escaped(metadata.model)],
    ...(typeof metadata.offset === "string" ? [["Offset", escaped(metadata.offset)] as const] : []),
    [
      "Data",
      `${escaped(metadata.data)}, ${formatCount(samples)} samples (${escaped(JSON.stringify(metadata.samples))})`,
    ],
    ["Method", `${escaped(method)}, norm ${NORMS[norm]}, domain ${escaped(metadata.domain)}`],
    [
      "Search",
      `radii from ${low} to ${high}, tolerance ${escaped(metadata.tolerance)}${metadata.timeLimit ? `, at most ${metadata.timeLimit} s a sample` : ""}`,
    ],
    ["Arithmetic", escaped(metadata.arithmetic)],
    ...(attack === undefined
      ? []
      : [["Attack", `${escaped(attack.method)}, ${attack.restarts} starts, ${attack.steps} steps a radius`] as const]),
    ["Model hash", hash(metadata.modelHash)],
    ["Data hash", hash(metadata.dataHash)],
    ["Training data hash", hash(metadata.trainingDataHash)],
    ["Version", `ntkit ${escaped(metadata.version)}`],
  ];
  return `<dl>${list.map(([name, value]) => `<dt>${name}</dt><dd>${value}</dd>`).join("")}</dl>`;
}

function legend(series: readonly RadiusSeries[]): string {
  const items = series.map(
    ({ name, colour, dash }) =>
      `<li><i${dash === undefined ? "" : ' class="dashed"'} style="--colour:${colour}"></i>${escaped(name)}</li>`,
  );
  const band = series.some(({ dash }) => dash !== undefined)
    ? ['<li><i class="band" style="--colour:var(--unknown)"></i>unknown</li>']
    : [];
  return `<ul class="legend">${[...items, ...band].join("")}</ul>`;
}

function plots(reports: readonly SavedReport[], plot: PlotLibrary, document: Document): string {
  const series = seriesOf(reports);
  const norm = NORMS[reports[0]?.norm ?? "linf"];
  const draw = (options: object, name: string) => {
    const svg = plot.plot({ document, ...options });
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", name);
    return svg.outerHTML;
  };
  return `<h2>Accuracy over the radius</h2>
<p class="soft">Share of samples classified correctly and proved to stay so within each radius${series.some(({ dash }) => dash !== undefined) ? "; above it, the share that no attack has broken" : ""}.</p>
<div class="plots"><figure>${legend(series)}${draw(accuracyPlot(series, norm, plot), "accuracy over the radius")}</figure></div>
<h2>Histograms of radii</h2>
<div class="plots"><figure>${draw(histogramPlot(series, norm, plot), "histograms of radii")}</figure></div>`;
}

/** A sample as the run had it, with its adversarial input, or as a file kept it, without. */
type ShownSample = SavedCertificate & Pick<Certificate, "adversarial">;

function images({ perSample }: SavedReport, data: Dataset): string {
  const samples: readonly ShownSample[] = perSample;
  const smallest = samples
    .filter(({ correct }) => correct)
    .toSorted((a, b) => a.radius - b.radius || a.index - b.index)
    .slice(0, SHOWN);
  const shown = smallest.map(({ index, label, radius, attackRadius, adversarial }) => {
    const pictures = smallPictures(data, index, adversarial);
    const boxes = pictures.map(
      ({ name, url }) => `<span><img src="${url}" alt="${name} of row ${index}"><small>${name}</small></span>`,
    );
    const upper = attackRadius === undefined ? "" : `<br>attacked ${attacked(attackRadius)}`;
    const caption = `row ${index}, label ${formatLabel(label)}<br>certified ${certified(radius)}${upper}`;
    return {
      columns: pictures.length,
      html: `<figure><div>${boxes.join("")}</div><figcaption>${caption}</figcaption></figure>`,
    };
  });
  const columns = Math.max(0, ...shown.map((one) => one.columns));
  if (columns === 0) return "";
  const note =
    columns > 1
      ? `<p class="soft">Differences: red was added, blue taken away, full colour at the largest entry.</p>`
      : "";
  const wide = columns > 1 ? "260px" : "120px";
  return `<h2>Smallest certified radii</h2>${note}<div class="images" style="--wide:${wide}">${shown.map(({ html }) => html).join("")}</div>`;
}

type Cell = readonly [text: string, isText?: boolean];

function table(header: readonly Cell[], rows: readonly (readonly string[])[]): string {
  const side = (k: number) => (header[k]?.[1] === true ? ' class="text"' : "");
  const head = header.map(([text], k) => `<th${side(k)}>${text}</th>`).join("");
  const body = rows.map((row) => `<tr>${row.map((text, k) => `<td${side(k)}>${escaped(text)}</td>`).join("")}</tr>`);
  return `<div class="table"><table><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table></div>`;
}

function gaps({ attack }: SavedReport): string {
  if (attack === undefined || attack.worst.length === 0) return "";
  const rows = attack.worst.map(({ index, radius, attackRadius, ratio }) => [
    String(index),
    certified(radius),
    attacked(attackRadius),
    ratioText(ratio),
  ]);
  return `<h2>Where most is unknown</h2>${table([["row"], ["certified"], ["attacked"], ["ratio"]], rows)}`;
}

function sampleTable({ perSample, attack }: SavedReport): string {
  const header: Cell[] = [["row"], ["label"], ["prediction"], ["decision"], ["certified"]];
  const beside: Cell[] = attack === undefined ? [] : [["attacked"], ["ratio"]];
  const rows = perSample.map(
    ({ index, label, prediction, decision, radius, attackRadius, ratio, verdict, timedOut }) => [
      String(index),
      formatLabel(label),
      prediction === 0 ? "0" : formatLabel(prediction),
      decision.toPrecision(5).replace("-", "−"),
      certified(radius),
      ...(attack === undefined ? [] : [attacked(attackRadius), ratioText(ratio)]),
      verdict + (timedOut === true ? ", time limit" : ""),
    ],
  );
  return `<h2>Every sample</h2>${table([...header, ...beside, ["verdict", true]], rows)}`;
}

/** Curves are comparable only for the same model, samples and balls. */
function checkBeside(report: SavedReport, other: SavedReport, k: number): void {
  const comparable = ({ norm, metadata }: SavedReport) => ({ ...metadata, norm }) as Record<string, unknown>;
  const [own, theirs] = [comparable(report), comparable(other)];
  for (const field of ["modelHash", "dataHash", "samples", "seed", "shard", "norm", "domain", "offset"])
    if (JSON.stringify(own[field]) !== JSON.stringify(theirs[field]))
      throw new RangeError(`beside[${k}]: expected a report of the same model and samples, got another ${field}`);
}

/**
 * The page of a report as HTML text, complete in itself. Loads Observable Plot, and linkedom unless a document is given.
 * @throws RangeError when the data, or a report beside it, is another one than the report's
 */
export async function reportPage(report: SavedReport, options: ReportPageOptions = {}): Promise<string> {
  const { data, beside = [] } = options;
  if (data !== undefined && (await data.hash()) !== report.metadata.dataHash)
    throw new RangeError("data: expected the data set that was certified, got one with another hash");
  beside.forEach((other, k) => {
    checkBeside(report, other, k);
  });
  const [plot, document] = await Promise.all([import("@observablehq/plot"), options.document ?? newDocument()]);
  const title = `Certified robustness: ${report.metadata.model}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<main>
<header>
<h1>Certified robustness</h1>
<p class="soft">${escaped(report.metadata.model)} on ${escaped(report.metadata.data)}</p>
${statement(report)}
</header>
${tiles(report)}
${plots([report, ...beside], plot, document)}
${data === undefined ? "" : images(report, data)}
${gaps(report)}
<h2>What was certified, and how</h2>
${facts(report)}
${sampleTable(report)}
<footer>Radii are rounded down, distances of adversarial inputs up. Written by ntkit ${escaped(report.metadata.version)}.</footer>
</main>
</body>
</html>
`;
}

async function newDocument(): Promise<Document> {
  const { parseHTML } = await import("linkedom");
  return parseHTML("<!doctype html><html><body></body></html>").document as unknown as Document;
}
