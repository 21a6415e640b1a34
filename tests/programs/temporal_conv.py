"""A temporal convolutional network: dilated causal convolutions with weight norm and residuals."""

import torch
import torch.nn as nn
from torch.nn.utils import weight_norm


class Chomp1d(nn.Module):
    def __init__(self, chomp_size):
        super().__init__()
        self.chomp_size = chomp_size

    def forward(self, x):
        return x[:, :, : -self.chomp_size].contiguous()


class TemporalBlock(nn.Module):
    def __init__(self, n_inputs, n_outputs, kernel_size, dilation, dropout=0.1):
        super().__init__()
        pad = (kernel_size - 1) * dilation
        self.conv1 = weight_norm(nn.Conv1d(n_inputs, n_outputs, kernel_size, padding=pad, dilation=dilation))
        self.net = nn.Sequential(self.conv1, Chomp1d(pad), nn.ReLU(), nn.Dropout(dropout))
        self.downsample = nn.Conv1d(n_inputs, n_outputs, 1) if n_inputs != n_outputs else None

    def forward(self, x):
        out = self.net(x)
        res = x if self.downsample is None else self.downsample(x)
        return torch.relu(out + res)


class TCN(nn.Module):
    def __init__(self):
        super().__init__()
        channels = [2, 8, 8, 8]
        blocks = [TemporalBlock(channels[i], channels[i + 1], 3, dilation=2**i) for i in range(3)]
        self.tcn = nn.Sequential(*blocks)
        self.linear = nn.Linear(8, 1)

    def forward(self, x):
        return self.linear(self.tcn(x)[:, :, -1])


torch.manual_seed(30)
values = torch.rand(64, 1, 20)
marks = torch.zeros(64, 1, 20)
for row in marks:
    row[0, torch.randperm(20)[:2]] = 1
x, y = torch.cat([values, marks], dim=1), (values * marks).sum(dim=2)
model = TCN()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(4):
    for i in range(0, 64, 16):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x[i : i + 16]), y[i : i + 16])
        loss.backward()
        if i == 0:
            print(f"epoch {epoch} loss {loss.item():.4f}")
        optimizer.step()
