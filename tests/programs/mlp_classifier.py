"""Patterns of ten classes: a dataset of one's own, a loader, training and evaluation."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Patterns(Dataset):
    def __init__(self, n, train=True):
        g = torch.Generator().manual_seed(0)
        self.centres = torch.randn(10, 64, generator=g)
        g.manual_seed(1 if train else 2)
        self.labels = torch.randint(0, 10, (n,), generator=g)
        self.images = self.centres[self.labels] + 1.2 * torch.randn(n, 64, generator=g)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return self.images[i].view(1, 8, 8), self.labels[i]


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.fc1 = nn.Linear(64, 128)
        self.dropout = nn.Dropout(0.25)
        self.fc2 = nn.Linear(128, 10)

    def forward(self, x):
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = self.dropout(x)
        return F.log_softmax(self.fc2(x), dim=1)


def train(model, device, loader, optimizer, epoch):
    model.train()
    for batch, (data, target) in enumerate(loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        loss = F.nll_loss(model(data), target)
        loss.backward()
        optimizer.step()
        if batch % 4 == 0:
            done, of = batch * len(data), len(loader.dataset)
            print("Train Epoch: {} [{}/{}]\tLoss: {:.4f}".format(epoch, done, of, loss.item()))


def test(model, device, loader):
    model.eval()
    test_loss, correct = 0, 0
    with torch.no_grad():
        for data, target in loader:
            data, target = data.to(device), target.to(device)
            output = model(data)
            test_loss += F.nll_loss(output, target, reduction="sum").item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    n = len(loader.dataset)
    print(f"Test set: Average loss: {test_loss / n:.4f}, Accuracy: {correct}/{n}")


torch.manual_seed(3)
device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
train_loader = DataLoader(Patterns(512), batch_size=64, shuffle=True)
test_loader = DataLoader(Patterns(200, train=False), batch_size=100)
model = Net().to(device)
print(model)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(1, 4):
    train(model, device, train_loader, optimizer, epoch)
    test(model, device, test_loader)
