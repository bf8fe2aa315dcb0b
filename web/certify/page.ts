// The page of the demo: its state in the address. Not here: the demo itself (ntkit-certify.ts).
import { bindAddress } from "../shared/state.js";

const element = document.querySelector<HTMLElement>("ntkit-certify");
if (element !== null) bindAddress(element);
