"""A denoising auto-encoder of three layers, and one with convolutions."""

import torch
from torch import nn

torch.manual_seed(15)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 32), nn.ReLU(True), nn.Linear(32, 8), nn.ReLU(True), nn.Linear(8, 3))
        self.decoder = nn.Sequential(
            nn.Linear(3, 8), nn.ReLU(True), nn.Linear(8, 32), nn.ReLU(True), nn.Linear(32, 64), nn.Tanh()
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


class ConvAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(4, 8, 3, stride=2, padding=1), nn.ReLU()
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(8, 4, 3, stride=2, padding=1, output_padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(4, 1, 3, stride=2, padding=1, output_padding=1),
            nn.Tanh(),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


basis = torch.randn(3, 64)
clean = torch.tanh(torch.randn(120, 3) @ basis)
for model, shape in ((Autoencoder(), (-1, 64)), (ConvAutoencoder(), (-1, 1, 8, 8))):
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, weight_decay=1e-5)
    for epoch in range(3):
        for batch in torch.split(clean, 40):
            noisy = batch + 0.2 * torch.randn_like(batch)
            recon = model(noisy.view(*shape))
            loss = criterion(recon, batch.view(*shape))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print("epoch:{}, loss:{:.4f}".format(epoch + 1, float(loss)))
