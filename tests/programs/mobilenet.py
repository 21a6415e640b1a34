"""Depthwise separable convolutions, squeeze and excitation, and a hard swish."""

import torch
from torch import nn
from torch.nn import functional as F


def conv_dw(inp, oup, stride):
    return nn.Sequential(
        nn.Conv2d(inp, inp, 3, stride, 1, groups=inp, bias=False),
        nn.BatchNorm2d(inp),
        nn.ReLU6(inplace=True),
        nn.Conv2d(inp, oup, 1, 1, 0, bias=False),
        nn.BatchNorm2d(oup),
        nn.Hardswish(),
    )


class SqueezeExcite(nn.Module):
    def __init__(self, channels, reduction=4):
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(channels, channels // reduction, bias=False),
            nn.ReLU(inplace=True),
            nn.Linear(channels // reduction, channels, bias=False),
            nn.Hardsigmoid(),
        )

    def forward(self, x):
        b, c, _, _ = x.size()
        y = F.adaptive_avg_pool2d(x, 1).view(b, c)
        return x * self.fc(y).view(b, c, 1, 1).expand_as(x)


class MobileNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            conv_dw(8, 16, 1),
            SqueezeExcite(16),
            conv_dw(16, 24, 2),
            nn.Conv2d(24, 24, 3, padding=2, dilation=2, groups=3),
            nn.AdaptiveAvgPool2d(1),
        )
        self.fc = nn.Linear(24, 6)

    def forward(self, x):
        return self.fc(self.model(x).view(-1, 24))


torch.manual_seed(8)
net = MobileNet()
x, y = torch.randn(16, 3, 20, 20), torch.randint(6, (16,))
optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-3)
for step in range(5):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    print(step, round(loss.item(), 4))
