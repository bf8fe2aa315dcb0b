// Controls that every demo uses: labelled, usable by keyboard and finger. Not here: charts (chart.ts).
import { h } from "./dom.js";

export interface Slider {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  /** Moves the handle without calling onInput. */
  set(value: number): void;
}

export interface SliderOptions {
  readonly label: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly value: number;
  /** What is read out and shown. */
  readonly format?: (value: number) => string;
  readonly onInput: (value: number) => void;
  /** The handle was let go. */
  readonly onChange?: (value: number) => void;
}

/** A range with its name and value above it. */
export function slider(options: SliderOptions): Slider {
  const { label, min, max, step, value, format = String, onInput, onChange } = options;
  const input = h("input", { type: "range", min, max, step, value, "aria-label": label });
  const output = h("output", { "aria-hidden": "true" });
  const show = () => {
    const text = format(Number(input.value));
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  input.addEventListener("input", () => {
    show();
    onInput(Number(input.value));
  });
  input.addEventListener("change", () => onChange?.(Number(input.value)));
  show();
  const name = h("span", { class: "name" }, h("span", { "aria-hidden": "true" }, label), output);
  return {
    element: h("div", { class: "slider" }, name, input),
    input,
    set: (next) => {
      input.value = String(next);
      show();
    },
  };
}

export interface Choice<T extends string> {
  readonly element: HTMLFieldSetElement;
  /** Selects without calling onChange. */
  set(value: T): void;
}

let groups = 0;

/** One of a few, as radio buttons side by side: arrow keys move between them. */
export function segmented<T extends string>(
  label: string,
  choices: readonly (readonly [value: T, text: string])[],
  value: T,
  onChange: (value: T) => void,
): Choice<T> {
  const name = `choice-${++groups}`;
  const inputs = choices.map(([own]) => h("input", { type: "radio", name, value: own, checked: own === value }));
  const labels = choices.map(([, text], k) => h("label", {}, inputs[k], h("span", {}, text)));
  inputs.forEach((input, k) => {
    input.addEventListener("change", () => onChange(choices[k]![0]));
  });
  return {
    element: h("fieldset", { class: "choice" }, h("legend", {}, label), ...labels),
    set: (next) => {
      inputs.forEach((input, k) => {
        input.checked = choices[k]![0] === next;
      });
    },
  };
}

/** A button; "primary" for the one that people should press first. */
export function button(text: string, onClick: () => void, kind: "plain" | "primary" = "plain"): HTMLButtonElement {
  return h("button", { type: "button", class: kind === "primary" ? "primary" : undefined, onclick: onClick }, text);
}

/** A button that lets one choose a file. */
export function fileButton(text: string, accept: string, open: (file: File) => void): HTMLLabelElement {
  const input = h("input", { type: "file", accept });
  input.addEventListener("change", () => {
    const [chosen] = input.files ?? [];
    // The same file may be chosen again.
    input.value = "";
    if (chosen !== undefined) open(chosen);
  });
  return h("label", { class: "file" }, input, h("span", {}, text));
}

export interface Switch {
  readonly element: HTMLLabelElement;
  readonly input: HTMLInputElement;
}

/** Something that is on or off. */
export function toggle(label: string, checked: boolean, onChange: (checked: boolean) => void): Switch {
  const input = h("input", { type: "checkbox", checked });
  input.addEventListener("change", () => onChange(input.checked));
  return { element: h("label", { class: "switch" }, input, label), input };
}

export interface WorkBar {
  readonly element: HTMLElement;
  /** Shows how far the work is; without a total as busy. */
  show(text: string, done?: number, total?: number): void;
  hide(): void;
}

/** Progress of long work with a button that stops it; hidden while nothing runs. */
export function workBar(onStop: () => void): WorkBar {
  const text = h("span", { class: "small muted" });
  const bar = h("progress", { "aria-label": "Progress", max: 1 });
  const element = h("div", { class: "work", hidden: true }, text, bar, button("Stop", onStop));
  return {
    element,
    show: (what, done, total) => {
      element.hidden = false;
      text.textContent = what;
      if (done === undefined || total === undefined || total === 0) bar.removeAttribute("value");
      else bar.value = done / total;
    },
    hide: () => {
      element.hidden = true;
    },
  };
}

export interface MessageBox {
  readonly element: HTMLElement;
  /** Shows `text`, or nothing when it is empty; "bad" for what went wrong. */
  show(text: string, kind?: "note" | "bad"): void;
}

/** A message that screen readers speak. */
export function messageBox(): MessageBox {
  const element = h("p", { class: "message", role: "status", "aria-live": "polite" });
  return {
    element,
    show: (text, kind = "note") => {
      element.classList.toggle("bad", kind === "bad");
      element.textContent = text;
    },
  };
}

/** Puts `make()`'s text on the clipboard and says so; where there is no clipboard it shows the text to be copied by hand. */
export function copyButton(label: string, make: () => string): HTMLElement {
  const said = h("span", { class: "small muted", role: "status" });
  const area = h("textarea", { rows: 8, readonly: true, hidden: true, "aria-label": label });
  const copy = async () => {
    const text = make();
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "Copied.";
    } catch {
      area.hidden = false;
      area.value = text;
      area.select();
      said.textContent = "Select and copy.";
    }
  };
  return h(
    "span",
    { class: "row" },
    button(label, () => void copy()),
    said,
    area,
  );
}

/** Saves a file that the page made. */
export function download(name: string, content: string | Uint8Array, type: string): void {
  const url = URL.createObjectURL(new Blob([content as BlobPart], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
