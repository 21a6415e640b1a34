"""A Hopfield network recalls letters from noise; its energy falls."""

import torch

torch.manual_seed(21)
patterns = torch.where(torch.rand(3, 64) < 0.5, -1.0, 1.0)
n = patterns.shape[1]
W = torch.einsum("pi,pj->ij", patterns, patterns) / n
W.fill_diagonal_(0)


def energy(s):
    return -0.5 * s @ W @ s


for k, p in enumerate(patterns):
    s = p.clone()
    flipped = torch.randperm(n)[:12]
    s[flipped] *= -1
    before = energy(s).item()
    for sweep in range(3):
        for i in torch.randperm(n):
            s[i] = 1.0 if W[i].dot(s) >= 0 else -1.0
    overlap = (s * p).mean().item()
    print(f"pattern {k}: energy {before:.4f} -> {energy(s).item():.4f}, overlap {overlap:.2f}")
