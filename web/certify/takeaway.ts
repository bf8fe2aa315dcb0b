// What one takes home: code, the report, the picture and the model as files. Not here: what is in them (work.ts).
import { button, copyButton, download } from "../shared/controls.js";
import { h } from "../shared/dom.js";
import { sdkCode } from "./code.js";
import type { Subject } from "./work.js";

/** What there is to take; undefined while nothing is shown. */
export interface Goods {
  readonly name: string;
  readonly subject: Subject;
  /** The report's JSON; undefined until it is proved. */
  readonly report: string | undefined;
}

export interface Source {
  readonly current: () => Goods | undefined;
  readonly pictureFile: (subject: Subject) => Promise<Uint8Array>;
  readonly modelFile: () => Promise<Uint8Array>;
  readonly say: (text: string) => void;
  readonly fail: (error: unknown) => void;
}

const BYTES = "application/octet-stream";

/** The buttons, with `more` behind them. */
export function takeAway(
  { current, pictureFile, modelFile, say, fail }: Source,
  ...more: readonly Node[]
): HTMLElement {
  const code = () => {
    const goods = current();
    if (goods === undefined) return "";
    const { pixels, label, domain } = goods.subject;
    return sdkCode(pixels, label, domain);
  };
  const report = () => {
    const goods = current();
    if (goods?.report === undefined) say("There is no report yet: wait a moment.");
    else download(`${goods.name}.json`, goods.report, "application/json");
  };
  const picture = async () => {
    const goods = current();
    if (goods !== undefined) download(`${goods.name}.npz`, await pictureFile(goods.subject), BYTES);
  };
  const model = async () => download("svm.safetensors", await modelFile(), BYTES);
  return h(
    "div",
    { class: "row take" },
    copyButton("Copy as SDK code", code),
    button("Download report", report),
    button("Download picture", () => void picture().catch(fail)),
    button("Download model", () => void model().catch(fail)),
    ...more,
  );
}
