// Flows whose code comes when they are first called: few pages follow one. Not here: the flows (one file each).
import type { gradientFlow as Gradient } from "./flow.js";
import type { generalFlow as General } from "./general-flow.js";
import type { squaredFlow as Squared } from "./squared-flow.js";

/**
 * Gradient flow of the soft-margin machine from g_0, Theorem 3.1:
 *   dg_t(x)/dt = -g_t(x) + C sum_i 1[y_i g_t(x_i) < 1] y_i K(x, x_i),
 * a point on its margin that neither side would keep sliding along it with the share of its push that keeps it there.
 * Events are located in closed form, nothing is stepped in time, and between events outputs are exact; the flow ends
 * at the SVM of the same C. With lambda and weight w of equation 8, C = w / lambda and t here is lambda t there. Keeps
 * the n x n kernel matrix: n up to some thousands.
 * @param train n rows with labels -1 / +1
 * @throws TypeError, RangeError naming the argument; MemoryBudgetError; ConvergenceError after maxEvents; the signal's
 *   reason
 */
export const gradientFlow: typeof Gradient = async (...args) => (await import("../rare.js")).gradientFlow(...args);

/**
 * Gradient flow of equation 8 for the squared loss (y - z)^2 from g_0, in closed form for all times: with
 * A = lambda I + 2 w K, g_t(X) = e^(-A t) g_0(X) + 2 w K A^-1 (I - e^(-A t)) y, exact up to rounding (dissertation 1.29 for
 * lambda = 0 and 2 w = eta, 2.32 for w = 1 / n and lambda = 2 zeta). descend() with learning rate eta is at time eta k after
 * k steps. Keeps three n x n matrices: n up to some thousands.
 * @param train n rows with labels -1 / +1
 * @throws TypeError, RangeError naming the argument; MemoryBudgetError; the signal's reason
 */
export const squaredFlow: typeof Squared = async (...args) => (await import("../rare.js")).squaredFlow(...args);

/**
 * Gradient flow of equation 8, dg_t(x)/dt = -lambda g_t(x) - w sum_i l'(g_t(x_i), y_i) K(x, x_i), for a smooth loss, from
 * g_0 to the last of `times`, by steps whose error is controlled on the training outputs; descend() with learning rate
 * eta is at time eta k after k steps. The squared loss has squaredFlow(), and losses with kinks gradientFlow(), which
 * follows them exactly. Keeps the n x n kernel matrix.
 * @param train n rows with labels -1 / +1
 * @throws TypeError, RangeError naming the argument; MemoryBudgetError; ConvergenceError after maxSteps, or where the
 *   tolerance asks for steps that rounding loses; the signal's reason
 */
export const generalFlow: typeof General = async (...args) => (await import("../rare.js")).generalFlow(...args);
