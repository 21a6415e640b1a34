"""A Transformer encoder with a class token, norm first, GELU and a padding mask."""

import torch
from torch import nn


class Classifier(nn.Module):
    def __init__(self, vocab=30, dim=16, heads=2, depth=2, classes=3, length=10):
        super().__init__()
        self.token = nn.Embedding(vocab, dim, padding_idx=0)
        self.position = nn.Parameter(torch.randn(1, length + 1, dim) * 0.02)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        layer = nn.TransformerEncoderLayer(
            d_model=dim, nhead=heads, dim_feedforward=4 * dim, activation="gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, num_layers=depth, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, classes))

    def forward(self, ids):
        x = self.token(ids)
        x = torch.cat((self.cls.expand(ids.size(0), -1, -1), x), dim=1)
        x = x + self.position[:, : x.size(1)]
        pad = torch.cat((torch.zeros(ids.size(0), 1, dtype=torch.bool), ids == 0), dim=1)
        return self.head(self.encoder(x, src_key_padding_mask=pad)[:, 0])


torch.manual_seed(14)
ids = torch.randint(1, 30, (24, 10))
ids[torch.arange(24) % 3 == 0, 7:] = 0
labels = ids[:, 0] % 3
model = Classifier()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
for step in range(8):
    loss = nn.functional.cross_entropy(model(ids), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 2 == 1:
        print(f"step {step + 1}: {loss.item():.4f}")
model.eval()
with torch.inference_mode():
    probs = torch.softmax(model(ids), dim=-1)
    print(probs.argmax(1).tolist()[:6], f"{probs.max():.3f}")
