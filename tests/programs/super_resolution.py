"""Pictures enlarged: sub-pixel convolution against bicubic interpolation, measured in decibels."""

from math import log10

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.nn.init as init


class Net(nn.Module):
    def __init__(self, upscale_factor):
        super(Net, self).__init__()
        self.relu = nn.ReLU()
        self.conv1 = nn.Conv2d(1, 8, (5, 5), (1, 1), (2, 2))
        self.conv2 = nn.Conv2d(8, 8, (3, 3), padding=1, padding_mode="reflect")
        self.conv3 = nn.Conv2d(8, upscale_factor**2, 3, padding="same")
        self.pixel_shuffle = nn.PixelShuffle(upscale_factor)
        init.orthogonal_(self.conv1.weight, init.calculate_gain("relu"))
        init.orthogonal_(self.conv2.weight, init.calculate_gain("relu"))
        init.orthogonal_(self.conv3.weight)

    def forward(self, x):
        x = self.relu(self.conv1(x))
        x = self.relu(self.conv2(x))
        return self.pixel_shuffle(self.conv3(x))


torch.manual_seed(33)
coarse = torch.rand(12, 1, 5, 5)
large = F.interpolate(coarse, size=(20, 20), mode="bicubic", align_corners=False).clamp(0, 1)
small = F.avg_pool2d(large, 2)
model = Net(2)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(4):
    epoch_loss = 0
    for i in range(0, 12, 4):
        optimizer.zero_grad()
        loss = F.mse_loss(model(small[i : i + 4]), large[i : i + 4])
        epoch_loss += loss.item()
        loss.backward()
        optimizer.step()
    print("===> Epoch {} Avg. Loss: {:.4f}".format(epoch, epoch_loss / 3))
for mode in ("nearest", "bilinear", "bicubic"):
    up = F.interpolate(small, scale_factor=2, mode=mode)
    print(mode, f"{10 * log10(1 / F.mse_loss(up, large).item()):.3f} dB")
