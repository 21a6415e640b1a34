"""Sequences read without alignment: a bidirectional LSTM and the CTC loss."""

import torch
import torch.nn as nn

torch.manual_seed(27)
T, N, C = 20, 6, 5
lstm, fc = nn.LSTM(8, 16, bidirectional=True), nn.Linear(32, C)
targets = [torch.randint(1, C, (n,)) for n in (3, 4, 2, 5, 3, 4)]
target_lengths = torch.tensor([len(t) for t in targets])
codes = torch.randn(C, 8)
x = torch.zeros(T, N, 8)
for n, t in enumerate(targets):
    for k, s in enumerate(t):
        x[4 * k : 4 * k + 3, n] = codes[s]
x += 0.1 * torch.randn_like(x)
input_lengths = torch.full((N,), T, dtype=torch.long)
criterion = nn.CTCLoss(blank=0, zero_infinity=True)
optimizer = torch.optim.Adam([*lstm.parameters(), *fc.parameters()], lr=0.02)
for step in range(12):
    log_probs = fc(lstm(x)[0]).log_softmax(2)
    loss = criterion(log_probs, torch.cat(targets), input_lengths, target_lengths)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 3 == 2:
        print(f"step {step}: {loss.item():.4f}")
best = log_probs.argmax(-1)[:, 0]
collapsed = torch.unique_consecutive(best)
print(collapsed[collapsed != 0].tolist(), targets[0].tolist())
