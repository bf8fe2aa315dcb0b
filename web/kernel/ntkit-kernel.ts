// <ntkit-kernel>: the demo as an element. Not here: what it computes (work.ts, in a worker).
import { h } from "../shared/dom.js";
import { asset, DemoElement, define } from "../shared/element.js";
import { WorkerClient } from "../shared/worker-client.js";
import style from "./kernel.css";
import type * as work from "./work.js";

export class NtkitKernel extends DemoElement {
  static readonly observedAttributes: readonly string[] = [];
  protected override readonly css = style;
  private readonly worker = new WorkerClient<typeof work>(asset("../workers/kernel.js"));
  private readonly text = h("p", { class: "muted" });

  protected override build(): Node {
    return h("div", { class: "panel" }, this.text);
  }

  protected override start(): void {
    void this.show();
  }

  protected override stop(): void {
    this.worker.close();
  }

  private async show(): Promise<void> {
    const version = await this.worker.call("version", undefined, { signal: this.signal });
    this.text.textContent = `ntkit ${version} is ready.`;
  }
}

define("ntkit-kernel", NtkitKernel);
