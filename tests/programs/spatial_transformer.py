"""A spatial transformer turns pictures upright before they are classified."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.localization = nn.Sequential(nn.Conv2d(1, 4, kernel_size=5), nn.MaxPool2d(2, stride=2), nn.ReLU(True))
        self.fc_loc = nn.Sequential(nn.Linear(4 * 6 * 6, 16), nn.ReLU(True), nn.Linear(16, 3 * 2))
        self.fc_loc[2].weight.data.zero_()
        self.fc_loc[2].bias.data.copy_(torch.tensor([1, 0, 0, 0, 1, 0], dtype=torch.float))
        self.fc = nn.Linear(256, 2)

    def stn(self, x):
        xs = self.localization(x)
        xs = xs.view(-1, 4 * 6 * 6)
        theta = self.fc_loc(xs).view(-1, 2, 3)
        grid = F.affine_grid(theta, x.size(), align_corners=False)
        return F.grid_sample(x, grid, align_corners=False)

    def forward(self, x):
        return F.log_softmax(self.fc(self.stn(x).flatten(1)), dim=1)


torch.manual_seed(34)
x = 0.1 * torch.rand(24, 1, 16, 16)
y = torch.arange(24) % 2
x[y == 0, :, 6:10, 2:14] += 1
x[y == 1, :, 2:14, 6:10] += 1
angle = (torch.rand(24) - 0.5) * math.pi / 3
theta = torch.stack(
    [torch.stack([angle.cos(), -angle.sin(), 0 * angle], 1), torch.stack([angle.sin(), angle.cos(), 0 * angle], 1)], 1
)
x = F.grid_sample(
    x, F.affine_grid(theta, list(x.shape), align_corners=False), padding_mode="border", align_corners=False
)
model = Net()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for epoch in range(5):
    optimizer.zero_grad()
    loss = F.nll_loss(model(x), y)
    loss.backward()
    optimizer.step()
    print(f"{epoch} {loss.item():.4f}")
