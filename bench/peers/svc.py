"""Peer: the soft-margin SVM of MNIST 0/1, Gram matrix in PyTorch and libsvm through scikit-learn.

Needs NumPy, PyTorch and scikit-learn. C = 15.625, tol 1e-3. seconds covers everything from pixels in memory to alpha;
gram_seconds is the part before libsvm starts.
"""
import time

import numpy as np
import torch
from mnist01 import load, options, report, torch_gram
from sklearn.svm import SVC

arguments = options(__doc__, ("--save", {"help": "write the signed coefficients (length n) to this .npy file"}))
torch.set_num_threads(arguments.threads)
rows, labels = (part[:arguments.n] for part in load("train", np.float32))
start = time.perf_counter()
tensor = torch.from_numpy(rows)
gram = torch_gram(tensor, tensor).numpy().astype(np.float64)
gram_seconds = time.perf_counter() - start
model = SVC(C=15.625, kernel="precomputed", tol=1e-3, cache_size=2000).fit(gram, labels)
alpha = np.zeros(len(labels))
alpha[model.support_] = model.dual_coef_[0]
seconds = time.perf_counter() - start
if arguments.save:
    np.save(arguments.save, alpha)
objective = float(np.abs(alpha).sum() - alpha @ gram @ alpha / 2)
report("svc", seconds, gram_seconds=gram_seconds, n=len(labels), threads=arguments.threads,
       support_vectors=len(model.support_), intercept=float(model.intercept_[0]), dual_objective=objective)
