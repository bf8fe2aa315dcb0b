// checkCertificates(), whose code comes when it is first called: it shares no formula with the core and is a tenth of the
// SDK, and most pages check no report. Not here: the checker (check.ts).
import type { checkCertificates as Check } from "./check.js";

/**
 * Checks a report of certificates: `data` is what was certified, not what the model was trained on.
 * @throws TypeError, RangeError for what is no report, model or data at all; the signal's reason. What is wrong in a
 * report is no error but a fault in the result.
 */
export const checkCertificates: typeof Check = async (...args) =>
  (await import("../../rare.js")).checkCertificates(...args);
