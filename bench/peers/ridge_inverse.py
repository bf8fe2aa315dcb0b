"""Peer: the paper's ridge path as its authors compute it, one float32 inverse for each of eight lambdas.

Needs NumPy and PyTorch. seconds covers the eight solves (with their residuals), not the Gram matrix.
"""
import time

import torch
from mnist01 import load, options, report, torch_gram
from numpy import float32

arguments = options(__doc__)
torch.set_num_threads(arguments.threads)
rows, labels = (torch.from_numpy(part[:arguments.n]) for part in load("train", float32))
gram = torch_gram(rows, rows)
residuals = {}
start = time.perf_counter()
for lam in (0.0, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0):
    system = gram + lam / 2 * torch.eye(len(labels))
    alpha = torch.inverse(system) @ labels
    residuals[lam] = float((system @ alpha - labels).norm() / labels.norm())
seconds = time.perf_counter() - start
report("ridge_inverse", seconds, n=len(rows), threads=arguments.threads, relative_residuals=residuals)
