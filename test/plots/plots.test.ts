// Pictures of the experiments: whole SVG files, with titles for those who can not see them, and commands that write them.
// Not here: how they look, which eyes must judge.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dataset } from "../../sdk/data/dataset.js";
import { ntk } from "../../sdk/kernels/kernel.js";
import {
  reproduceCertificateWidth,
  reproduceDynamics,
  reproduceFigure1,
  reproduceFigureA1,
  reproduceLosses,
  searchAndDraw,
  theoryConvergence,
  theoryFiniteWidth,
  theoryGeneralisation,
  theoryPathKernel,
} from "../../sdk/plots/commands.js";
import { formatSlope } from "../../sdk/plots/index.js";
import { decadeTicks } from "../../sdk/plots/sheet.js";
import { Runtime } from "../../sdk/runtime/runtime.js";
import { points } from "../cli/points.js";

let runtime: Runtime;
beforeAll(async () => {
  runtime = await Runtime.create({ threads: 1 });
});
afterAll(() => runtime.close());

function split(n: number, seed: number) {
  const { x, y } = points(n, 8, seed);
  return dataset({ x: x.data, y: y.data, shape: [n, 8], name: "half-spaces <&>" });
}
const data = { train: split(24, 1), test: split(16, 2) };
const common = () => ({ data, n: 20, tests: 16, backend: "wasm" as const, runtime });

/** The tags of an SVG text, in order, checked to nest. */
function tags(svg: string): string[] {
  const open: string[] = [];
  const seen: string[] = [];
  for (const [, slash, name, rest] of svg.matchAll(/<(\/?)([a-zA-Z]+)([^>]*)>/g)) {
    if (slash === "/") expect(open.pop()).toBe(name);
    else {
      seen.push(name ?? "");
      if (!rest?.endsWith("/")) open.push(name ?? "");
    }
  }
  expect(open).toEqual([]);
  return seen;
}

const commands = [
  {
    name: "figure1",
    words: ["Figure 1", "learning rate 0.5", "width 32", "label +1", "label −1", "SVM (infinite width)"],
    run: (write: (name: string, text: string) => void) =>
      reproduceFigure1({ ...common(), width: 32, widths: [8, 16], steps: 20, learningRates: [1, 0.5] }, write),
  },
  {
    name: "figureA1",
    words: ["Figure A.1", "accuracy", "mean hinge loss", "batches of 4"],
    run: (write: (name: string, text: string) => void) =>
      reproduceFigureA1({ ...common(), width: 32, epochs: 3, batch: 4 }, write),
  },
  {
    name: "certificate-width",
    words: ["as drawn", "after training", "LeCun initialisation: slope −", "95% interval", "width^(−1/2)", "1,024"],
    run: (write: (name: string, text: string) => void) =>
      reproduceCertificateWidth(
        { ...common(), widths: [16, 64, 1024], starts: 4, seeds: 1, epochs: 3, batch: 4 },
        write,
      ),
  },
  {
    name: "cv",
    words: [
      "Cross-validation of svm",
      "C (log scale)",
      "2 hidden layers",
      "decided wrongly (%)",
      "rms of y − g",
      "4 folds",
    ],
    run: (write: (name: string, text: string) => void) => {
      const search = { machine: "svm", cs: [0.1, 1, 10], kernels: [ntk(), ntk({ depth: 2 })], folds: 4 } as const;
      return searchAndDraw(data.train, { ...search, runtime }, write);
    },
  },
  {
    name: "losses",
    words: ["Figure 1 for every loss", "hard-margin SVM: hinge", "ε-insensitive", "where it ends", "(h) difference"],
    run: (write: (name: string, text: string) => void) =>
      reproduceLosses({ ...common(), n: 12, width: 32, steps: 20, learningRate: 0.5 }, write),
  },
  {
    name: "convergence",
    words: ["ends at its machine", "event by event", "closed form", "Runge-Kutta 5(4)", "both hold", "λ t (log scale)"],
    run: (write: (name: string, text: string) => void) =>
      theoryConvergence({ data, runtime, n: 12, tests: 16, lambda: 0.1, steps: 500 }, write),
  },
  {
    name: "dynamics",
    words: ["95% interval", "slope −", "width (log scale)", "1,024", "drift"],
    run: (write: (name: string, text: string) => void) =>
      reproduceDynamics({ ...common(), widths: [16, 64, 1024], seeds: 2, steps: 5, depth: 1 }, write),
  },
  {
    name: "finite-width",
    words: ["Theorem 3.5", "how far weights move", "training rows (log scale)", "λ (log scale)", "ridge λ on f", "95%"],
    run: (write: (name: string, text: string) => void) => {
      const lists = { widths: [16, 64], lambdas: [0.1, 0.2], rows: [8, 16] };
      return theoryFiniteWidth({ data, runtime, backend: "wasm", ...lists, tests: 16, seeds: 2, steps: 6 }, write);
    },
  },
  {
    name: "generalisation",
    words: ["margin bound", "equation 1.20", "tested", "random labels", "training rows", "error rate"],
    run: (write: (name: string, text: string) => void) =>
      theoryGeneralisation({ data, runtime, rows: [8, 20], tests: 16, lambdas: [1, 10], networkRows: 0 }, write),
  },
  {
    name: "path-kernel",
    words: ["Theorem 4.1", "sum of descent", "trapezoid", "95% interval", "length of a step", "f = ", "row "],
    run: (write: (name: string, text: string) => void) =>
      theoryPathKernel({ ...common(), width: 16, time: 2, steps: [8, 16, 32] }, write),
  },
];

describe.each(commands)("$name", ({ name, words, run }) => {
  it("writes the result as JSON and a whole SVG with a title, a description and no hole in any line", async () => {
    const files = new Map<string, string>();
    const result = await run((file, text) => files.set(file, text));
    expect([...files.keys()]).toEqual([`${name}.json`, `${name}.svg`]);
    expect(JSON.parse(files.get(`${name}.json`) ?? "")).toEqual(JSON.parse(JSON.stringify(result)));
    const svg = files.get(`${name}.svg`) ?? "";
    expect(svg.startsWith('<?xml version="1.0" encoding="UTF-8"?>\n<svg ')).toBe(true);
    const seen = tags(svg);
    expect(seen.slice(0, 3)).toEqual(["svg", "title", "desc"]);
    expect(svg).toContain('role="img"');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(svg).toContain("half-spaces &lt;&amp;&gt;");
    for (const word of words) expect(svg).toContain(word);
    // Every tick has its label.
    expect(svg).not.toMatch(/<text[^>]*\/>|<text[^>]*><\/text>/);
  }, 60_000);

  it("draws the same picture for the same result", async () => {
    const svgs: string[] = [];
    for (let k = 0; k < 2; k++) await run((file, text) => void (file.endsWith(".svg") && svgs.push(text)));
    expect(svgs[1]).toBe(svgs[0]);
  }, 60_000);
});

describe("formatSlope", () => {
  it("states the interval when there is one", () => {
    const law = { slope: -0.5123, interval: [-0.6, -0.4] as const, level: 0.95 };
    expect(formatSlope(law)).toBe("slope −0.51 (95% interval −0.60 to −0.40)");
    expect(formatSlope({ ...law, interval: null })).toBe("slope −0.51");
  });
});

describe("decadeTicks", () => {
  it("covers the values with 1, 2, 5 and no more", () => {
    expect(decadeTicks([0.03, 0.4])).toEqual([0.02, 0.05, 0.1, 0.2, 0.5]);
    expect(decadeTicks([1, 10])).toEqual([1, 2, 5, 10]);
    expect(decadeTicks([7])).toEqual([5, 10]);
  });
});
