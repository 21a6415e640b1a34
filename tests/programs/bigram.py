"""A bigram model of names: counted, and learned as a table of logits."""

import torch
import torch.nn.functional as F

words = "ana bruno carla daniel elisa fabio gabriela hugo ines joao katia lucas maria nuno olga paulo".split()
chars = ["."] + sorted(set("".join(words)))
stoi = {s: i for i, s in enumerate(chars)}
itos = {i: s for s, i in stoi.items()}
n = len(chars)
N = torch.zeros((n, n), dtype=torch.int32)
xs, ys = [], []
for w in words:
    for a, b in zip("." + w, w + "."):
        N[stoi[a], stoi[b]] += 1
        xs.append(stoi[a])
        ys.append(stoi[b])
P = (N + 1).float()
P /= P.sum(1, keepdim=True)
log_likelihood = torch.log(P[xs, ys]).sum()
print(f"nll {-log_likelihood.item() / len(xs):.4f}")

g = torch.Generator().manual_seed(2147483647)
for _ in range(3):
    out, ix = [], 0
    while True:
        ix = torch.multinomial(P[ix], num_samples=1, replacement=True, generator=g).item()
        if ix == 0:
            break
        out.append(itos[ix])
    print("".join(out))

xs, ys = torch.tensor(xs), torch.tensor(ys)
num = xs.nelement()
W = torch.randn((n, n), generator=g, requires_grad=True)
for k in range(30):
    xenc = F.one_hot(xs, num_classes=n).float()
    counts = (xenc @ W).exp()
    probs = counts / counts.sum(1, keepdims=True)
    loss = -probs[torch.arange(num), ys].log().mean() + 0.01 * (W**2).mean()
    W.grad = None
    loss.backward()
    W.data += -20 * W.grad
    if k % 10 == 0:
        print(f"{loss.item():.4f}")
print(f"{loss.item():.4f}")
