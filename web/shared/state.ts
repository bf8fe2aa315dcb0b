// The state of a demo in the address of its page, behind the #, so that a reload or a link shows the same. Only on the
// site's own pages: an embedded element leaves the address alone. Not here: the state itself (element.ts).
import { STATE_EVENT, type State } from "./element.js";

/** Milliseconds without a change before the address is written: browsers refuse more than some hundred writes a minute. */
const QUIET = 200;

function readHash(): URLSearchParams {
  return new URLSearchParams(location.hash.slice(1));
}

/** Sets attributes from the address, and the address from the element's state. */
export function bindAddress(element: HTMLElement): void {
  const observed = (element.constructor as { observedAttributes?: readonly string[] }).observedAttributes ?? [];
  let written = location.hash;
  const read = () => {
    if (location.hash === written && element.isConnected && element.dataset.bound === "true") return;
    written = location.hash;
    const state = readHash();
    for (const name of observed) {
      const value = state.get(name);
      if (value === null) element.removeAttribute(name);
      else element.setAttribute(name, value);
    }
    element.dataset.bound = "true";
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const state = readHash();
  const write = () => {
    timer = undefined;
    const text = state.toString();
    written = text === "" ? "" : `#${text}`;
    history.replaceState(null, "", written === "" ? location.pathname + location.search : written);
  };
  element.addEventListener(STATE_EVENT, (event) => {
    for (const [name, value] of Object.entries((event as CustomEvent<State>).detail)) {
      if (value === undefined) state.delete(name);
      else state.set(name, value);
    }
    clearTimeout(timer);
    timer = setTimeout(write, QUIET);
  });
  addEventListener("hashchange", () => {
    for (const name of [...state.keys()]) state.delete(name);
    for (const [name, value] of readHash()) state.set(name, value);
    read();
  });
  addEventListener("pagehide", () => {
    if (timer !== undefined) write();
  });
  read();
}
