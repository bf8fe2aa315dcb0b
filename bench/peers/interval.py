"""Peer: the paper's interval certificate in NumPy, 20 bisections for each test image.

Needs NumPy. Arguments: a .npy file with the coefficients (length 12,665) and how many of the first test images of
digits 0/1 to certify. seconds covers inner products and bisections, not loading. Images of the wrong sign are skipped.
"""
import time

import numpy as np
from mnist01 import load, options, report

ARGMIN, MINIMUM = -0.7940998648103225, -0.4297378205183161


def h(u):
    return 2 * u * (np.pi - np.arccos(u)) + np.sqrt(1 - u * u)


def lower_bound(weights, cosines, radius, reach):
    """Theorem 4.2 for sum w_i r h(u_i): cosines are those with the centre of the box, reach is sqrt(d) delta."""
    shortest, longest = max(radius - reach, 0.0), radius + reach
    low, high = cosines * radius - reach, cosines * radius + reach
    with np.errstate(divide="ignore", invalid="ignore"):
        u_low = np.fmax(low / np.where(low >= 0, longest, shortest), -1)
        u_high = np.fmin(high / np.where(high >= 0, shortest, longest), 1)
    h_low, h_high = h(u_low), h(u_high)
    top = np.maximum(h_low, h_high)
    bottom = np.where((u_low < ARGMIN) & (ARGMIN < u_high), MINIMUM, np.minimum(h_low, h_high))
    bottom *= np.where(bottom >= 0, shortest, longest)
    top *= np.where(top >= 0, longest, shortest)
    return weights @ np.where(weights > 0, bottom, top)


def certified_radius(weights, units, image, bisections=20):
    """Largest certified delta in [0, 0.3], or None where the machine is wrong."""
    radius = np.linalg.norm(image)
    cosines = np.clip(units @ image / radius, -1, 1)
    if lower_bound(weights, cosines, radius, 0.0) <= 0:
        return None
    low, high = 0.0, 0.3
    for _ in range(bisections):
        middle = (low + high) / 2
        if lower_bound(weights, cosines, radius, middle * np.sqrt(len(image))) > 0:
            low = middle
        else:
            high = middle
    return low


arguments = options(__doc__, ("coefficients", {}), ("count", {"type": int, "nargs": "?", "default": 200}))
alpha = np.load(arguments.coefficients).astype(np.float64)
rows = load("train", np.float64)[0][:arguments.n]
if len(rows) != len(alpha):
    raise SystemExit(f"interval.py: {len(alpha)} coefficients for {len(rows)} training images")
tests, labels = (part[:arguments.count] for part in load("t10k", np.float64))
start = time.perf_counter()
norms = np.linalg.norm(rows, axis=1)
units, weights = rows / norms[:, None], alpha * norms
radii = [certified_radius(label * weights, units, image) for image, label in zip(tests, labels)]
seconds = time.perf_counter() - start
found = [radius for radius in radii if radius is not None]
report("interval", seconds, n=len(rows), samples=len(found), mean_radius=float(np.mean(found)))
