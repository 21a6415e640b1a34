"""Learning to learn sines: an inner step whose own gradient is taken."""

import math

import torch
import torch.nn.functional as F

torch.manual_seed(26)
params = [
    torch.randn(20, 1).mul_(0.5).requires_grad_(),
    torch.zeros(20, requires_grad=True),
    torch.empty(1, 20).normal_(0, 0.2).requires_grad_(),
    torch.zeros(1, requires_grad=True),
]


def forward(x, p):
    return F.linear(torch.tanh(F.linear(x, p[0], p[1])), p[2], p[3])


optimizer = torch.optim.Adam(params, lr=1e-2)
for step in range(12):
    meta_loss = 0.0
    for task in range(4):
        amplitude, phase = torch.rand(1) * 2 + 0.5, torch.rand(1) * math.pi
        x = torch.rand(20, 1) * 6 - 3
        y = amplitude * torch.sin(x + phase)
        inner = F.mse_loss(forward(x[:10], params), y[:10])
        grads = torch.autograd.grad(inner, params, create_graph=True)
        fast = [p - 0.05 * g for p, g in zip(params, grads)]
        meta_loss = meta_loss + F.mse_loss(forward(x[10:], fast), y[10:])
    optimizer.zero_grad()
    (meta_loss / 4).backward()
    optimizer.step()
    if step % 4 == 3:
        print(f"{step} {meta_loss.item() / 4:.4f}")
