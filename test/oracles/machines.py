#!/usr/bin/env python3
"""Writes machines.json: solutions of Table 1's machines by solvers that have nothing in common with the package.

    OMP_NUM_THREADS=1 python3 test/oracles/machines.py

With a bias: libsvm, through scikit-learn. Without one, and for logistic regression: SciPy (non-negative least squares,
a trust region) or plain coordinate descent, each run until its optimality conditions hold to rounding. README.md beside
this script explains the fields. Needs NumPy, SciPy and scikit-learn (Debian: python3-sklearn python3-scipy).
"""
import json
import os

import numpy as np
from scipy.optimize import minimize, nnls
from sklearn.calibration import _sigmoid_calibration
from sklearn.svm import SVC, SVR

HERE = os.path.dirname(os.path.abspath(__file__))


def two_layer(a, b):
    """The NTK of one hidden layer, r r' / (2 pi d) h(u)."""
    r, s = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    u = np.clip((a @ b.T) / np.outer(r, s), -1, 1)
    h = 2 * u * (np.pi - np.arccos(u)) + np.sqrt(1 - u * u)
    return np.outer(r, s) / (2 * np.pi * a.shape[1]) * h


def gram(a):
    """u = 1 on the diagonal exactly: there rounding costs half of the digits."""
    matrix = two_layer(a, a)
    np.fill_diagonal(matrix, (a * a).sum(axis=1) / a.shape[1])
    return (matrix + matrix.T) / 2


def libsvm(model, matrix, cross, y, weights):
    """Decisions of a libsvm machine; it stores the kernel in float32, so they are good to about 1e-5."""
    fitted = model.fit(matrix, y, sample_weight=weights)
    values = fitted.predict(cross) if isinstance(model, SVR) else fitted.decision_function(cross)
    return {"bias": True, "decision": values.tolist(), "intercept": float(fitted.intercept_[0])}


def nonnegative(q):
    """The a >= 0 that minimises a' q a / 2 - sum a: with q = L L', non-negative least squares of L' a = L^-1 1."""
    factor = np.linalg.cholesky(q)
    a, _ = nnls(factor.T, np.linalg.solve(factor, np.ones(len(q))), maxiter=1000 * len(q))
    gradient = q @ a - 1
    assert np.abs(np.where(a > 0, gradient, np.minimum(gradient, 0))).max() < 1e-9
    return a


def squared_hinge(matrix, cross, y, c, weights):
    a = nonnegative(matrix * np.outer(y, y) + np.diag(1 / (2 * c * weights)))
    return {"bias": False, "decision": (cross @ (a * y)).tolist()}


def hard_margin(matrix, cross, y):
    a = nonnegative(matrix * np.outer(y, y))
    return {"bias": False, "decision": (cross @ (a * y)).tolist()}


def tube(matrix, cross, y, c, epsilon, weights):
    """Coordinate descent on the dual of the tube: each alpha at its own optimum in turn."""
    alpha, f = np.zeros(len(y)), np.zeros(len(y))
    for _ in range(200_000):
        most = 0.0
        for i in range(len(y)):
            k = matrix[i, i]
            wish = alpha[i] + (y[i] - f[i]) / k
            new = np.clip(np.sign(wish) * max(0.0, abs(wish) - epsilon / k), -c * weights[i], c * weights[i])
            f += matrix[i] * (new - alpha[i])
            most, alpha[i] = max(most, abs(new - alpha[i]) * k), new
        if most < 1e-13:
            return {"bias": False, "decision": (cross @ alpha).tolist()}
    raise ArithmeticError("coordinate descent did not end")


def logistic(matrix, cross, y, c, weights, bias):
    """In the features of a Cholesky factor, a smooth convex problem of n (+ 1) unknowns."""
    factor = np.linalg.cholesky(matrix + 1e-15 * np.trace(matrix) * np.eye(len(y)))
    x = np.hstack([factor, np.ones((len(y), 1))]) if bias else factor
    free = np.ones(x.shape[1])
    if bias:
        free[-1] = 0

    def value(v):
        return free @ (v * v) / 2 + c * weights @ np.logaddexp(0, -y * (x @ v))

    def slope(v):
        return free * v - c * x.T @ (weights * y / (1 + np.exp(y * (x @ v))))

    def curvature(v):
        s = 1 / (1 + np.exp(y * (x @ v)))
        return np.diag(free) + c * (x.T * (weights * s * (1 - s))) @ x

    v = minimize(value, np.zeros(x.shape[1]), jac=slope, hess=curvature, method="trust-exact", options={"gtol": 1e-9}).x
    for _ in range(5):
        v = v - np.linalg.solve(curvature(v), slope(v))
    assert np.abs(slope(v)).max() < 1e-11 * max(1, c)
    own = np.linalg.solve(factor.T, v[: len(y)])
    solution = {"bias": bias, "decision": (cross @ own + (v[-1] if bias else 0)).tolist()}
    return {**solution, "intercept": float(v[-1])} if bias else solution


def classes(rng, n, d, pixels):
    """Two overlapping clouds; as pixels, the integers 0 to 255."""
    y = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    x = rng.standard_normal((n, d)) + 0.6 * y[:, None] * np.linspace(1, 0, d)
    if not pixels:
        return x, x, y
    whole = np.clip(np.round(128 + 60 * x), 0, 255)
    return whole.astype(int), whole / 255, y


def classification(name, seed, n, d, pixels):
    rng = np.random.default_rng(seed)
    stored, x, y = classes(rng, n, d, pixels)
    stored_test, tests, _ = classes(rng, 10, d, pixels)
    matrix, cross = gram(x), two_layer(tests, x)
    solutions = []
    for weights in (None, rng.integers(1, 5, n) / 2.0):
        own = np.ones(n) if weights is None else weights
        record = {} if weights is None else {"weights": weights.tolist()}
        for c in (0.5, 20.0):
            shifted = matrix + np.diag(1 / (2 * c * own))
            solutions += [
                {"machine": "svm", "c": c, **record, **libsvm(SVC(C=c, kernel="precomputed", tol=1e-10), matrix, cross, y, own)},
                {"machine": "svm2", "c": c, **record, **libsvm(SVC(C=1e7, kernel="precomputed", tol=1e-10), shifted, cross, y, np.ones(n))},
                {"machine": "svm2", "c": c, **record, **squared_hinge(matrix, cross, y, c, own)},
                {"machine": "logistic", "c": c, **record, **logistic(matrix, cross, y, c, own, False)},
                {"machine": "logistic", "c": c, **record, **logistic(matrix, cross, y, c, own, True)},
            ]
    solutions += [
        {"machine": "hard-margin", **libsvm(SVC(C=1e9, kernel="precomputed", tol=1e-10), matrix, cross, y, np.ones(n))},
        {"machine": "hard-margin", **hard_margin(matrix, cross, y)},
    ]
    return {"name": name, "pixels": pixels, "regression": False, "x": stored.tolist(), "y": y.tolist(),
            "xTest": stored_test.tolist(), "solutions": solutions}


def regression(name, seed, n, d):
    rng = np.random.default_rng(seed)
    x, tests = rng.standard_normal((n, d)), rng.standard_normal((10, d))
    y = 3 * np.sin(x[:, 0]) + x[:, 1] ** 2 + 0.2 * rng.standard_normal(n)
    matrix, cross = gram(x), two_layer(tests, x)
    solutions = []
    for weights in (None, rng.integers(1, 5, n) / 2.0):
        own = np.ones(n) if weights is None else weights
        record = {} if weights is None else {"weights": weights.tolist()}
        for c in (1.0, 10.0):
            for epsilon in (0.05, 0.5):
                head = {"machine": "svr", "c": c, "epsilon": epsilon, **record}
                model = SVR(C=c, epsilon=epsilon, kernel="precomputed", tol=1e-10)
                solutions += [{**head, **libsvm(model, matrix, cross, y, own)}, {**head, **tube(matrix, cross, y, c, epsilon, own)}]
    return {"name": name, "pixels": False, "regression": True, "x": x.tolist(), "y": y.tolist(), "xTest": tests.tolist(),
            "solutions": solutions}


def pairs(seed, n, d, many, c):
    """libsvm's one-vs-one machines: the decision of each pair, positive for the first class, and the class voted for."""
    rng = np.random.default_rng(seed)

    def clouds(count):
        labels = np.where(np.arange(count) < many, np.arange(count) % many, rng.integers(0, many, count))
        return 0.7 * rng.standard_normal((count, d)) + 1.2 * np.eye(many, d)[labels], labels

    (x, labels), (tests, _) = clouds(n), clouds(40)
    model = SVC(C=c, kernel="precomputed", tol=1e-10, decision_function_shape="ovo").fit(gram(x), labels)
    cross = two_layer(tests, x)
    return {"c": c, "classes": many, "x": x.tolist(), "labels": labels.tolist(), "xTest": tests.tolist(),
            "decisions": model.decision_function(cross).tolist(), "predictions": model.predict(cross).tolist()}


def platt(seed, n):
    """scikit-learn's sigmoid of overlapping decisions, which is P = 1 / (1 + exp(a f + b))."""
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(n) < 0.3, 1.0, -1.0)
    decisions = 2 * y + 2 * rng.standard_normal(n)
    a, b = _sigmoid_calibration(decisions, y)
    return {"decisions": decisions.tolist(), "y": y.tolist(), "slope": -float(a), "offset": -float(b)}


if __name__ == "__main__":
    sets = [classification("real, overlapping", 11, 60, 4, False), classification("pixels", 12, 50, 9, True),
            regression("real targets", 13, 40, 3)]
    lines = ",\n".join(json.dumps(item, separators=(",", ":"), allow_nan=False) for item in sets)
    sigmoids = ",\n".join(json.dumps(platt(seed, n), separators=(",", ":")) for seed, n in ((21, 40), (22, 200)))
    voted = ",\n".join(json.dumps(pairs(*one), separators=(",", ":")) for one in ((31, 80, 5, 4, 2.0), (32, 90, 6, 5, 30.0)))
    with open(os.path.join(HERE, "machines.json"), "w") as file:
        file.write('{\n"sets":[\n' + lines + '\n],\n"pairs":[\n' + voted + '\n],\n"platt":[\n' + sigmoids + "\n]\n}\n")
