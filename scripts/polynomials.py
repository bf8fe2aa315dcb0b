"""Writes assembly/math/polynomials.ts: near-minimax polynomials behind arccos, h, h', kappa0 and kappa1.

Needs Debian's python3-mpmath. Run it from the repository root: python3 scripts/polynomials.py
With t = (1 - w) / 2 and w = |u| in [0, 1], every function of the kernel is sqrt(t) or a power of it times an analytic
function of t on [0, 1/2] (nearest singularity at t = 1). Each analytic function is interpolated at Chebyshev nodes in
60-digit arithmetic and rounded to double coefficient by coefficient; the relative error of the rounded polynomial is
printed and stands in the generated file.
"""
from mpmath import mp, mpf, asin, sqrt, acos, cos, pi, findroot, chop, matrix, lu_solve, nstr

mp.dps = 60
DEGREE = 20
SHORT = 12


def arc(t):  # asin(sqrt t) / sqrt t
    return asin(sqrt(t)) / sqrt(t) if t > mpf(10) ** -40 else 1 + t / 6


def gap(t):  # h(-w) / sqrt t = 2 sqrt(1-t) - 4 (1-2t) arc(t)
    return 2 * sqrt(1 - t) - 4 * (1 - 2 * t) * arc(t)


def slope(t):  # h'(-w) sqrt t = 4 t arc(t) - (1-2t) / (2 sqrt(1-t))
    return 4 * t * arc(t) - (1 - 2 * t) / (2 * sqrt(1 - t))


def cap(t):  # pi kappa1(-w) / t^(3/2) = (2 sqrt(1-t) - 2 (1-2t) arc(t)) / t
    if t < mpf(10) ** -12:
        return mpf(8) / 3 + mpf(4) / 5 * t
    return (2 * sqrt(1 - t) - 2 * (1 - 2 * t) * arc(t)) / t


T_GAP = findroot(gap, mpf("0.303"))
T_SLOPE = findroot(slope, mpf("0.103"))
W_GAP, W_SLOPE = 1 - 2 * T_GAP, 1 - 2 * T_SLOPE


def gap_quotient(t):  # gap(t) = (W_GAP - w) Q(t)
    w = 1 - 2 * t
    if abs(W_GAP - w) < mpf(10) ** -25:
        return mp.diff(gap, t) / 2
    return gap(t) / (W_GAP - w)


def slope_quotient(t):
    w = 1 - 2 * t
    if abs(W_SLOPE - w) < mpf(10) ** -25:
        return mp.diff(slope, t) / 2
    return slope(t) / (W_SLOPE - w)


def interpolate(function, degree):
    """Monomial coefficients (in t) of the interpolant at degree + 1 Chebyshev nodes of [0, 1/2]."""
    count = degree + 1
    nodes = [(1 + cos(pi * (2 * k + 1) / (2 * count))) / 4 for k in range(count)]
    system = matrix(count, count)
    for row, node in enumerate(nodes):
        for power in range(count):
            system[row, power] = node**power
    solution = lu_solve(system, matrix([function(node) for node in nodes]))
    return [float(solution[k]) for k in range(count)]


def error(function, coefficients):
    worst = mpf(0)
    for k in range(1, 2001):
        t = mpf(k) / 4000
        value = sum(mpf(c) * t**power for power, c in enumerate(coefficients))
        worst = max(worst, abs(value / function(t) - 1))
    return worst


def split(value):
    high = float(value)
    return high, float(value - mpf(high))


def horner(names, variable):
    expression = names[-1]
    for name in reversed(names[:-1]):
        expression = f"{name} + {variable} * ({expression})"
    return expression


def emit(name, comment, function, degree):
    coefficients = interpolate(function, degree)
    worst = error(function, coefficients)
    print(name, "degree", degree, "relative error", nstr(worst, 3), "first", coefficients[:3], "last", coefficients[-3:])
    constants = "\n".join(f"const {name}_{k}: f64 = {c!r};" for k, c in enumerate(coefficients))
    even = [f"{name}_{k}" for k in range(2, degree + 1, 2)]
    odd = [f"{name}_{k}" for k in range(1, degree + 1, 2)]
    lower = name.lower()
    lower = lower.split("_")[0] + "".join(part.capitalize() for part in lower.split("_")[1:])

    ulps = f"""
/** A tenth more than that, in units of roundoff, and room for the roundings of its evaluation. */
export const {name}_ULPS: f64 = {float(int(worst * 2**53 * 1.1) + 32)!r};
""" if degree < DEGREE else ""

    def chain(parts):
        lines = [f"  let {{0}} = f64x2.splat({parts[-1]});"]
        for part in reversed(parts[:-1]):
            lines.append(f"  {{0}} = f64x2.add(f64x2.splat({part}), f64x2.mul(s, {{0}}));")
        return "\n".join(lines)

    return f"""
// {comment} Relative error on [0, 1/2] of the polynomial: {nstr(worst, 2)}.
{constants}
{ulps}
// @ts-ignore: decorator
@inline
export function {lower}(t: f64): f64 {{
  const s = t * t;
  const even: f64 = {horner(even, "s")};
  const odd: f64 = {horner(odd, "s")};
  return {name}_0 + (t * odd + s * even);
}}

// @ts-ignore: decorator
@inline
export function {lower}x2(t: v128): v128 {{
  const s = f64x2.mul(t, t);
{chain(even).format("even")}
{chain(odd).format("odd")}
  return f64x2.add(f64x2.splat({name}_0), f64x2.add(f64x2.mul(t, odd), f64x2.mul(s, even)));
}}
"""


parts = [
    emit("ARC", "arc(t) = asin(sqrt t) / sqrt t.", arc, DEGREE),
    emit("GAP", "gap(t) with h(-w) = sqrt(t) (GAP_ZERO - w) gap(t).", gap_quotient, DEGREE),
    emit("SHORT_GAP", "The same with fewer terms, where bounds allow for its error.", gap_quotient, SHORT),
    emit("SLOPE", "slope(t) with h'(-w) = (SLOPE_ZERO - w) slope(t) / sqrt(t).", slope_quotient, DEGREE + 2),
    emit("CAP", "cap(t) with pi kappa1(-w) = t sqrt(t) cap(t).", cap, DEGREE),
]
gap_hi, gap_lo = split(W_GAP)
slope_hi, slope_lo = split(W_SLOPE)
h_min = (sqrt(T_SLOPE)) * gap(T_SLOPE)
print("h min", nstr(h_min, 20), "at", nstr(-W_SLOPE, 20))
header = f"""// Polynomials in t = (1 - w) / 2, w = |u|, behind every function of the kernel, as scalars and as pairs of lanes.
// Written by scripts/polynomials.py; not edited by hand. Not here: the functions themselves (elementary.ts).
// Even and odd powers run as two Horner chains, in the same order in both forms, so both give the same bits; the
// constant comes last, so that little more than its own rounding is left.

/** -u of the zero of h, {nstr(-W_GAP, 20)}, as high + low. */
export const GAP_ZERO_HIGH: f64 = {gap_hi!r};
export const GAP_ZERO_LOW: f64 = {gap_lo!r};
/** -u of the zero of h' (the minimum of h), {nstr(-W_SLOPE, 20)}, as high + low. */
export const SLOPE_ZERO_HIGH: f64 = {slope_hi!r};
export const SLOPE_ZERO_LOW: f64 = {slope_lo!r};
/** A double below min h = {nstr(h_min, 20)}. */
export const H_MINIMUM_BELOW: f64 = {float(h_min) - 1e-16!r};
"""
with open("assembly/math/polynomials.ts", "w") as file:
    file.write(header + "".join(parts))
