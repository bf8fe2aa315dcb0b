"""Peer: interval bound propagation through a two-layer network in NumPy, 20 bisections for each test image.

Needs NumPy. Arguments: .npy files with the trained hidden weights (784 x width, float32) and output weights, then those
of the network at the start, and how many of the first test images of digits 0/1 to certify. The certificate is of
f - f_0 with f_0 kept at the centre. seconds covers centres, spreads and bisections, not loading. Float64 as ours: one
product for the centres of 256 images, then everything vectorised over neurons. Images of the wrong sign are skipped.
"""
import time

import numpy as np
from mnist01 import load, options, report

BATCH = 256


def lower_bound(centre, spread, positive, negative, delta):
    """sum_j v_j relu(a_j) at its smallest, a_j in [centre - delta spread, centre + delta spread]."""
    reach = delta * spread
    return positive @ np.maximum(centre - reach, 0) + negative @ np.maximum(centre + reach, 0)


def certified_radius(centre, spread, positive, negative, offset, bisections=20):
    """Largest certified delta in [0, 0.3], or None where the network is wrong."""
    if lower_bound(centre, spread, positive, negative, 0.0) <= offset:
        return None
    low, high = 0.0, 0.3
    for _ in range(bisections):
        middle = (low + high) / 2
        if lower_bound(centre, spread, positive, negative, middle) > offset:
            low = middle
        else:
            high = middle
    return low


arguments = options(__doc__, *((name, {}) for name in ("hidden", "output", "hidden0", "output0")),
                    ("count", {"type": int, "nargs": "?", "default": 200}))
hidden, output, hidden0, output0 = (np.load(path).astype(np.float64) for path in
                                    (arguments.hidden, arguments.output, arguments.hidden0, arguments.output0))
tests, labels = (part[:arguments.count] for part in load("t10k", np.float64))
start = time.perf_counter()
spread = np.abs(hidden).sum(axis=0)
found = []
for first in range(0, len(tests), BATCH):
    images, signs = tests[first:first + BATCH], labels[first:first + BATCH]
    offsets = np.maximum(images @ hidden0, 0) @ output0
    for centre, sign, offset in zip(images @ hidden, signs, offsets):
        weights = sign * output
        positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
        radius = certified_radius(centre, spread, positive, negative, sign * offset)
        if radius is not None:
            found.append(radius)
seconds = time.perf_counter() - start
report("ibp", seconds, n=hidden.shape[1], samples=len(found), mean_radius=float(np.mean(found)))
