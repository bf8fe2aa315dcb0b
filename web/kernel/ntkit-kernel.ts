// <ntkit-kernel>: the neural tangent kernel by angle, by depth, and as a matrix of digits with its spectrum. Attributes:
// depth (1 ... 32), kind ("ntk", "nngp"), images (8 ... 64), lambda (its power of ten). Not here: what is computed
// (work.ts, in a worker), how a matrix is drawn (heat-map.ts).
import { type Chart, lineChart, type Series } from "../shared/chart.js";
import { button, copyButton, download, messageBox, segmented, slider } from "../shared/controls.js";
import { h } from "../shared/dom.js";
import { asset, DemoElement, define } from "../shared/element.js";
import { numberText } from "../shared/scales.js";
import { WorkerClient } from "../shared/worker-client.js";
import {
  type Condition,
  type Depths,
  FOLLOWED,
  KINDS,
  type Kind,
  type Matrix,
  MOST_DEPTH,
  type Profile,
} from "./facts.js";
import { heatMap } from "./heat-map.js";
import style from "./kernel.css";
import { readStart } from "./start.js";
import type * as work from "./work.js";

const NAMES: Readonly<Record<Kind, string>> = { ntk: "NTK", nngp: "NNGP" };

type Point = readonly [number, number];
const zip = (x: ArrayLike<number>, y: ArrayLike<number>): Point[] =>
  Array.from(x, (value, k) => [value, y[k] ?? Number.NaN] as const);

function panel(title: string, text: string, ...children: readonly HTMLElement[]): HTMLElement {
  return h("section", { class: "panel" }, h("h3", {}, title), h("p", { class: "small muted" }, text), ...children);
}

export class NtkitKernel extends DemoElement {
  static readonly observedAttributes: readonly string[] = ["depth", "kind", "images", "lambda"];
  protected override readonly css = style;
  private readonly worker = new WorkerClient<typeof work>(asset("../workers/kernel.js"));
  private readonly message = messageBox();
  private readonly sentence = h("p", { class: "small", role: "status" });
  private readonly map = heatMap();
  private readonly angle: Chart = lineChart({
    title: "The kernel by the cosine of its inputs",
    x: { label: "u", range: [-1, 1] },
    y: { label: "K(u) / K(1)", reach: [0, 1] },
    height: 280,
  });
  private readonly over: Chart = lineChart({
    title: "The kernel by depth, at four cosines",
    x: { label: "depth", log: true },
    y: { label: "K(u) / K(1)", reach: [0, 1] },
    height: 280,
  });
  private readonly spectrum: Chart = lineChart({
    title: "Eigenvalues of the Gram matrix, largest first",
    x: { label: "number" },
    y: { label: "eigenvalue", log: true },
  });
  private readonly condition: Chart = lineChart({
    title: "Condition number against lambda",
    x: { label: "lambda", log: true },
    y: { label: "condition number", log: true, reach: [1, 1e4] },
  });
  private readonly depthSlider = slider({
    label: "Depth (hidden layers)",
    ...{ min: 1, max: MOST_DEPTH, step: 1, value: 1 },
    onInput: (depth) => this.choose({ depth: String(depth) }),
  });
  private readonly imagesSlider = slider({
    label: "Images",
    ...{ min: 8, max: 64, step: 8, value: 32 },
    onInput: (images) => this.choose({ images: String(images) }),
  });
  private readonly lambdaSlider = slider({
    label: "Ridge parameter λ",
    ...{ min: -6, max: 3, step: 0.25, value: -2 },
    format: (power) => numberText(10 ** power, 3),
    onInput: (power) => {
      this.setState({ lambda: String(power) });
      this.drawCondition();
    },
  });
  private readonly kindChoice = segmented(
    "Matrix of the",
    KINDS.map((kind) => [kind, NAMES[kind]] as const),
    "ntk",
    (kind) => this.choose({ kind }),
  );
  private asked = new AbortController();
  private profile: Profile | undefined;
  private depths: Depths | undefined;
  private found: { readonly matrix: Matrix; readonly condition: Condition } | undefined;

  private get state() {
    return {
      depth: Math.round(this.numberAttribute("depth", 1, 1, MOST_DEPTH)),
      kind: this.choiceAttribute("kind", KINDS),
      count: 8 * Math.round(this.numberAttribute("images", 32, 8, 64) / 8),
      power: this.numberAttribute("lambda", -2, -6, 3),
    };
  }

  protected override build(): Node {
    const tools = [copyButton("Copy as SDK code", () => this.code()), button("Download report", () => this.report())];
    return h(
      "div",
      { class: "kernel" },
      h(
        "div",
        { class: "panel controls" },
        this.depthSlider.element,
        h("div", { class: "row" }, ...tools),
        this.message.element,
      ),
      h(
        "div",
        { class: "columns" },
        panel("By angle", "u is the cosine of two inputs. NTK solid, NNGP dashed.", this.angle.element),
        panel("By depth", "At four cosines; NTK solid, NNGP dashed.", this.over.element),
        panel(
          "On handwritten digits",
          "Each cell is the kernel of two images: zeros first, then ones.",
          h("div", { class: "row options" }, this.kindChoice.element),
          this.imagesSlider.element,
          this.map.element,
        ),
        h(
          "div",
          { class: "stack" },
          panel("Spectrum", "All eigenvalues of that matrix, for both kernels.", this.spectrum.element),
          panel(
            "Conditioning",
            "Ridge regression solves with K + (λ/2) I: the larger λ, the easier.",
            this.lambdaSlider.element,
            this.condition.element,
            this.sentence,
          ),
        ),
      ),
    );
  }

  protected override start(): void {
    this.show();
    void this.load();
  }

  protected override stop(): void {
    this.asked.abort();
    this.worker.close();
  }

  protected override changed(): void {
    this.show();
    void this.compute();
  }

  private choose(state: Readonly<Record<string, string>>): void {
    this.setState(state);
    void this.compute();
  }

  /** Puts the handles where the attributes say. */
  private show(): void {
    const { depth, kind, count, power } = this.state;
    this.depthSlider.set(depth);
    this.kindChoice.set(kind);
    this.imagesSlider.set(count);
    this.lambdaSlider.set(power);
  }

  /** The stored start where that is what is asked for, and everything by depth; the rest is computed. */
  private async load(): Promise<void> {
    const { depth, kind, count } = this.state;
    try {
      const start = await readStart(this.signal);
      this.depths = start.depths;
      if (depth === start.depth && kind === start.kind && count === start.matrix.n) {
        this.profile = start.profile;
        this.found = { matrix: start.matrix, condition: start.condition };
        this.draw();
        return;
      }
    } catch {
      // Without the stored start everything is computed.
    }
    await this.compute();
  }

  /** Computes what the state asks for; a newer wish ends an older one. */
  private async compute(): Promise<void> {
    this.asked.abort();
    this.asked = new AbortController();
    const { signal } = this.asked;
    const { depth, kind, count } = this.state;
    try {
      this.profile = await this.worker.call("profile", { depth }, { signal });
      this.depths ??= await this.worker.call("depths", undefined, { signal });
      this.drawShape();
      this.found = await this.worker.call("matrix", { kind, depth, count }, { signal });
      this.message.show("");
      this.draw();
    } catch (error) {
      if (!signal.aborted && !this.signal.aborted) this.message.show((error as Error).message, "bad");
    }
  }

  private draw(): void {
    this.drawShape();
    if (this.found === undefined) return;
    const { matrix } = this.found;
    const { kind, depth } = this.state;
    this.map.draw(matrix, `${NAMES[kind]} of depth ${depth}`);
    const numbers = Array.from(matrix.ntk, (_, k) => k + 1);
    const lines = KINDS.map((each, k): Series => {
      const points = zip(numbers, matrix[each]);
      return { name: NAMES[each], colour: k === 0 ? 1 : 2, dashed: k === 1, points };
    });
    this.spectrum.update(lines);
    this.drawCondition();
  }

  private drawShape(): void {
    const { profile, depths } = this;
    const { depth } = this.state;
    if (profile !== undefined)
      this.angle.update([
        { name: "NTK", colour: 1, dashed: false, points: zip(profile.cosines, profile.ntk) },
        { name: "NNGP", colour: 2, dashed: true, points: zip(profile.cosines, profile.nngp) },
      ]);
    if (depths !== undefined)
      this.over.update(
        FOLLOWED.flatMap((cosine, k): Series[] => {
          const colour = ([1, 2, 3, 4] as const)[k] ?? 1;
          const u = numberText(cosine);
          return [
            { name: `NTK(${u})`, colour, dashed: false, points: zip(depths.depths, depths.ntk[k] ?? []) },
            { name: `NNGP(${u})`, colour, dashed: true, points: zip(depths.depths, depths.nngp[k] ?? []) },
          ];
        }),
        [{ x: depth, text: `depth ${depth}` }],
      );
  }

  private drawCondition(): void {
    if (this.found === undefined) return;
    const { lambdas, ...of } = this.found.condition;
    const lambda = 10 ** this.state.power;
    const lines = KINDS.map((each, k): Series => {
      return { name: NAMES[each], colour: k === 0 ? 1 : 2, dashed: k === 1, points: zip(lambdas, of[each]) };
    });
    this.condition.update(lines, [{ x: lambda, text: `λ = ${numberText(lambda, 3)}` }]);
    const apart = lambdas.map((each) => Math.abs(Math.log(each / lambda)));
    const at = apart.indexOf(Math.min(...apart));
    const [ntk, nngp] = KINDS.map((each) => numberText(of[each][at] ?? Number.NaN, 5));
    this.sentence.textContent = `At λ = ${numberText(lambda, 3)} the condition number is ${ntk} for the NTK and ${nngp} for the NNGP.`;
  }

  private code(): string {
    const { depth, kind, count, power } = this.state;
    return `import { eigenvalues, GramMatrix, kernelProfile, mnist, ntk, nngp, ridgeCondition } from "ntkit";

const { train } = await mnist({ digits: [0, 1] });
const first = [...train.y.keys()].slice(0, 64);
const of = (label) => first.filter((i) => train.y[i] === label).slice(0, ${count / 2});
const rows = train.subset([...of(-1), ...of(1)]);
const kernel = ${kind}({ depth: ${depth} });
console.log(await kernelProfile(kernel, [-1, -0.5, 0, 0.5, 1]));
const gram = await GramMatrix.create(kernel, rows);
const values = await eigenvalues(gram);
console.log(gram.toArray(), values);
console.log(ridgeCondition({ largest: values[0], smallest: values.at(-1) }, [${numberText(10 ** power, 6)}]));
`;
  }

  private report(): void {
    const { depth, kind } = this.state;
    if (this.found === undefined || this.profile === undefined) return;
    const { matrix, condition } = this.found;
    const { n, values, digits, ntk, nngp } = matrix;
    const lists = (object: object) =>
      Object.fromEntries(Object.entries(object).map(([name, list]) => [name, Array.from(list as ArrayLike<number>)]));
    const report = {
      depth,
      kind,
      images: n,
      digits: [...digits],
      matrix: [...values],
      eigenvalues: lists({ ntk, nngp }),
    };
    const whole = { ...report, condition, profile: lists(this.profile) };
    download(`ntkit-kernel-${kind}-${depth}.json`, `${JSON.stringify(whole, null, 1)}\n`, "application/json");
  }
}

define("ntkit-kernel", NtkitKernel);
