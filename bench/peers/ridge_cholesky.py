"""Peer: the paper's ridge path by a float64 Cholesky factorisation for each of eight lambdas, a fairer opponent.

Needs NumPy and PyTorch. seconds covers the eight solves (with their residuals), not the float32 Gram matrix.
"""
import time

import torch
from mnist01 import load, options, report, torch_gram
from numpy import float32

arguments = options(__doc__)
torch.set_num_threads(arguments.threads)
rows, labels = (torch.from_numpy(part[:arguments.n]) for part in load("train", float32))
gram, labels, residuals = torch_gram(rows, rows), labels.double(), {}
gram = (gram + gram.T) / 2  # float32 products are not symmetric to the last bit, and Cholesky reads one triangle
start = time.perf_counter()
double = gram.double()
for lam in (0.0, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0):
    system = double.clone()
    system.diagonal().add_(lam / 2)
    alpha = torch.cholesky_solve(labels[:, None], torch.linalg.cholesky(system))[:, 0]
    residuals[lam] = float((system @ alpha - labels).norm() / labels.norm())
seconds = time.perf_counter() - start
report("ridge_cholesky", seconds, n=len(rows), threads=arguments.threads, relative_residuals=residuals)
