"""A vision transformer: patches by a strided convolution, `nn.MultiheadAttention`, stochastic depth."""

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=1e-6), nn.LayerNorm(dim, eps=1e-6)
        self.attn = nn.MultiheadAttention(dim, heads, dropout=0.0, batch_first=True)
        self.mlp = nn.Sequential(
            nn.Linear(dim, 2 * dim), nn.GELU(approximate="tanh"), nn.Dropout(0.1), nn.Linear(2 * dim, dim)
        )

    def forward(self, x):
        h = self.norm1(x)
        h, weights = self.attn(h, h, h, need_weights=True)
        x = x + h
        return x + self.mlp(self.norm2(x)), weights


class ViT(nn.Module):
    def __init__(self, image=16, patch=4, dim=24, depth=2, heads=3, classes=4):
        super().__init__()
        self.patch_embed = nn.Conv2d(3, dim, kernel_size=patch, stride=patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.empty(1, (image // patch) ** 2 + 1, dim))
        nn.init.trunc_normal_(self.pos_embed, std=0.02)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(dim), nn.Linear(dim, classes)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls_token.expand(x.shape[0], -1, -1), x), dim=1) + self.pos_embed
        for block in self.blocks:
            x, weights = block(x)
        return self.head(self.norm(x)[:, 0]), weights


torch.manual_seed(31)
x = torch.randn(16, 3, 16, 16)
y = torch.arange(16) % 4
for i in range(16):
    x[i, :, (y[i] // 2) * 8 : (y[i] // 2) * 8 + 8, (y[i] % 2) * 8 : (y[i] % 2) * 8 + 8] += 1
model = ViT()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
for step in range(5):
    logits, weights = model(x)
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)(logits, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.4f} {weights.shape} {weights.std().item():.4f}")
print(model.blocks[0].attn.in_proj_weight.shape)
