"""Peer: a two-layer network of the paper in PyTorch, float32, soft margin loss, mini-batch subgradient descent.

Needs NumPy and PyTorch. Arguments: width, epochs. Batch 64, eta 1, lambda 0.001; outputs are f - f_0. Tuned by hand:
pixels that are zero in every image are dropped and rows without a margin violation cost no gradient. seconds covers the
steps alone: weights, f_0 and the compact rows are ready before.
"""
import time

import torch
from mnist01 import load, options, report
from numpy import float32


def forward(hidden, output, images):
    return torch.relu(images @ hidden / images.shape[1]**0.5) @ output / len(output)**0.5


arguments = options(__doc__, ("width", {"type": int}), ("epochs", {"type": int, "nargs": "?", "default": 1}))
torch.set_num_threads(arguments.threads)
torch.manual_seed(0)
rows, labels = (torch.from_numpy(part[:arguments.n]) for part in load("train", float32))
tests, test_labels = map(torch.from_numpy, load("t10k", float32))
width, eta, lam = arguments.width, 1.0, 0.001
hidden, output = torch.randn(rows.shape[1], width), torch.randn(width)
root, scale = width**0.5, rows.shape[1]**-0.5
at_start, tests_at_start = forward(hidden, output, rows), forward(hidden, output, tests)
live = (rows != 0).any(0)
compact, weights = rows[:, live].contiguous(), hidden[live].contiguous()
start = time.perf_counter()
for _ in range(arguments.epochs):
    for batch in torch.randperm(len(labels)).split(64):
        x, y = compact[batch], labels[batch]
        sums = x @ weights * scale
        z = torch.relu(sums) @ output / root - at_start[batch]
        slope = -y * (y * z < 1) / (len(batch) * root)
        hit = slope.nonzero().flatten()
        step = lam / width * output
        if len(hit):
            step = step + slope[hit] @ torch.relu(sums[hit])
            weights.addmm_(x[hit].T, (sums[hit] > 0) * output * slope[hit, None], alpha=-eta * scale)
        output.sub_(step, alpha=eta)
seconds = time.perf_counter() - start
hidden[live] = weights
hinge = torch.relu(1 - labels * (forward(hidden, output, rows) - at_start)).mean()
accuracy = ((forward(hidden, output, tests) - tests_at_start).sign() == test_labels).double().mean()
report("network", seconds, n=len(rows), threads=arguments.threads, width=width, epochs=arguments.epochs,
       accuracy=float(accuracy), hinge=float(hinge))
