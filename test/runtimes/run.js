// Runs the conformance suite on the built package wherever this file is loaded, by a command line or by a page, and
// prints one line of JSON for each number of threads. Not here: the suite (suite.js).
import * as sdk from "../../dist/index.js";
import { conformance } from "./suite.js";

for (const threads of [0, 1, 3]) console.log(JSON.stringify(await conformance(sdk, threads)));
console.log("done");
