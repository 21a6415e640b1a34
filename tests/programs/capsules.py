"""A capsule network: squashing, routing by agreement, margin loss and reconstruction."""

import torch
import torch.nn.functional as F
from torch import nn


def squash(s, dim=-1):
    norm2 = torch.sum(s**2, dim=dim, keepdim=True)
    norm = torch.sqrt(norm2)
    return (norm2 / (1.0 + norm2)) * (s / (norm + 1e-8))


class PrimaryCaps(nn.Module):
    def __init__(self, in_channels, caps, dim):
        super().__init__()
        self.capsules = nn.ModuleList([nn.Conv2d(in_channels, dim, 3, stride=2) for _ in range(caps)])
        self.dim = dim

    def forward(self, x):
        u = [capsule(x).view(x.size(0), self.dim, -1) for capsule in self.capsules]
        u = torch.cat(u, dim=2).permute(0, 2, 1)
        return squash(u)


class DigitCaps(nn.Module):
    def __init__(self, num_caps, num_routes, in_dim, out_dim):
        super().__init__()
        self.W = nn.Parameter(0.1 * torch.randn(1, num_routes, num_caps, out_dim, in_dim))
        self.num_caps, self.num_routes = num_caps, num_routes

    def forward(self, x):
        batch = x.size(0)
        x = torch.stack([x] * self.num_caps, dim=2).unsqueeze(4)
        W = torch.cat([self.W] * batch, dim=0)
        u_hat = torch.matmul(W, x)
        b = torch.zeros(batch, self.num_routes, self.num_caps, 1, 1)
        for r in range(3):
            c = F.softmax(b, dim=2)
            v = squash((c * u_hat).sum(dim=1, keepdim=True), dim=3)
            if r < 2:
                b = b + (u_hat * v).sum(dim=3, keepdim=True)
        return v.squeeze(1).squeeze(-1)


class CapsNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, kernel_size=5)
        self.primary = PrimaryCaps(8, caps=2, dim=4)
        self.digit = DigitCaps(num_caps=3, num_routes=2 * 9, in_dim=4, out_dim=6)
        self.decoder = nn.Sequential(nn.Linear(18, 32), nn.ReLU(), nn.Linear(32, 144), nn.Sigmoid())

    def forward(self, x, y=None):
        v = self.digit(self.primary(F.relu(self.conv(x))))
        lengths = v.norm(dim=-1)
        if y is None:
            y = F.one_hot(lengths.argmax(dim=1), 3).float()
        return lengths, self.decoder((v * y[:, :, None]).reshape(x.size(0), -1))


def margin_loss(lengths, y):
    left = y * F.relu(0.9 - lengths).pow(2)
    right = 0.5 * (1 - y) * F.relu(lengths - 0.1).pow(2)
    return (left + right).sum(dim=1).mean()


torch.manual_seed(19)
x = torch.rand(18, 1, 12, 12)
labels = torch.arange(18) % 3
for i in range(18):
    x[i, 0, 4 * labels[i] : 4 * labels[i] + 3] += 1
x = x / 2
y = torch.eye(3).index_select(dim=0, index=labels)
net = CapsNet()
optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
for epoch in range(5):
    lengths, recon = net(x, y)
    loss = margin_loss(lengths, y) + 0.0005 * F.mse_loss(recon, x.view(18, -1), reduction="sum")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    acc = (lengths.max(dim=1)[1] == labels).float().mean().item()
    print(f"{epoch} loss {loss.item():.4f} acc {acc:.2f}")
