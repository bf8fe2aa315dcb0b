"""Definitions from the paper in mpmath, at 100 decimal digits: kernels, the interval bound, exact solutions.

What it is not: fast, or related to the package. generate.py writes the oracle files with it.
"""
import mpmath
import numpy as np
from mpmath import mp, mpf

mp.dps = 100


# ---------------------------------------------------------------- numbers

def double(value):
    """Nearest double of an mpf. Integer division in Python rounds correctly, subnormals included."""
    sign, mantissa, exponent, _ = mpf(value)._mpf_
    mantissa = int(mantissa) * (-1) ** sign
    return float(mantissa << exponent) if exponent >= 0 else mantissa / (1 << -exponent)


def doubles(values):
    return [double(value) for value in values]


def residual(value):
    """value - double(value) to six digits, so that errors can be measured in fractions of an ulp."""
    return float("%.5e" % double(value - mpf(double(value))))


# ---------------------------------------------------------------- formulas

def h(u):
    return 2 * u * (mp.pi - mp.acos(u)) + mp.sqrt(1 - u * u)


def h_prime(u):
    return 2 * (mp.pi - mp.acos(u)) + u / mp.sqrt(1 - u * u)


def kappa0(u):
    return (mp.pi - mp.acos(u)) / mp.pi


def kappa1(u):
    return (u * (mp.pi - mp.acos(u)) + mp.sqrt(1 - u * u)) / mp.pi


def clamp(u):
    """[-1, 1], and exactly +-1 when only the 100 digits' own rounding is in the way.

    Different double or pixel vectors stay further from parallel than that: 1 - |u| is then above 1e-36 or so.
    """
    return mpf(mp.sign(u)) if abs(u) > 1 - mpf(10) ** -80 else u


def exact(row, pixels):
    return [mpf(value) / 255 if pixels else mpf(value) for value in row]


def dot(a, b):
    return mp.fsum(p * q for p, q in zip(a, b))


def depth_kernels(products, d, depth, sw2=1, sb2=0):
    """(NTK, NNGP) after `depth` hidden layers; products = (<x,x'>, |x|^2, |x'|^2).

    A zero diagonal of a layer makes the normalised value meaningless; the covariance is then 0 and
    so is its product with kappa1, and kappa0 multiplies an NTK of 0.
    """
    sw2, sb2 = mpf(sw2), mpf(sb2)
    covariance, q_x, q_y = (sw2 * product / d + sb2 for product in products)
    ntk = covariance
    for _ in range(depth):
        scale = mp.sqrt(q_x * q_y)
        u = clamp(covariance / scale) if scale > 0 else mpf(0)
        covariance = sw2 * scale * kappa1(u) / 2 + sb2
        ntk = covariance + ntk * sw2 * kappa0(u) / 2
        q_x, q_y = sw2 * q_x / 2 + sb2, sw2 * q_y / 2 + sb2
    return ntk, covariance


def two_layer(x, y):
    """r r' / (2 pi d) h(u), the kernel of the paper's experiments."""
    scale = mp.sqrt(dot(x, x) * dot(y, y))
    return scale / (2 * mp.pi * len(x)) * h(clamp(dot(x, y) / scale)) if scale > 0 else mpf(0)


def gram(rows, others=None):
    if others is not None:
        return [[two_layer(x, y) for y in others] for x in rows]
    full = [[None] * len(rows) for _ in rows]
    for i, x in enumerate(rows):
        for j in range(i + 1):
            full[i][j] = full[j][i] = two_layer(x, rows[j])
    return full


def solve(matrix, right):
    return list(mp.lu_solve(mp.matrix(matrix), mp.matrix(right)))


def constants():
    argmin = mp.findroot(h_prime, (mpf("-0.8"), mpf("-0.79")), solver="anderson", tol=mpf(10) ** -180)
    root = mp.findroot(h, (mpf("-0.4"), mpf("-0.39")), solver="anderson", tol=mpf(10) ** -180)
    found = {"argminOfH": argmin, "minOfH": h(argmin), "zeroOfH": root}
    return {name: {"digits": mpmath.nstr(value, 45), "hi": double(value), "lo": double(value - double(value))}
            for name, value in found.items()}


# ---------------------------------------------------------------- interval bound

class IntervalBound:
    """Theorem 4.2: every kernel value in its own interval, the ends added by the sign of alpha."""

    def __init__(self, rows, alpha, x0):
        self.d, self.alpha = len(x0), [mpf(value) for value in alpha]
        self.norms = [mp.sqrt(dot(row, row)) for row in rows]
        self.dots = [dot(row, x0) for row in rows]
        self.radius = mp.sqrt(dot(x0, x0))
        self.argmin = mpf(constants()["argminOfH"]["digits"])
        self.minimum = h(self.argmin)

    def kernel(self, i, delta):
        norm, reach = self.norms[i], mp.sqrt(self.d) * delta
        r_lo, r_hi = max(self.radius - reach, mpf(0)), self.radius + reach
        lo, hi = self.dots[i] - reach * norm, self.dots[i] + reach * norm
        quotient = lambda top, r, limit: clamp(top / (norm * r)) if norm * r > 0 else mpf(limit)
        u_lo = quotient(lo, r_hi if lo >= 0 else r_lo, -1)
        u_hi = quotient(hi, r_lo if hi >= 0 else r_hi, 1)
        ends = h(u_lo), h(u_hi)
        h_lo, h_hi = (self.minimum if u_lo <= self.argmin <= u_hi else min(ends)), max(ends)
        scale = norm / (2 * mp.pi * self.d)
        return scale * h_lo * (r_lo if h_lo >= 0 else r_hi), scale * h_hi * (r_hi if h_hi >= 0 else r_lo)

    def bounds(self, delta):
        ranges = [self.kernel(i, mpf(delta)) for i in range(len(self.alpha))]
        return tuple(mp.fsum(a * pair[side if a > 0 else 1 - side] for a, pair in zip(self.alpha, ranges))
                     for side in (0, 1))


# ---------------------------------------------------------------- support vector machines

def box_dual(q, cost):
    """max sum a - a'Qa/2 on 0 <= a <= C by a primal active set method: the sets (free, at C).

    Starts from a = 0. A Newton step on the free set is cut at the first bound it meets; when a full step
    fits, the bound with the worst multiplier is released. Finite for a positive definite Q.
    """
    n = len(q)
    a, free = np.zeros(n), np.zeros(n, bool)
    for _ in range(200 * n):
        inside = np.flatnonzero(free)
        step = np.zeros(n)
        if len(inside):
            gradient = 1 - q @ a
            step[inside] = np.linalg.solve(q[np.ix_(inside, inside)], gradient[inside])
        room = np.full(n, np.inf)
        up, down = step > 0, step < 0
        room[up], room[down] = (cost - a[up]) / step[up], -a[down] / step[down]
        first = int(np.argmin(room))
        if room[first] < 1:
            a += room[first] * step
            a[first], free[first] = (cost if step[first] > 0 else 0.0), False
            continue
        a += step
        gradient = 1 - q @ a
        wish = np.where(free, 0, np.where(a > 0, -gradient, gradient))
        if wish.max() <= 1e-11:
            return inside.tolist(), np.flatnonzero(~free & (a > 0)).tolist()
        free[int(np.argmax(wish))] = True
    raise ArithmeticError("active set did not settle")


def solve_on_sets(matrix, y, cost, free, full, with_bias):
    """Exact stationary point in mpmath once it is known which coefficients are free and which are at C."""
    size = len(free) + with_bias
    a = [mpf(0)] * len(y)
    for i in full:
        a[i] = mpf(cost)
    system = [[matrix[i][j] * y[i] * y[j] for j in free] + ([mpf(y[i])] if with_bias else []) for i in free]
    right = [1 - y[i] * mp.fsum(matrix[i][j] * y[j] * cost for j in full) for i in free]
    if with_bias:
        system.append([mpf(y[j]) for j in free] + [mpf(0)])
        right.append(-mp.fsum(y[j] * mpf(cost) for j in full))
    answer = solve(system, right) if size else []
    for i, value in zip(free, answer):
        a[i] = value
    return a, answer[-1] if with_bias else mpf(0)


def checked_solution(matrix, cross, y, cost, sets, with_bias):
    """The exact solution, after its optimality conditions have been checked at 100 digits."""
    free, full = sets
    if with_bias and not free:
        raise ArithmeticError("no free coefficient: the intercept is not unique")
    a, bias = solve_on_sets(matrix, y, cost, free, full, with_bias)
    beta = [y_i * a_i for y_i, a_i in zip(y, a)]
    product = [dot(row, beta) for row in matrix]
    slack = [1 - y_i * (p + bias) for y_i, p in zip(y, product)]
    strict = [min(a[i], cost - a[i]) / cost if i in free else slack[i] if i in full else -slack[i]
              for i in range(len(y))]
    if not (min(strict) > 1e-10 and all(abs(slack[i]) < 1e-60 for i in free)):
        raise ArithmeticError(f"optimality conditions fail for C = {cost}: {mpmath.nstr(min(strict), 5)}")
    if with_bias and abs(mp.fsum(beta)) > 1e-60:
        raise ArithmeticError("equality constraint fails")
    return {"alpha": doubles(a), "bias": double(bias), "objective": double(mp.fsum(a) - dot(beta, product) / 2),
            "decision": doubles(dot(row, beta) + bias for row in cross),
            "supportVectors": sum(value > 1e-9 * cost for value in a), "bounded": len(full),
            "strictness": float("%.3g" % min(strict))}
