"""Two clouds of points told apart, with the accuracy."""

import torch
import torch.nn as nn

torch.manual_seed(2)
n = 100
x = torch.cat([torch.randn(n, 2) + 1.5, torch.randn(n, 2) - 1.5], dim=0)
y = torch.cat([torch.ones(n, 1), torch.zeros(n, 1)])
model = nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
loss_fn = nn.BCELoss()
for epoch in range(40):
    perm = torch.randperm(2 * n)
    total = 0.0
    for i in range(0, 2 * n, 20):
        idx = perm[i : i + 20]
        optimizer.zero_grad()
        loss = loss_fn(model(x[idx]), y[idx])
        loss.backward()
        optimizer.step()
        total += loss.item()
    if (epoch + 1) % 10 == 0:
        accuracy = ((model(x) > 0.5).float() == y).float().mean()
        print("Epoch [%d/40], loss: %.4f, accuracy: %.3f" % (epoch + 1, total / 10, accuracy))
for name, p in model.named_parameters():
    print(name, p.shape, p.data)
