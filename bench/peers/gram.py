"""Peer: the float32 Gram matrix of MNIST 0/1 in PyTorch, 12,665 x 12,665.

Needs NumPy and PyTorch. seconds covers the kernel alone, from pixels in memory to the matrix.
"""
import time

import torch
from mnist01 import load, options, report, torch_gram
from numpy import float32

arguments = options(__doc__)
torch.set_num_threads(arguments.threads)
rows = torch.from_numpy(load("train", float32)[0][:arguments.n])
start = time.perf_counter()
gram = torch_gram(rows, rows)
seconds = time.perf_counter() - start
report("gram", seconds, n=len(rows), threads=arguments.threads, mean=float(gram.mean(dtype=torch.float64)))
