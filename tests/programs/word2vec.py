"""Word vectors: CBOW with n-grams, skip-gram with negative samples, nearest neighbours."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

raw_text = """We are about to study the idea of a computational process. Computational processes are abstract
beings that inhabit computers. As they evolve, processes manipulate other abstract things called data.""".split()
vocab = sorted(set(raw_text))
word_to_ix = {word: i for i, word in enumerate(vocab)}
data = []
for i in range(2, len(raw_text) - 2):
    context = [raw_text[i - 2], raw_text[i - 1], raw_text[i + 1], raw_text[i + 2]]
    data.append((context, raw_text[i]))


class CBOW(nn.Module):
    def __init__(self, vocab_size, embedding_dim):
        super(CBOW, self).__init__()
        self.embeddings = nn.Embedding(vocab_size, embedding_dim)
        self.linear1 = nn.Linear(4 * embedding_dim, 32)
        self.linear2 = nn.Linear(32, vocab_size)

    def forward(self, inputs):
        embeds = self.embeddings(inputs).view((1, -1))
        return F.log_softmax(self.linear2(F.relu(self.linear1(embeds))), dim=1)


class SkipGram(nn.Module):
    def __init__(self, vocab_size, dim):
        super().__init__()
        self.u = nn.Embedding(vocab_size, dim, sparse=False)
        self.v = nn.Embedding(vocab_size, dim)
        self.u.weight.data.uniform_(-0.5 / dim, 0.5 / dim)
        self.v.weight.data.zero_()

    def forward(self, u_pos, v_pos, v_neg):
        u, v, n = self.u(u_pos), self.v(v_pos), self.v(v_neg)
        score = F.logsigmoid(torch.sum(u * v, dim=1))
        neg = F.logsigmoid(-torch.bmm(n, u.unsqueeze(2)).squeeze()).sum(1)
        return -(score + neg).mean()


torch.manual_seed(1)
model = CBOW(len(vocab), 8)
loss_function, optimizer = nn.NLLLoss(), optim.SGD(model.parameters(), lr=0.05)
for epoch in range(3):
    total_loss = 0
    for context, target in data:
        ids = torch.tensor([word_to_ix[w] for w in context], dtype=torch.long)
        model.zero_grad()
        loss = loss_function(model(ids), torch.tensor([word_to_ix[target]], dtype=torch.long))
        loss.backward()
        optimizer.step()
        total_loss += loss.item()
    print(f"{total_loss:.4f}")
sg = SkipGram(len(vocab), 8)
optimizer = optim.Adagrad(sg.parameters(), lr=0.1)
centre = torch.tensor([word_to_ix[t] for _, t in data])
around = torch.tensor([word_to_ix[c[1]] for c, _ in data])
for epoch in range(5):
    negative = torch.randint(0, len(vocab), (len(data), 3))
    optimizer.zero_grad()
    loss = sg(centre, around, negative)
    loss.backward()
    optimizer.step()
print(f"skip-gram {loss.item():.4f}")
w = F.normalize(model.embeddings.weight.detach(), dim=1)
best = (w @ w[word_to_ix["processes"]]).topk(3)
print([vocab[i] for i in best.indices], [f"{v:.3f}" for v in best.values])
