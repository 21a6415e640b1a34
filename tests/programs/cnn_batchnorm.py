"""A small convolutional network with batch norm and dropout; training and evaluation differ."""

import torch
from torch import nn, optim

torch.manual_seed(4)


class CNN(nn.Module):
    def __init__(self, num_classes=4):
        super().__init__()
        self.layer1 = nn.Sequential(
            nn.Conv2d(3, 16, kernel_size=5, stride=1, padding=2),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(kernel_size=2, stride=2),
        )
        self.layer2 = nn.Sequential(
            nn.Conv2d(16, 32, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.LeakyReLU(0.1, inplace=True),
            nn.AvgPool2d(2),
            nn.Dropout2d(0.2),
        )
        self.fc = nn.Linear(4 * 4 * 32, num_classes)

    def forward(self, x):
        out = self.layer1(x)
        out = self.layer2(out)
        out = out.reshape(out.size(0), -1)
        return self.fc(out)


x = torch.randn(96, 3, 16, 16)
y = (x.mean(dim=(1, 2, 3)) > 0).long() + 2 * (x[:, 0].mean((1, 2)) > 0).long()
model = CNN()
optimizer = optim.SGD(model.parameters(), lr=0.02, momentum=0.9, weight_decay=1e-4)
for epoch in range(3):
    model.train()
    for xb, yb in zip(x.split(32), y.split(32)):
        loss = nn.functional.cross_entropy(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(f"{epoch} {loss.item():.4f}")
model.eval()
with torch.no_grad():
    print("eval %.4f" % nn.CrossEntropyLoss()(model(x), y))
bn = model.layer1[1]
print(bn.num_batches_tracked, bn.running_mean.shape, f"{bn.running_var.mean():.4f}")
print(sum(p.numel() for p in model.parameters() if p.requires_grad))
print(model)
