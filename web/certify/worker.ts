// The demo's worker: its functions over the SDK, answered by name. Not here: the functions (work.ts).
import { serve } from "../shared/worker.js";
import * as work from "./work.js";

serve(work);
