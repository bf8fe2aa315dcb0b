"""Peer: the paper's mini-batch subgradient SVM on MNIST 0/1 in PyTorch, float32. Argument: epochs.

Needs NumPy and PyTorch. Batch 64, eta 1, lambda 0.001. seconds covers training alone, after the Gram matrix.
"""
import time

import torch
from mnist01 import load, options, report, torch_gram
from numpy import float32, save

arguments = options(__doc__, ("epochs", {"type": int}), ("--save", {"help": "write alpha to this .npy file"}))
torch.set_num_threads(arguments.threads)
torch.manual_seed(0)
rows, labels = (torch.from_numpy(part[:arguments.n]) for part in load("train", float32))
tests, test_labels = map(torch.from_numpy, load("t10k", float32))
gram = torch_gram(rows, rows)
alpha, eta, lam = torch.zeros(len(labels)), 1.0, 0.001
start = time.perf_counter()
for _ in range(arguments.epochs):
    for batch in torch.randperm(len(labels)).split(64):
        y = labels[batch]
        violated = y * (gram[batch] @ alpha) < 1
        alpha[batch] = (1 - eta * lam) * alpha[batch] + eta / len(batch) * violated * y
seconds = time.perf_counter() - start
if arguments.save:
    save(arguments.save, alpha.numpy())
accuracy = float(((alpha @ torch_gram(rows, tests)).sign() == test_labels).double().mean())
hinge = float(torch.relu(1 - labels * (gram @ alpha)).mean())
report("sgd", seconds, n=len(rows), threads=arguments.threads, epochs=arguments.epochs, accuracy=accuracy, hinge=hinge)
