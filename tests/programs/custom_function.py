"""A function with a derivative of one's own, checked numerically and trained through."""

import torch
from torch.autograd import Function, gradcheck


class LegendrePolynomial3(Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


class StraightThrough(Function):
    @staticmethod
    def forward(ctx, x, threshold=0.0):
        return (x > threshold).float()

    @staticmethod
    def backward(ctx, g):
        return g, None


torch.manual_seed(29)
P3 = LegendrePolynomial3.apply
print(gradcheck(P3, torch.randn(5, dtype=torch.double, requires_grad=True)))
x = torch.linspace(-1, 1, 100)
y = torch.sin(3 * x)
a, b, c, d = (torch.full((), v, requires_grad=True) for v in (0.0, -1.0, 0.0, 0.3))
for t in range(60):
    loss = (a + b * P3(c + d * x) - y).pow(2).mean()
    loss.backward()
    with torch.no_grad():
        for p in (a, b, c, d):
            p -= 0.1 * p.grad
            p.grad = None
    if t % 20 == 19:
        print(t, f"{loss.item():.4f}")
w = torch.randn(4, 3, requires_grad=True)
StraightThrough.apply(torch.rand(2, 4) @ w, 0.5).sum().backward()
print(w.grad.shape, f"{w.grad.sum().item():.4f}")
