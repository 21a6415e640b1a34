"""A small U-Net that finds discs: transposed convolutions, skip connections, the Dice score."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class DoubleConv(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.double_conv = nn.Sequential(
            nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1),
            nn.BatchNorm2d(out_channels),
            nn.ReLU(inplace=True),
        )

    def forward(self, x):
        return self.double_conv(x)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.inc = DoubleConv(1, 8)
        self.down1 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(8, 16))
        self.down2 = nn.Sequential(nn.MaxPool2d(2), DoubleConv(16, 16))
        self.up1 = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
        self.conv1 = DoubleConv(32, 8)
        self.up2 = nn.ConvTranspose2d(8, 8, kernel_size=2, stride=2)
        self.conv2 = DoubleConv(16, 8)
        self.outc = nn.Conv2d(8, 1, kernel_size=1)

    def forward(self, x):
        x1 = self.inc(x)
        x2 = self.down1(x1)
        x3 = self.down2(x2)
        u = self.up1(x3)
        dy, dx = x2.size()[2] - u.size()[2], x2.size()[3] - u.size()[3]
        u = F.pad(u, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        u = self.conv1(torch.cat([x2, u], dim=1))
        u = self.up2(u)
        u = F.pad(u, [0, x1.size(3) - u.size(3), 0, x1.size(2) - u.size(2)])
        return self.outc(self.conv2(torch.cat([x1, u], dim=1)))


def dice(pred, target, smooth=1.0):
    pred, target = pred.contiguous().view(-1), target.contiguous().view(-1)
    intersection = (pred * target).sum()
    return (2.0 * intersection + smooth) / (pred.sum() + target.sum() + smooth)


torch.manual_seed(7)
n, size = 8, 18
yy, xx = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
centres = torch.randint(4, 14, (n, 2))
masks = torch.stack([((yy - c[0]) ** 2 + (xx - c[1]) ** 2 < 16).float() for c in centres]).unsqueeze(1)
images = masks + 0.3 * torch.randn(n, 1, size, size)
model = UNet()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for step in range(5):
    logits = model(images)
    loss = F.binary_cross_entropy_with_logits(logits, masks) + 1 - dice(torch.sigmoid(logits), masks)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.4f}")
