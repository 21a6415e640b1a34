"""A character model: one-hot letters through `nn.RNN`, then a sample of text."""

import torch
import torch.nn as nn

text = "the quick brown fox jumps over the lazy dog and runs away from the dog. "
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text], dtype=torch.long)


class CharRNN(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.vocab, self.hidden = vocab, hidden
        self.rnn = nn.RNN(vocab, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, vocab)

    def forward(self, x, h):
        x = nn.functional.one_hot(x, self.vocab).float()
        out, h = self.rnn(x, h)
        return self.fc(out.reshape(-1, self.hidden)), h

    def init_hidden(self, batch):
        return torch.zeros(1, batch, self.hidden)


torch.manual_seed(9)
model = CharRNN(len(chars), 32)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
x, y = data[:-1].view(1, -1), data[1:].view(1, -1)
for epoch in range(30):
    h = model.init_hidden(1)
    optimizer.zero_grad()
    out, h = model(x, h)
    loss = nn.CrossEntropyLoss()(out, y.view(-1))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 5)
    optimizer.step()
    if epoch % 10 == 0:
        print(f"Epoch {epoch}, loss {loss.item():.4f}")

model.eval()
with torch.no_grad():
    h, c, out = model.init_hidden(1), torch.tensor([[stoi["t"]]]), "t"
    for _ in range(12):
        logits, h = model(c, h)
        c = logits.argmax(-1, keepdim=True)
        out += chars[c.item()]
print(out)
