// Certified radii of networks against width on log-log axes: Appendix H.2 as a picture.
// Not here: the measuring (experiments/certificate-width.ts).
import {
  type CertificateStage,
  type CertificateWidthResult,
  PARAMETERIZATIONS,
  STAGES,
} from "../experiments/certificate-width.js";
import {
  COLOURS,
  drawSheet,
  formatCount,
  formatSlope,
  type Panel,
  type PlotDefinition,
  type PlotLibrary,
} from "./sheet.js";
import { type WidthSeries, widthPanel } from "./width.js";

const LOOKS = {
  ntk: { name: "NTK parameterisation", colour: COLOURS.blue, symbol: "circle" },
  lecun: { name: "LeCun initialisation", colour: COLOURS.vermilion, symbol: "triangle" },
} as const;

const PANELS: Readonly<Record<CertificateStage, { readonly title: string; readonly label: string }>> = {
  start: { title: "as drawn", label: "mean radius of the sign of f₀, ℓ∞" },
  trained: { title: "after training", label: "mean radius where correct, ℓ∞" },
};

function panelOf(plot: PlotLibrary, { points, fits }: CertificateWidthResult, stage: CertificateStage): Panel[] {
  const series = PARAMETERIZATIONS.flatMap((parameterization): WidthSeries[] => {
    const own = points.filter((point) => point.stage === stage && point.parameterization === parameterization);
    const drawn = own.flatMap(({ width, radius }) =>
      radius === null || radius === 0 ? [] : [{ width, value: radius }],
    );
    const law = fits.find((fit) => fit.stage === stage && fit.parameterization === parameterization)?.law;
    return drawn.length === 0 ? [] : [{ ...LOOKS[parameterization], points: drawn, law }];
  });
  const { title, label } = PANELS[stage];
  return series.length === 0 ? [] : [widthPanel(plot, title, label, series)];
}

const settingsText = ({ settings }: CertificateWidthResult): string => {
  const { data, n, samples, depth, epochs, learningRate, lambda, batch, seeds, starts } = settings;
  const layers = depth === 1 ? "one hidden layer" : `${depth} hidden layers`;
  const drawn =
    starts === 0
      ? ""
      : `As drawn: the sign of f₀, mean of ${starts} networks a width, one function in either parameterisation. `;
  const rate = `learning rate ${learningRate} (LeCun: divided by the width)`;
  return (
    `ReLU networks with ${layers}, interval bound propagation on ${formatCount(samples)} test rows. ${drawn}` +
    `After training: f − f₀ with f₀ kept at the centre, ${seeds} networks a width on ${formatCount(n)} rows of ${data}, ` +
    `${epochs} epochs, batches of ${batch}, ${rate}, λ = ${lambda}.`
  );
};

export const certificateWidthPlot: PlotDefinition<CertificateWidthResult> = {
  name: "certificate-width",
  draw(plot, document, result) {
    const slopes = result.fits.map(
      ({ stage, parameterization, law }) =>
        `${PANELS[stage].title}, ${LOOKS[parameterization].name}: ${formatSlope(law)}`,
    );
    const fitted = slopes.length === 0 ? "" : ` Fitted: ${slopes.join("; ")}.`;
    const panels = STAGES.flatMap((stage) => panelOf(plot, result, stage));
    return drawSheet(plot, document, {
      title: "Appendix H.2: what interval bound propagation certifies, against width",
      caption: settingsText(result) + fitted,
      panels,
      columns: Math.max(1, panels.length),
    });
  },
};
