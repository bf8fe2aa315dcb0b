// The program of a thread that shares the memory. Bundled into one string by the build. Not here: what it does (worker.ts).
import { listen, share } from "./worker.js";

listen(share);
