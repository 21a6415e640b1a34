"""A restricted Boltzmann machine: contrastive divergence by hand, then through the free energy."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class RBM:
    def __init__(self, n_vis, n_hid, k, lr=0.05, momentum=0.5):
        self.weights = torch.randn(n_vis, n_hid) * 0.1
        self.vbias, self.hbias = torch.ones(n_vis) * 0.5, torch.zeros(n_hid)
        self.wm = torch.zeros(n_vis, n_hid)
        self.k, self.lr, self.momentum = k, lr, momentum

    def sample_hidden(self, v):
        p = torch.sigmoid(torch.matmul(v, self.weights) + self.hbias)
        return p, (p > torch.rand(p.shape)).float()

    def sample_visible(self, h):
        return torch.sigmoid(torch.matmul(h, self.weights.t()) + self.vbias)

    def contrastive_divergence(self, data):
        pos_p, h = self.sample_hidden(data)
        positive = torch.matmul(data.t(), h)
        for _ in range(self.k):
            v = self.sample_visible(h)
            neg_p, h = self.sample_hidden(v)
        negative = torch.matmul(v.t(), neg_p)
        self.wm *= self.momentum
        self.wm += positive - negative
        self.weights += self.wm * self.lr / data.size(0)
        self.vbias += self.lr * torch.mean(data - v, dim=0)
        self.hbias += self.lr * torch.mean(pos_p - neg_p, dim=0)
        return torch.sum((data - v) ** 2)


class FreeRBM(nn.Module):
    def __init__(self, n_vis, n_hid):
        super().__init__()
        self.W = nn.Parameter(torch.randn(n_hid, n_vis) * 1e-2)
        self.v_bias = nn.Parameter(torch.zeros(n_vis))
        self.h_bias = nn.Parameter(torch.zeros(n_hid))

    def v_to_h(self, v):
        return torch.bernoulli(torch.sigmoid(F.linear(v, self.W, self.h_bias)))

    def h_to_v(self, h):
        return torch.bernoulli(torch.sigmoid(F.linear(h, self.W.t(), self.v_bias)))

    def forward(self, v):
        return v, self.h_to_v(self.v_to_h(v))

    def free_energy(self, v):
        wx_b = F.linear(v, self.W, self.h_bias)
        return (-F.softplus(wx_b).sum(1) - v.mv(self.v_bias)).mean()


torch.manual_seed(20)
patterns = (torch.rand(4, 24) > 0.5).float()
data = patterns[torch.randint(0, 4, (64,))]
rbm = RBM(24, 10, k=2)
for epoch in range(4):
    error = sum(rbm.contrastive_divergence(batch) for batch in data.split(16))
    print("Epoch %d, reconstruction error %.4f" % (epoch, error))
model = FreeRBM(24, 10)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for epoch in range(4):
    losses = []
    for batch in torch.utils.data.DataLoader(data, batch_size=16):
        v, v1 = model(batch.bernoulli())
        loss = model.free_energy(v) - model.free_energy(v1.data)
        losses.append(loss.data)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"{torch.stack(losses).mean():.4f}")
