"""Programs that feed a loss what it does not want."""

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tinygrad_pt import nn, optim
from tinygrad_pt.datasets import XOR
from tinygrad_pt.models import MLP
from tinygrad_pt.utils.data import DataLoader, TensorDataset


def softmax_as_the_last_layer():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(dim=1))
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    loader = DataLoader(TensorDataset(torch.randn(24, 4), torch.randint(0, 3, (24,))), batch_size=8, shuffle=True)
    for _ in range(2):
        for x, y in loader:
            optimizer.zero_grad()
            loss = criterion(model(x), y)  # <- TG201
            loss.backward()
            optimizer.step()


def softmax_seen_through_views_of_a_sequence():
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Linear(5, 7)

        def forward(self, x):
            return self.w(x).softmax(-1).transpose(1, 2)

    model = Tagger()
    optimizer = optim.Adam(model.parameters())
    for _ in range(3):
        x, tags = torch.randn(4, 6, 5), torch.randint(0, 7, (4, 6))
        scores = model(x).transpose(1, 2).reshape(-1, 7)
        loss = F.cross_entropy(scores, tags.reshape(-1))  # <- TG201
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def softmax_per_step_and_stacked():
    cell, out = nn.Linear(3 + 4, 4), nn.Linear(4, 5)
    optimizer = optim.SGD([*cell.parameters(), *out.parameters()], lr=0.1)
    for _ in range(2):
        h, answers = torch.zeros(2, 4), []
        for _ in range(3):
            h = torch.tanh(cell(torch.cat([torch.randn(2, 3), h], 1)))
            answers.append(F.softmax(out(h), dim=1))
        y = torch.randint(0, 5, (2,))
        loss = F.cross_entropy(torch.stack(answers)[-1], y)  # <- TG201
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def sigmoid_before_cross_entropy():
    torch.manual_seed(1)
    model = MLP([6, 5, 3], activation=nn.Tanh, output=nn.Sigmoid)
    optimizer = optim.SGD(model.parameters(), lr=0.3)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    for _ in range(3):
        x = torch.randn(7, 6)
        loss = criterion(model(x), torch.argmax(x[:, :3], 1))  # <- TG201
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def log_softmax_and_soft_targets():
    model = nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(dim=1))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        soft = torch.softmax(torch.randn(5, 3), 1)
        loss = F.cross_entropy(model(torch.randn(5, 4)), soft)  # <- TG201
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def two_sigmoids():
    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.out = nn.Linear(2, 4), nn.Linear(4, 1)

        def forward(self, x):
            return torch.sigmoid(self.out(torch.tanh(self.hidden(x))))

    model, criterion = Classifier(), nn.BCEWithLogitsLoss()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    inputs, targets = XOR().tensors
    for _ in range(5):
        optimizer.zero_grad()
        loss = criterion(model(inputs).squeeze(1), targets.squeeze(1))  # <- TG202
        loss.backward()
        optimizer.step()


def discriminator_with_a_sigmoid_too_many():
    critic = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1), nn.Sigmoid())
    generator = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    d, g = optim.Adam(critic.parameters(), lr=1e-3), optim.Adam(generator.parameters(), lr=1e-3)
    bce = nn.BCEWithLogitsLoss()
    for _ in range(2):
        real, fake = torch.randn(6, 2) + 2, generator(torch.randn(6, 3))
        d.zero_grad()
        answers = torch.cat([critic(real), critic(fake.detach())])
        bce(answers, torch.cat([torch.ones(6, 1), torch.zeros(6, 1)])).backward()  # <- TG202
        d.step()
        g.zero_grad()
        bce(critic(fake), torch.ones(6, 1)).backward()  # <- TG202
        g.step()


def nll_of_probabilities():
    model = nn.Sequential(nn.Linear(5, 4), nn.Softmax(dim=-1))
    criterion = nn.NLLLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    for _ in range(3):
        loss = criterion(model(torch.randn(8, 5)), torch.randint(0, 4, (8,)))  # <- TG203
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def nll_of_raw_scores():
    model = nn.Linear(5, 4)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    for _ in range(3):
        x, y = torch.randn(30, 5), torch.randint(0, 4, (30,))
        optimizer.zero_grad()
        loss = F.nll_loss(model(x), y)  # <- TG203
        loss.backward()
        optimizer.step()


def kl_of_two_distributions():
    torch.manual_seed(0)
    teacher, student = nn.Linear(6, 3), nn.Linear(6, 3)
    optimizer = optim.Adam(student.parameters())
    for _ in range(3):
        x = torch.randn(10, 6)
        with torch.no_grad():
            wanted = F.softmax(teacher(x), dim=1)
        loss = F.kl_div(F.softmax(student(x), dim=1), wanted, reduction="batchmean")  # <- TG203
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def column_against_row():
    x = torch.rand(30, 1)
    y = 3 * x[:, 0] + 1
    model, criterion = nn.Linear(1, 1), nn.MSELoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        loss = criterion(model(x), y)  # <- TG204
        loss.backward()
        optimizer.step()


def values_of_states_with_huber():
    critic = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = optim.Adam(critic.parameters(), lr=1e-3)
    for _ in range(3):
        states, rewards = torch.randn(12, 4), torch.rand(12)
        with torch.no_grad():
            wanted = rewards + 0.99 * critic(torch.randn(12, 4)).squeeze(-1)
        loss = F.huber_loss(critic(states), wanted)  # <- TG204
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def absolute_error_of_rows():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1), nn.Flatten(0))
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    table = torch.randn(20, 4)
    for rows in table.split(10):
        x, y = rows[:, :3], rows[:, 3:]
        loss = nn.functional.l1_loss(model(x), y)  # <- TG204
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def mean_square_written_out():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        x = torch.randn(25, 2)
        error = model(x) - x.sum(1)  # <- TG205
        loss = (error**2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def mean_absolute_written_out():
    torch.manual_seed(3)
    w = torch.randn(3, 1, requires_grad=True)
    for _ in range(4):
        x = torch.randn(10, 3)
        y = x @ torch.tensor([1.0, -2.0, 0.5])
        loss = torch.abs(y - x @ w).sum() / 10  # <- TG205
        loss.backward()
        with torch.no_grad():
            w -= 0.01 * w.grad
            w.grad = None


def one_output_and_cross_entropy():
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        x = torch.randn(6, 4)
        loss = F.cross_entropy(model(x), torch.zeros(6, dtype=torch.long))  # <- TG206
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def softmax_of_one_number():
    model = nn.Sequential(nn.Linear(3, 1), nn.Softmax(dim=1))
    optimizer = optim.Adam(model.parameters())
    criterion = nn.BCELoss()
    for _ in range(3):
        x = torch.randn(8, 3)
        loss = criterion(model(x), (x[:, :1] > 0).float())  # <- TG206
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def log_softmax_along_the_batch():
    model = nn.Linear(5, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.2)
    for _ in range(3):
        x = torch.randn(16, 5)
        loss = F.nll_loss(F.log_softmax(model(x), dim=0), torch.argmax(x[:, :3], 1))  # <- TG207
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def target_first():
    model = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1), nn.Sigmoid())
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    x, y = XOR().tensors
    for _ in range(3):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy(y, model(x))  # <- TG208
        loss.backward()
        optimizer.step()


def an_epsilon_after_softmax():
    model = nn.Linear(5, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        x = torch.randn(6, 5)
        probabilities = F.softmax(model(x), dim=-1).clamp(min=1e-6) + 1e-8
        loss = F.cross_entropy(probabilities, torch.argmax(x[:, :3], 1))  # <- TG201
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def half_a_squared_norm():
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    params = list(model.parameters())
    for _ in range(3):
        x = torch.randn(12, 2)
        y = x[:, 0]
        difference = y - model(x)  # <- TG205
        loss = 0.5 * (difference * difference / 12).sum(0).mean()
        grads = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for p, g in zip(params, grads, strict=True):
                p -= 0.05 * g


def a_trained_softmax_only_measured():
    model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
    with torch.no_grad():
        x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
        print(F.cross_entropy(model(x).reshape(2, 4, 3).flatten(0, 1), y).item())  # <- TG201
        print(F.nll_loss(model(x)[:4], y[:4]).item())  # <- TG203
