// The soak sees what it is for: with one term of a bound dropped or one rounding left out, samples escape. Every mutation
// is behind a switch of one core, compiled here. Not here: the soak's rounds (test/soak/) and the sound core under it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { machineBounds } from "../../sdk/certify/bounds.js";
import { dataset } from "../../sdk/data/dataset.js";
import type { Runtime } from "../../sdk/runtime/runtime.js";
import { soakRound, THEMES, type Theme } from "../soak/round.js";
import { type Mutation, mutantRuntime } from "./mutants.js";
import { modelOf, valueAt } from "./reference.js";
import { type Claim, machineOf, realRow } from "./sampler.js";

const of = (method: string) => THEMES.filter((theme) => typeof theme === "object" && theme.method === method);
const within = (method: string) => of(method).filter((theme) => (theme as Claim).domain);

interface Gap extends Mutation {
  readonly what: string;
  readonly themes: readonly Theme[];
}

/** Terms without which a bound is no bound, and the rounds that draw it. */
const GAPS: readonly Gap[] = [
  {
    what: "Theorem 4.2 with inner products that move by e instead of 2e",
    file: "bounds/interval.ts",
    edits: [{ at: "wide = «above(2 * e + slack, 4)»", to: "above(e + slack, 4)" }],
    themes: of("interval"),
  },
  {
    what: "Theorem 4.2 with norms that do not grow",
    file: "bounds/interval.ts",
    edits: [{ at: "long = «above(startNorm + e, 4)»", to: "startNorm" }],
    themes: of("interval"),
  },
  {
    what: "the linear bound without its gaps",
    file: "bounds/linear.ts",
    edits: [{ at: "«gaps + planes» + centreError", to: "planes" }],
    themes: of("linear"),
  },
  {
    what: "the linear bound without the norm's second-order term",
    file: "bounds/linear.ts",
    edits: [{ at: "spent + «bend * second»", to: "0" }],
    themes: of("linear"),
  },
  {
    what: "gaps without the norm's part in s",
    file: "bounds/linear.ts",
    edits: [{ at: "const curve = «Math.abs(a) * second»", to: "0" }],
    themes: of("linear"),
  },
  {
    what: "the domain's box cut on the wrong side",
    file: "bounds/linear.ts",
    edits: [{ at: "spent += «Math.max(slope * down, -slope * up)»", to: "Math.abs(slope) * Math.min(down, up)" }],
    themes: within("linear"),
  },
  {
    what: "the quadratic form without the norm's second-order term",
    file: "bounds/region.ts",
    edits: [
      {
        at: "drift = «above(moved / (2 * startNorm), 8 + squareUlps) + 4 * UNIT * startNorm»",
        to: "4 * UNIT * startNorm",
      },
    ],
    themes: of("curvature"),
  },
  {
    what: "the quadratic form on half the range of each cosine",
    file: "bounds/curvature.ts",
    edits: [
      {
        at: "const side = «above(load<f64>(entry(spreads, i)) * reach, 4)»",
        to: "0.5 * load<f64>(entry(spreads, i)) * reach",
      },
    ],
    themes: of("curvature"),
  },
  {
    what: "columns that no row touches left out of ||x||",
    file: "bounds/curvature.ts",
    edits: [{ at: "const rest = norm == NORM_INF && mu < 0 ? «mu * untouchedSquare()»", to: "0" }],
    themes: of("curvature"),
  },
  {
    what: "a parabola above h with its curvature at the centre only",
    file: "bounds/parabola.ts",
    edits: [{ at: "? «Math.max(mostAt(a, value, slope, bottom), mostAt(a, value, slope, top))»", to: "hSecond(a)" }],
    themes: of("curvature"),
  },
  {
    what: "a parabola below h with its curvature at the centre only",
    file: "bounds/parabola.ts",
    edits: [{ at: ": «least(a, value, slope, bottom, top)»;", to: "hSecond(a)" }],
    themes: of("curvature"),
  },
  {
    what: "a diagonal shift that costs nothing",
    file: "bounds/semidefinite.ts",
    edits: [{ at: "(tilted + last) - «0.5 * total» - (norm", to: "0" }],
    themes: of("curvature"),
  },
  {
    what: "a tangent plane without its own curvature",
    file: "bounds/semidefinite.ts",
    edits: [{ at: "return -«0.5 * curved» - (tilted", to: "0" }],
    themes: of("curvature"),
  },
  {
    what: "a ball whose multipliers cost nothing",
    file: "bounds/ball.ts",
    edits: [{ at: "return provedAt(NORM_2, «lambda + tau»)", to: "0" }],
    themes: of("curvature").filter((theme) => (theme as Claim).norm === "l2"),
  },
  {
    what: "a norm's range that is that of half the ball",
    file: "bounds/region.ts",
    edits: [{ at: "k < moving ? «reach * (1 + 16 * UNIT)» : 0", to: "0.5 * reach" }],
    themes: of("curvature").filter((theme) => (theme as Claim).norm === "l2"),
  },
  {
    what: "a shift too small that no factorisation looked at",
    file: "bounds/semidefinite.ts",
    edits: [
      { at: "length(row) > 0.99 ? «length(gradient)» : 0", to: "0.5 * length(gradient)" },
      { at: "if («!isRigorous() || factor()») {", to: "true" },
    ],
    themes: of("curvature"),
  },
  {
    what: "deeper kernels with both ends of an arc-cosine function from the lower one",
    file: "bounds/deep.ts",
    edits: [{ at: "angleHigh = above(arcCosine0(«high»), 8)", to: "low" }],
    themes: ["deep"],
  },
  {
    what: "networks with intervals of half the radius",
    file: "bounds/ibp.ts",
    edits: [{ at: "const own = networkLower(false, sign, «reach»)", to: "0.5 * reach" }],
    themes: ["networks"],
  },
  {
    what: "a relaxed neuron without the gap at its kink",
    file: "bounds/neuron.ts",
    edits: [{ at: "return «Math.min(end, trained(clamp(-a, low, high)))» - v0", to: "end" }],
    themes: ["relaxed networks"],
  },
  {
    what: "relaxed neurons without their gap, at the centre instead of at their least",
    file: "bounds/neuron.ts",
    edits: [{ at: "return «least»;", to: "lower(0)" }],
    themes: ["relaxed networks"],
  },
  {
    what: "neurons that stay as far from their start as they are at the centre",
    file: "bounds/relaxed.ts",
    edits: [{ at: "together ? 0 : «moved»", to: "0" }],
    themes: ["relaxed networks"],
  },
  {
    what: "planes that fall half as far",
    file: "bounds/relaxed.ts",
    edits: [{ at: "return taken(least - «fall»)", to: "0.5 * fall" }],
    themes: ["relaxed networks"],
  },
  {
    what: "parabolas whose squares cost nothing",
    file: "bounds/aggregate.ts",
    edits: [{ at: "const root = «Math.sqrt(h)»", to: "0" }],
    themes: ["relaxed networks"],
  },
  {
    what: "parabolas looked at in their breaks only",
    file: "bounds/neuron.ts",
    edits: [{ at: "if («!(h > 0)») return best", to: "true" }],
    themes: ["relaxed networks"],
  },
  {
    what: "a radius 5% beyond the one verified",
    file: "bounds/search.ts",
    edits: [{ at: "CERTIFICATE_RADIUS, «verified»", to: "verified * 1.05" }],
    themes: [...of("curvature"), ...of("linear")],
  },
];

/** Roundings without which a bound of terms that cancel is none. */
const ROUNDINGS: readonly (Mutation & { what: string; methods: readonly Claim["method"][] })[] = [
  {
    what: "no allowance for sums",
    file: "rounding.ts",
    edits: [{ at: "return «(gamma / (1 - 2 * gamma)) * size * (1 + 2 * gamma) + 1e-300»", to: "0" }],
    methods: ["interval", "linear"],
  },
  {
    what: "no allowance for the form's sums",
    file: "bounds/curvature.ts",
    edits: [
      {
        at: "const formError = «above((<f64>rows + 120 + 4 * squareUlps) * UNIT * 2 * sizes * longest * longest, 200)»",
        to: "0",
      },
    ],
    methods: ["curvature"],
  },
  {
    what: "no allowance for parabolas that cross",
    file: "bounds/parabola.ts",
    edits: [{ at: "crossing = «8 + 2 * Math.abs(slope) + 2 * gamma»", to: "0" }],
    methods: ["curvature"],
  },
];

/** Rare among random machines: the worst input leaves the columns that rows touch. */
const SIDEWAYS: Mutation = {
  file: "bounds/curvature.ts",
  edits: [{ at: "const floor = mu < 0 && untouched > 0 ? «above(-2 * mu * half * half, 8)»", to: "0" }],
};

let runtime: Runtime;
beforeAll(async () => {
  runtime = await mutantRuntime([...GAPS, ...ROUNDINGS, SIDEWAYS]);
});
afterAll(() => runtime.close());

const turn = (mutation: number) => runtime.call("setMutant", mutation);

/** Rounds until one has an escape, at most `most`. */
async function roundsToEscape(themes: readonly Theme[], most: number): Promise<number> {
  for (let seed = 0; seed < most; seed++) if ((await soakRound(runtime, seed, themes)).escapes.length > 0) return seed;
  return Infinity;
}

const MOST = 300;

it.each(GAPS.map(({ what }, k) => [what, k] as const))("sees %s", async (_, k) => {
  const themes = GAPS[k]?.themes ?? [];
  turn(k + 1);
  const rounds = await roundsToEscape(themes, MOST);
  expect(rounds).toBeLessThan(MOST);
});

it("sees nothing with every mutation off, in as many rounds", async () => {
  turn(0);
  expect(await roundsToEscape(THEMES, MOST)).toBe(Infinity);
});

/**
 * Whether the bounds hold a value that is known although the terms that make it vanish beside others that cancel: 1,004
 * equal rows, so that g is (sum of alpha) K(x, y), and the sum is 7,000 exactly.
 */
async function holdsSmallTerms(method: Claim["method"]): Promise<boolean> {
  const alpha = [1e17, 1e17, ...new Array(1000).fill(7), -1e17, -1e17];
  const labels = alpha.map(() => 1);
  const x = Uint8Array.from({ length: 2 * alpha.length }, (_, k) => (k % 2 === 0 ? 255 : 100));
  const rows = dataset({ x, y: labels, shape: [alpha.length, 2] });
  const input = dataset({ x: Uint8Array.of(60, 255), y: [1], shape: [1, 2] });
  const one = machineOf(rows.subset([0]), [7000]);
  const exact = valueAt(modelOf(one), realRow(input, 0));
  const radius = method === "curvature" ? 1e-9 : 0;
  const { lower, upper } = await machineBounds(machineOf(rows, alpha), input, radius, { runtime, method });
  // The value itself is known to 1e-12 of it.
  return (lower[0] ?? Number.NaN) <= exact * (1 + 1e-12) && (upper[0] ?? Number.NaN) >= exact * (1 - 1e-12);
}

describe("small terms that vanish beside large ones of opposite sign", () => {
  const cases = ROUNDINGS.flatMap(({ what, methods }, k) => methods.map((method) => [what, method, k] as const));
  it.each(cases)("are seen with %s, %s", async (_, method, k) => {
    turn(0);
    expect(await holdsSmallTerms(method)).toBe(true);
    turn(GAPS.length + k + 1);
    expect(await holdsSmallTerms(method)).toBe(false);
  });
});

it("sees columns that no row touches left out of an l2 ball, where they are all that may change", async () => {
  // Opposite its only row the machine falls with the distance to that row's line, 0.1 here.
  const point = (first: number, along: number, aside: number) =>
    dataset({ x: Float64Array.of(first, 0, 0, along, aside), y: [1], shape: [1, 5] });
  const row = point(0, -1, 0);
  const bare = modelOf(machineOf(row, [1]));
  const [centre, side] = [point(0, 1, 0.1), point(0.2, 1, 0.1)].map((own) => valueAt(bare, realRow(own, 0)));
  // Just above 0 at the centre, where a bound on R g is one on g.
  const machine = machineOf(row, [1], -(0.9 * (centre ?? 0) + 0.1 * (side ?? 0)));
  const least = (side ?? 0) + machine.bias;
  const holds = async () => {
    const ball = { runtime, method: "curvature", norm: "l2", movable: 3 } as const;
    const { lower } = await machineBounds(machine, point(0, 1, 0.1), 0.2 * (1 + 1e-12), ball);
    expect(lower[0]).toBeGreaterThan(-1);
    return (lower[0] ?? Number.NaN) <= least;
  };
  turn(0);
  expect(await holds()).toBe(true);
  turn(GAPS.length + ROUNDINGS.length + 1);
  expect(await holds()).toBe(false);
});
