// What the demo computes, in its worker: functions over the SDK. Not here: the page's side (ntkit-kernel.ts).
import { VERSION } from "../../sdk/index.js";

/** The version of the SDK. */
export async function version(): Promise<string> {
  return VERSION;
}
