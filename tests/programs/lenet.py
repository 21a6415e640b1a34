"""LeNet-5 on pictures of bars and crosses: one epoch."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), (2, 2))
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.view(-1, self.num_flat_features(x))
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)

    def num_flat_features(self, x):
        size = x.size()[1:]
        num = 1
        for s in size:
            num *= s
        return num


torch.manual_seed(0)
images, labels = 0.3 * torch.randn(640, 1, 28, 28), torch.randint(10, (640,))
for i in range(640):
    k = int(labels[i])
    images[i, 0, 2 * k + 3] += 1.0
    images[i, :, :, 25 - 2 * k] += 1.0

net = LeNet()
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
running_loss = 0.0
for i in range(0, 640, 64):
    inputs, targets = images[i : i + 64], labels[i : i + 64]
    optimizer.zero_grad()
    outputs = net(inputs)
    loss = criterion(outputs, targets)
    loss.backward()
    optimizer.step()
    running_loss += loss.item()
    print("[%d] loss: %.4f" % (i // 64 + 1, loss.item()))
params = list(net.parameters())
print(len(params), params[0].size(), f"{running_loss:.4f}")
with torch.no_grad():
    _, predicted = torch.max(net(images[:100]).data, 1)
    print("accuracy", (predicted == labels[:100]).sum().item())
