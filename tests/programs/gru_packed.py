"""Sentences of different lengths: packed sequences through a bidirectional GRU."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

torch.manual_seed(11)
lengths = torch.tensor([3, 7, 1, 5, 4, 6])
sentences = [torch.randint(1, 20, (int(n),)) for n in lengths]
labels = torch.tensor([s.sum().item() % 2 for s in sentences]).float()
padded = pad_sequence(sentences, batch_first=True, padding_value=0)


class Sentiment(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(20, 8, padding_idx=0)
        self.gru = nn.GRU(8, 12, num_layers=2, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(24, 1)

    def forward(self, x, lengths):
        emb = self.embedding(x)
        packed = pack_padded_sequence(emb, lengths, batch_first=True, enforce_sorted=False)
        packed_out, hidden = self.gru(packed)
        out, out_lengths = pad_packed_sequence(packed_out, batch_first=True)
        assert torch.equal(out_lengths, lengths)
        hidden = torch.cat((hidden[-2, :, :], hidden[-1, :, :]), dim=1)
        pooled = out.sum(1) / lengths.unsqueeze(1)
        return self.fc(hidden + pooled).squeeze(1)


model = Sentiment()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
criterion = nn.BCEWithLogitsLoss()
for step in range(10):
    optimizer.zero_grad()
    logits = model(padded, lengths)
    loss = criterion(logits, labels)
    loss.backward()
    optimizer.step()
    if step % 3 == 0:
        correct = (torch.round(torch.sigmoid(logits)) == labels).sum().float() / len(labels)
        print(f"loss {loss.item():.4f} acc {correct.item():.2f}")
print(model.embedding.weight[0].abs().sum().item(), padded.shape)
