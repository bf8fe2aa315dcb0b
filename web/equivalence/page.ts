// The page of the demo: its state in the address. Not here: the demo itself (ntkit-equivalence.ts).
import { bindAddress } from "../shared/state.js";

const element = document.querySelector<HTMLElement>("ntkit-equivalence");
if (element !== null) bindAddress(element);
