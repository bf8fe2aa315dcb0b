// The base of every demo: a custom element whose attributes are its state, with a shadow root that brings its own style,
// and an abort signal that ends when the element leaves. Not here: the state in a page's address (state.ts).
import elementStyle from "./element.css";
import theme from "./theme.css";

/** Attributes by name; undefined removes one. */
export type State = Readonly<Record<string, string | undefined>>;

/** Sent when the user changed the state; `detail` holds the attributes that changed. */
export const STATE_EVENT = "ntkit-state";

function sheetOf(text: string): CSSStyleSheet {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  return sheet;
}

let shared: CSSStyleSheet[] | undefined;
const own = new Map<string, CSSStyleSheet>();

function sheets(text: string): CSSStyleSheet[] {
  shared ??= [sheetOf(theme), sheetOf(elementStyle)];
  const sheet = own.get(text) ?? sheetOf(text);
  own.set(text, sheet);
  return [...shared, sheet];
}

export abstract class DemoElement extends HTMLElement {
  /** The demo's own style sheet, after the shared ones. */
  protected readonly css: string = "";
  protected readonly shadow: ShadowRoot = this.attachShadow({ mode: "open" });
  private life = new AbortController();
  private ready = false;
  private silent = false;

  /** Ends when the element leaves the page. */
  protected get signal(): AbortSignal {
    return this.life.signal;
  }

  connectedCallback(): void {
    if (this.life.signal.aborted) this.life = new AbortController();
    if (!this.ready) {
      this.shadow.adoptedStyleSheets = sheets(this.css);
      this.shadow.replaceChildren(this.build());
      this.ready = true;
    }
    this.start();
  }

  disconnectedCallback(): void {
    this.life.abort(new DOMException("the element left the page", "AbortError"));
    this.stop();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (this.ready && this.isConnected && !this.silent && before !== after) this.changed(name, after);
  }

  /** Makes the element's content; called once. */
  protected abstract build(): Node;

  /** The element is in the page: read the attributes, start workers. */
  protected start(): void {}

  /** The element left: end workers. */
  protected stop(): void {}

  /** An attribute was changed from outside: by the page, its address, or a script. */
  protected changed(_name: string, _value: string | null): void {}

  /** Writes the state that the user chose into attributes and tells the page, without calling changed(). */
  protected setState(state: State): void {
    this.silent = true;
    try {
      for (const [name, value] of Object.entries(state)) {
        if (value === undefined) this.removeAttribute(name);
        else this.setAttribute(name, value);
      }
    } finally {
      this.silent = false;
    }
    this.dispatchEvent(new CustomEvent<State>(STATE_EVENT, { detail: state, bubbles: true, composed: true }));
  }

  /** The number in an attribute within [min, max], or `fallback` where there is none. */
  protected numberAttribute(name: string, fallback: number, min: number, max: number): number {
    const text = this.getAttribute(name);
    const value = text === null || text.trim() === "" ? Number.NaN : Number(text);
    return Number.isFinite(value) ? Math.min(max, Math.max(min, value)) : fallback;
  }

  /** Whether an attribute is there and does not say "false". */
  protected flagAttribute(name: string): boolean {
    return (this.getAttribute(name) ?? "false") !== "false";
  }

  /** The attribute when it is one of `choices`, else the first of them. */
  protected choiceAttribute<T extends string>(name: string, choices: readonly [T, ...T[]]): T {
    return choices.find((choice) => choice === this.getAttribute(name)) ?? choices[0];
  }
}

/** Registers an element, once: the same script may be on a page twice. */
export function define(name: string, element: CustomElementConstructor): void {
  if (customElements.get(name) === undefined) customElements.define(name, element);
}

/** Address of a file beside the elements: "../workers/certify.js" or "../data/strip.json". */
export function asset(path: string): URL {
  return new URL(path, import.meta.url);
}
