// Theorem 3.5 as a picture: differences of networks from their machines against width, lambda and training rows, and how far
// weights move. Not here: the measuring (theory/finite-width.ts).
import {
  type FiniteWidthResult,
  VARIED,
  type Varied,
  WIDTH_SETTINGS,
  type WidthSetting,
} from "../theory/finite-width.js";
import { COLOURS, drawSheet, formatCount, formatSlope, type PlotDefinition, type PlotLibrary } from "./sheet.js";
import { type WidthSeries, widthPanel } from "./width.js";

const LOOKS: Readonly<Record<WidthSetting, Pick<WidthSeries, "colour" | "symbol">>> = {
  matched: { colour: COLOURS.blue, symbol: "circle" },
  theorem: { colour: COLOURS.vermilion, symbol: "triangle" },
};

const NAMES: Readonly<Record<WidthSetting, string>> = { matched: "ridge λ/m on f", theorem: "ridge λ on f" };
const AXES: Readonly<Record<Varied, string>> = { width: "width", lambda: "λ", n: "training rows" };

type Of = (point: FiniteWidthResult["points"][number]) => number;

/** Both settings, the one whose weights stay near their start first: the guide goes through it. */
function seriesOf(result: FiniteWidthResult, varied: Varied, value: Of, of?: "train" | "test"): WidthSeries[] {
  return [...WIDTH_SETTINGS].reverse().map((setting) => {
    const own = result.points.filter((point) => point.setting === setting && point.varied.includes(varied));
    const fit = result.fits.find((one) => one.setting === setting && one.varied === varied && one.of === of);
    const points = own.map((point) => ({ width: point[varied], value: value(point) }));
    return { name: NAMES[setting], ...LOOKS[setting], law: fit?.law, points };
  });
}

export const finiteWidthPlot: PlotDefinition<FiniteWidthResult> = {
  name: "finite-width",
  draw(plot: PlotLibrary, document, result) {
    const { settings, fits } = result;
    const label = { train: "‖f − g‖ on training rows", test: "rms of f − g on test rows" };
    const panel = (title: string, varied: Varied, of: "train" | "test") =>
      widthPanel(
        plot,
        title,
        label[of],
        seriesOf(result, varied, (one) => one[of], of),
        undefined,
        AXES[varied],
      );
    const radius = seriesOf(result, "width", ({ factors }) => factors.radius);
    const panels = [
      panel("(a) against width", "width", "test"),
      widthPanel(plot, "(b) how far weights move", "R = ‖w_T − w_0‖", radius),
      panel("(c) against λ", "lambda", "test"),
      panel("(d) against training rows", "n", "train"),
    ];
    const words = VARIED.flatMap((varied) =>
      fits
        .filter((fit) => fit.varied === varied && fit.of === (varied === "n" ? "train" : "test"))
        .map((fit) => `${AXES[varied]}, ${NAMES[fit.setting]}: ${formatSlope(fit.law)}`),
    );
    const { depth, data, tests, loss, learningRate, steps, seeds } = settings;
    const layers = depth === 1 ? "one hidden layer" : `${depth} hidden layers`;
    const how = `${steps} full-batch steps of ${learningRate}, ${loss} loss, ${seeds} networks a point`;
    const slopes = words.length === 0 ? "" : ` Fitted: ${words.join("; ")}.`;
    const caption = `ReLU networks with ${layers} and the machine with their tangent kernel at the start (Theorem 3.5) on ${data}, ${formatCount(tests)} test rows: ${how}. With the ridge λ on f itself, weights shrink by e^(−λT) at any width: R grows like √m, and the theorem's fixed ball is left.${slopes}`;
    return drawSheet(plot, document, { title: "Finite networks beside their machines", caption, panels, columns: 2 });
  },
};
