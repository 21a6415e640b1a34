"""Ratings from embeddings and biases, with a loader over a TensorDataset and a split."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(28)
n_users, n_items = 30, 20
user, item = torch.randint(n_users, (600,)), torch.randint(n_items, (600,))
taste, kind = torch.randn(n_users, 2), torch.randn(n_items, 2)
rating = (3 + (taste[user] * kind[item]).sum(1)).clamp(1, 5)
dataset = TensorDataset(user, item, rating)
train_set, valid_set = random_split(dataset, [500, 100])
train_loader = DataLoader(train_set, batch_size=50, shuffle=True, drop_last=True)


class MatrixFactorization(nn.Module):
    def __init__(self, n_factors=4):
        super().__init__()
        self.user_factors = nn.Embedding(n_users, n_factors)
        self.item_factors = nn.Embedding(n_items, n_factors)
        self.user_bias, self.item_bias = nn.Embedding(n_users, 1), nn.Embedding(n_items, 1)
        self.offset = nn.Parameter(torch.full((1,), 3.0))
        for e in (self.user_bias, self.item_bias):
            e.weight.data.zero_()

    def forward(self, u, i):
        dot = (self.user_factors(u) * self.item_factors(i)).sum(dim=1)
        return dot + self.user_bias(u).squeeze(-1) + self.item_bias(i).squeeze(-1) + self.offset


model = MatrixFactorization()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.5, weight_decay=1e-4)
for epoch in range(4):
    model.train()
    for u, i, r in train_loader:
        loss = nn.functional.mse_loss(model(u, i), r)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        errors = [(model(u, i) - r).abs().mean() for u, i, r in DataLoader(valid_set, batch_size=25)]
    print(f"epoch {epoch}: valid MAE {torch.stack(errors).mean().item():.4f}")
