#!/usr/bin/env python3
"""Writes activations.json: NTK and NNGP of networks with leaky ReLU, erf and sine units, by the textbook recursion.

    python3 test/oracles/activations.py        about a minute

mpmath at 160 decimal digits, so that nothing that cancels matters: sinh of 1e120 is a number like any other. Each closed
form is held against a derivative of itself and against its Gaussian integral before anything is written. README.md beside
this script explains the fields.
"""
import json
import os
import random

from formulas import dot, exact, kappa0, kappa1
from formulas import double as nearest
from generate import kernel_pairs
from mpmath import mp, mpf

mp.dps = 160
HERE = os.path.dirname(os.path.abspath(__file__))


def double(value):
    """Nearest double; e^-1e120 has more digits before its first than there is memory."""
    return 0.0 if abs(value) < mpf("1e-330") else nearest(value)


def leaky(slope):
    s = mpf(slope)

    def moments(p, q, c):
        g = mp.sqrt(p * q)
        u = max(mpf(-1), min(mpf(1), c / g))
        share = (1 - s) ** 2 / 2
        return s * c + share * g * kappa1(u), s + share * kappa0(u)

    return moments, lambda z: z if z > 0 else s * z


def erf_moments(p, q, c):
    size = (1 + 2 * p) * (1 + 2 * q)
    return 2 / mp.pi * mp.asin(2 * c / mp.sqrt(size)), 4 / mp.pi / mp.sqrt(size - 4 * c * c)


def sine_moments(p, q, c):
    decay = mp.exp(-(p + q) / 2)
    return decay * mp.sinh(c), decay * mp.cosh(c)


UNITS = {"leaky-relu": lambda slope: leaky(slope), "erf": lambda _: (erf_moments, mp.erf), "sine": lambda _: (sine_moments, mp.sin)}


def kernels(moments, p, q, c, depth, sw2, sb2):
    """(NTK, NNGP) from the variances and the covariance of layer 0; zero variances are those of a zero row."""
    if p == 0 or q == 0:
        return mpf(0), mpf(0)
    ntk = c
    for _ in range(depth):
        value, slopes = moments(p, q, c)
        p, q = sw2 * moments(p, p, p)[0] + sb2, sw2 * moments(q, q, q)[0] + sb2
        c = sw2 * value + sb2
        ntk = c + sw2 * slopes * ntk
    return ntk, c


def check(moments, unit):
    """The closed forms against integrals of the unit over two Gaussians, and F_c against dF/dc."""
    with mp.workdps(20):
        p, q, c = mpf("0.7"), mpf("1.3"), mpf("-0.4")
        rest = mp.sqrt(q - c * c / p)

        def inner(a):
            bell = lambda z: unit(c / p * a + rest * z) * mp.npdf(z)
            kink = -c / p * a / rest
            return mp.quad(bell, sorted([-9, kink, 9])) * unit(a) * mp.npdf(a, 0, mp.sqrt(p))

        value, slopes = moments(p, q, c)
        integral = mp.quad(inner, [-8, 0, 8])
        change = mp.diff(lambda at: moments(p, q, at)[0], c)
        if abs(value - integral) > 1e-9 or abs(slopes - change) > 1e-9:
            raise ArithmeticError(f"closed form fails: {value} {integral} {slopes} {change}")


def entry(moments, products, d, depth, sw2, sb2):
    """Values, sizes sqrt(K(x, x) K(x', x')), and what one rounding of the inputs' products does to either kernel."""
    sw2, sb2 = mpf(sw2), mpf(sb2)
    c, p, q = (sw2 * product / d + sb2 for product in products)
    value = kernels(moments, p, q, c, depth, sw2, sb2)
    own, other = kernels(moments, p, p, p, depth, sw2, sb2), kernels(moments, q, q, q, depth, sw2, sb2)
    sizes = [mp.sqrt(a * b) for a, b in zip(own, other)]
    unit, most, blur = mpf(2) ** -53, mp.sqrt(p * q), [mpf(0), mpf(0)]
    for dc, dp in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        moved = max(-most, min(most, c + dc * unit * most))
        scaled = 1 + dp * unit
        near = kernels(moments, p * scaled, q, moved * mp.sqrt(scaled), depth, sw2, sb2)
        blur = [max(b, abs(n - v)) for b, n, v in zip(blur, near, value)]
    ratio = [float("%.3g" % (b / s / unit)) if s > 0 else 0.0 for b, s in zip(blur, sizes)]
    return [double(v) for v in value], [double(s) for s in sizes], ratio


def profile(settings):
    """Inputs of norm sqrt(d) at cosines +-(1 - 2^-k), which doubles hold exactly: nothing is rounded before the first layer."""
    records = []
    for cosine in [sign * (1 - 2.0**-k) for k in (1, 5, 12, 20, 30, 40, 47) for sign in (1, -1)] + [1.0]:
        record = {"cosine": cosine, "ntk": [], "nngp": []}
        for setting in settings:
            moments, _ = UNITS[setting["activation"]](setting.get("slope"))
            p = mpf(setting["sw2"])
            for kind, value in zip(("ntk", "nngp"), kernels(moments, p, p, p * mpf(cosine), setting["depth"], p, mpf(0))):
                record[kind].append(double(value))
        records.append(record)
    return records


if __name__ == "__main__":
    settings = [{"activation": name, **({"slope": slope} if name == "leaky-relu" else {}), "depth": depth, "sw2": sw2, "sb2": sb2}
                for name, slope in (("leaky-relu", 0.1), ("leaky-relu", 0.7), ("erf", 0), ("sine", 0))
                for sw2, sb2 in ((1, 0), (2, 0.1), (25, 0)) for depth in (1, 2, 3, 10)]
    for name, slope in (("leaky-relu", 0.1), ("erf", 0), ("sine", 0)):
        check(*UNITS[name](slope))
    pairs = [pair for pair in kernel_pairs(random.Random(5)) if len(pair["x"]) in (1, 3, 16, 20)]
    for pair in pairs:
        x, y = (exact(pair[key], pair["pixels"]) for key in "xy")
        products = dot(x, y), dot(x, x), dot(y, y)
        pair.update({"ntk": [], "nngp": [], "ntkSize": [], "nngpSize": [], "ntkBlur": [], "nngpBlur": []})
        for setting in settings:
            moments, _ = UNITS[setting["activation"]](setting.get("slope"))
            values, sizes, blur = entry(moments, products, len(x), setting["depth"], setting["sw2"], setting["sb2"])
            for k, kind in enumerate(("ntk", "nngp")):
                for name, list_ in (("", values), ("Size", sizes), ("Blur", blur)):
                    pair[kind + name].append(list_[k])
    compact = lambda item: json.dumps(item, separators=(",", ":"), allow_nan=False)
    with open(os.path.join(HERE, "activations.json"), "w", encoding="ascii") as file:
        plain = [setting for setting in settings if setting["sb2"] == 0]
        content = {"settings": settings, "pairs": pairs, "plain": plain, "profile": profile(plain)}
        lists = [f'"{key}":[\n' + ",\n".join(map(compact, items)) + "\n]" for key, items in content.items()]
        file.write("{\n" + ",\n".join(lists) + "\n}\n")
