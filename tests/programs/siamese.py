"""Metric learning: contrastive, triplet and cosine losses on one embedding network."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class ContrastiveLoss(nn.Module):
    def __init__(self, margin=1.0):
        super().__init__()
        self.margin = margin

    def forward(self, a, b, label):
        d = F.pairwise_distance(a, b, keepdim=True)
        return torch.mean((1 - label) * torch.pow(d, 2) + label * torch.pow(torch.clamp(self.margin - d, min=0.0), 2))


torch.manual_seed(24)
net = nn.Sequential(
    nn.Conv1d(1, 4, 3, padding=1),
    nn.PReLU(),
    nn.MaxPool1d(2),
    nn.Conv1d(4, 8, 3),
    nn.PReLU(),
    nn.Flatten(),
    nn.Linear(48, 4),
)
x, y = torch.randn(36, 1, 16), torch.arange(36) % 3
x += y.view(-1, 1, 1) * torch.linspace(-1, 1, 16)
anchor, positive, negative = x[0::3], x[0::3].roll(1, 0), x[1::3]
optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
losses = {
    "contrastive": lambda a, p, n: ContrastiveLoss()(
        torch.cat([a, a]), torch.cat([p, n]), torch.arange(24).ge(12).float().unsqueeze(1)
    ),
    "triplet": nn.TripletMarginLoss(margin=1.0, p=2),
    "cosine": lambda a, p, n: nn.CosineEmbeddingLoss(0.2)(
        torch.cat([a, a]), torch.cat([p, n]), torch.tensor([1] * 12 + [-1] * 12)
    ),
}
for name, criterion in losses.items():
    for step in range(4):
        optimizer.zero_grad()
        loss = criterion(net(anchor), net(positive), net(negative))
        loss.backward()
        optimizer.step()
    print(f"{name:12s} {loss.item():.4f}")
print(torch.cdist(net(x[:2]), net(x[2:4])).shape)
