"""A generator and a discriminator of points on a circle, with binary cross-entropy."""

import math

import torch
import torch.nn as nn

torch.manual_seed(16)
latent_dim = 2


def real_batch(n):
    angle = 2 * math.pi * torch.rand(n)
    return torch.stack([angle.cos(), angle.sin()], dim=1) + 0.02 * torch.randn(n, 2)


D = nn.Sequential(
    nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1), nn.Sigmoid()
)
G = nn.Sequential(nn.Linear(latent_dim, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
adversarial_loss = torch.nn.BCELoss()
optimizer_G = torch.optim.Adam(G.parameters(), lr=0.0005, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(D.parameters(), lr=0.0005, betas=(0.5, 0.999))
for i in range(60):
    real = real_batch(64)
    valid = torch.ones(real.size(0), 1)
    fake = torch.zeros(real.size(0), 1)
    optimizer_G.zero_grad()
    z = torch.randn(real.shape[0], latent_dim)
    gen = G(z)
    g_loss = adversarial_loss(D(gen), valid)
    g_loss.backward()
    optimizer_G.step()
    optimizer_D.zero_grad()
    real_loss = adversarial_loss(D(real), valid)
    fake_loss = adversarial_loss(D(gen.detach()), fake)
    d_loss = (real_loss + fake_loss) / 2
    d_loss.backward()
    optimizer_D.step()
    if i % 15 == 0:
        print("[Batch %d] [D loss: %.4f] [G loss: %.4f]" % (i, d_loss.item(), g_loss.item()))
