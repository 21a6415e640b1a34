"""Programs that step along wrong gradients, keep what they should drop, or train in the wrong mode."""

import numpy as np

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tinygrad_pt import nn, optim
from tinygrad_pt.utils.data import DataLoader, TensorDataset


def no_zero_grad():
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    for _ in range(5):
        x = torch.randn(10, 3)
        loss = F.mse_loss(model(x), x[:, :1])
        loss.backward()
        optimizer.step()  # <- TG301


def zero_grad_without_parentheses():
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    optimizer, criterion = optim.Adam(model.parameters()), nn.CrossEntropyLoss()
    for _ in range(3):
        optimizer.zero_grad  # noqa: B018
        criterion(model(torch.randn(6, 3)), torch.randint(0, 2, (6,))).backward()
        optimizer.step()  # <- TG301


def only_the_first_of_two_optimizers_is_cleared():
    encoder, decoder = nn.Linear(6, 2), nn.Linear(2, 6)
    first, second = optim.SGD(encoder.parameters(), lr=0.1), optim.SGD(decoder.parameters(), lr=0.1)
    for _ in range(3):
        x = torch.rand(8, 6)
        first.zero_grad()
        F.mse_loss(decoder(torch.tanh(encoder(x))), x).backward()
        first.step()
        second.step()  # <- TG301


def a_closure_that_does_not_clear():
    class Descent(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self, closure):
            loss = closure()
            with torch.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p.sub_(group["lr"] * p.grad)
            return loss

    x = torch.randn(12, 2)
    model = nn.Linear(2, 1)
    optimizer = Descent(model.parameters(), lr=0.1)

    def closure():
        loss = F.mse_loss(model(x), x.sum(1, keepdim=True))
        loss.backward()
        return loss

    for _ in range(3):
        optimizer.step(closure)  # <- TG301


def by_hand_and_never_cleared():
    w, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    x = torch.linspace(0, 1, 10)
    y = 2 * x + 1
    for _ in range(6):
        loss = ((w * x + b - y) ** 2).mean()
        loss.backward()  # <- TG301
        with torch.no_grad():
            w -= 0.1 * w.grad
            b -= 0.1 * b.grad


def cleared_between_backward_and_step():
    model = nn.Linear(4, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        x = torch.randn(8, 4)
        loss = F.cross_entropy(model(x), (x[:, 0] > 0).long())
        loss.backward()
        optimizer.zero_grad()
        optimizer.step()  # <- TG302


def a_loss_of_detached_answers():
    model, probe = nn.Linear(4, 4), nn.Linear(4, 1)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(4):
        x = torch.randn(8, 4)
        answers = torch.tanh(model(x)).detach()
        loss = F.mse_loss(probe(answers), x[:, :1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()  # <- TG302


def everything_but_the_step():
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 1))
    optimizer = optim.Adam(model.parameters(), lr=0.01)  # <- TG303
    losses = []
    for _ in range(5):
        x = torch.randn(10, 3)
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), x.sum(1, keepdim=True))
        loss.backward()
        losses.append(loss.item())


def running_loss_with_its_graph():
    data = TensorDataset(torch.randn(40, 4), torch.randint(0, 2, (40,)))
    model, criterion = nn.Linear(4, 2), nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for epoch in range(2):
        running_loss = 0.0
        for x, y in DataLoader(data, batch_size=8, shuffle=True):
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            running_loss += loss * len(y)  # <- TG304
        print(f"epoch {epoch}: {float(running_loss) / len(data):.3f}")


def total_before_backward():
    model = nn.Linear(2, 1)
    optimizer = optim.RMSprop(model.parameters())
    total = torch.zeros(1)
    for _ in range(5):
        x = torch.randn(6, 2)
        loss = F.mse_loss(model(x), x[:, 1:])
        total = total + loss  # <- TG304
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def a_history_of_losses():
    model = nn.Linear(3, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    history = []
    for _ in range(15):
        x = torch.randn(5, 3)
        loss = F.mse_loss(model(x), x.flip(1))
        optimizer.zero_grad()
        loss.backward()  # <- TG305
        optimizer.step()
        history.append(loss)
    print(min(float(loss) for loss in history))


def a_loss_made_into_a_new_tensor():
    model = nn.Linear(4, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        x = torch.randn(7, 4)
        error = np.mean((model(x).detach().numpy() - x[:, :1].numpy()) ** 2)
        loss = torch.tensor(error, requires_grad=True)
        optimizer.zero_grad()
        loss.backward()  # <- TG306
        optimizer.step()


def the_part_and_then_the_whole():
    encoder, decoder = nn.Linear(5, 2), nn.Linear(2, 5)
    optimizer = optim.SGD([*encoder.parameters(), *decoder.parameters()], lr=0.05)
    for _ in range(3):
        x = torch.rand(10, 5)
        code = torch.sigmoid(encoder(x))
        reconstruction = F.mse_loss(decoder(code), x)
        sparsity = code.abs().mean()
        optimizer.zero_grad()
        reconstruction.backward(retain_graph=True)
        total = reconstruction + 0.1 * sparsity
        total.backward()  # <- TG307
        optimizer.step()


def backward_twice():
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    for _ in range(3):
        x = torch.randn(8, 3)
        loss = F.mse_loss(model(x), x[:, :1])
        optimizer.zero_grad()
        loss.backward(retain_graph=True)
        print(f"{loss.item():.3f}")
        loss.backward()  # <- TG307
        optimizer.step()


def one_buffer_for_all_batches():
    buffer = np.zeros((6, 3), np.float32)
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    rng = np.random.default_rng(0)
    for _ in range(3):
        losses = []
        for _ in range(2):
            buffer[:] = rng.normal(size=buffer.shape)
            x = torch.from_numpy(buffer)
            losses.append(model(x).pow(2).mean())  # <- TG308
        optimizer.zero_grad()
        sum(losses).backward()
        optimizer.step()


def clipped_through_data():
    model = nn.Linear(4, 4)
    optimizer = optim.Adam(model.parameters())
    for _ in range(3):
        x = torch.randn(5, 4)
        hidden = torch.exp(model(x))  # <- TG308
        hidden.data.clamp_(max=0.5)
        loss = F.mse_loss(hidden, x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def evaluated_with_dropout():
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3))
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    test_x, test_y = torch.randn(20, 6), torch.randint(0, 3, (20,))
    for _ in range(3):
        x, y = torch.randn(20, 6), torch.randint(0, 3, (20,))
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    with torch.no_grad():
        right = (model(test_x).argmax(1) == test_y).sum()  # <- TG401
    print(int(right))


def validation_loss_with_dropout():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.2), nn.Tanh())
            self.head = nn.Linear(8, 1)

        def forward(self, x):
            return self.head(self.body(x))

    model = Net()
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    for _ in range(2):
        for _ in range(3):
            x = torch.randn(8, 3)
            optimizer.zero_grad()
            F.mse_loss(model(x), x[:, :1]).backward()
            optimizer.step()
        with torch.no_grad():
            total = 0.0
            for _ in range(2):
                x = torch.randn(8, 3)
                answers = model(x)  # <- TG401
                total += F.mse_loss(answers, x[:, :1]).item()


def train_is_called_once_only():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    model.train()
    for _ in range(4):
        for _ in range(2):
            x = torch.randn(8, 4)
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), (x[:, 0] > 0).long())  # <- TG402
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            x = torch.randn(8, 4)
            print(int((model(x).argmax(1) == (x[:, 0] > 0)).sum()))


def functional_dropout_in_evaluation():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(4, 10), nn.Linear(10, 2)

        def forward(self, x):
            x = torch.relu(self.fc1(x))
            x = F.dropout(x, p=0.5)  # <- TG403
            return self.fc2(x)

    model = Net()
    optimizer = optim.Adam(model.parameters())
    for _ in range(3):
        model.train()
        x = torch.randn(6, 4)
        optimizer.zero_grad()
        F.cross_entropy(model(x), (x[:, 0] > 0).long()).backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            model(x).argmax(1)


def biases_far_below_zero():
    model = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 1))
    nn.init.constant_(model[0].bias, -20.0)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    for _ in range(40):
        x = torch.randn(8, 4)
        optimizer.zero_grad()
        F.mse_loss(model(x), x[:, :1]).backward()  # <- TG501
        optimizer.step()


def killed_by_one_large_step():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.out = nn.Linear(2, 10), nn.Linear(10, 1)

        def forward(self, x):
            return self.out(torch.relu(self.hidden(x)))  # <- TG501

    torch.manual_seed(0)
    model = Net()
    with torch.no_grad():
        model.hidden.bias -= 30.0
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(35):
        x = torch.rand(10, 2)
        loss = F.mse_loss(model(x), x[:, :1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def a_step_far_too_large():
    x = torch.linspace(-3, 3, 20).unsqueeze(1)
    model = nn.Linear(1, 1)
    optimizer = optim.SGD(model.parameters(), lr=1e4)
    for _ in range(30):
        optimizer.zero_grad()
        F.mse_loss(model(x), x**3).backward()
        optimizer.step()  # <- TG502


def the_logarithm_of_zero():
    w = nn.Parameter(torch.tensor([0.5, 0.0]))
    optimizer = optim.SGD([w], lr=0.1)
    for _ in range(3):
        loss = -(torch.log(w) * torch.tensor([1.0, 0.0])).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()  # <- TG502


def the_schedule_comes_first():
    class StepDecay:
        def __init__(self, optimizer, factor):
            self.optimizer, self.factor = optimizer, factor

        def step(self):
            for group in self.optimizer.param_groups:
                group["lr"] *= self.factor

    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    scheduler = StepDecay(optimizer, 0.5)
    for _ in range(4):
        scheduler.step()  # <- TG601
        for _ in range(2):
            x = torch.randn(6, 2)
            optimizer.zero_grad()
            F.mse_loss(model(x), x[:, :1]).backward()
            optimizer.step()


def the_cosine_comes_first():
    import math

    class Cosine:
        def __init__(self, optimizer, total):
            self.optimizer, self.total, self.done = optimizer, total, 0
            self.base = [group["lr"] for group in optimizer.param_groups]

        def rate(self, base):
            return base * (1 + math.cos(math.pi * self.done / self.total)) / 2

        def step(self):
            self.done += 1
            self.write()

        def write(self):
            for group, base in zip(self.optimizer.param_groups, self.base, strict=True):
                group["lr"] = self.rate(base)

    w = nn.Parameter(torch.ones(3))
    optimizer = optim.Adam([w], lr=0.1)
    schedule = Cosine(optimizer, 10)
    for _ in range(10):
        optimizer.zero_grad()
        (w**2).sum().backward()
        schedule.step()  # <- TG601
        optimizer.step()


def evaluation_with_a_graph_per_batch():
    model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    optimizer, criterion = optim.Adam(model.parameters()), nn.CrossEntropyLoss()
    for _ in range(2):
        for _ in range(3):
            x = torch.randn(8, 4)
            optimizer.zero_grad()
            criterion(model(x), (x[:, 0] > 0).long()).backward()
            optimizer.step()
        model.eval()
        valid = 0.0
        for _ in range(6):
            x = torch.randn(8, 4)
            valid += criterion(model(x), (x[:, 0] > 0).long())  # <- TG304
        print(f"{float(valid) / 6:.3f}")
        model.train()


def clipped_before_backward():
    model = nn.Linear(4, 4)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        x = torch.randn(6, 4)
        loss = F.mse_loss(model(x), x.roll(1, 1))
        optimizer.zero_grad()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # <- TG309
        loss.backward()
        optimizer.step()


def clipped_after_the_step():
    model = nn.Linear(4, 4)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        x = torch.randn(6, 4)
        optimizer.zero_grad()
        F.mse_loss(model(x), x.roll(1, 1)).backward()
        optimizer.step()
        nn.utils.clip_grad_value_(model.parameters(), 0.1)  # <- TG309


def killed_by_a_learning_rate_of_fifty():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = optim.SGD(model.parameters(), lr=50.0)
    x = torch.rand(32, 4)
    y = x.sum(1, keepdim=True)
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), y)  # <- TG501
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def an_average_that_fades_but_never_forgets():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    average = 0.0
    for _ in range(6):
        x = torch.randn(4, 2)
        loss = F.mse_loss(model(x), x[:, :1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        average = 0.9 * average + 0.1 * loss  # <- TG304


def a_schedule_of_pytorchs_kind_comes_first():
    class StepLR:
        def __init__(self, optimizer, step_size, gamma=0.1):
            self.optimizer, self.step_size, self.gamma, self.last_epoch = optimizer, step_size, gamma, 0

        def step(self):
            self.last_epoch += 1
            if self.last_epoch % self.step_size == 0:
                for group in self.optimizer.param_groups:
                    group["lr"] *= self.gamma
            self.rates = [group["lr"] for group in self.optimizer.param_groups]

    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    scheduler = StepLR(optimizer, step_size=3)
    for _ in range(4):
        scheduler.step()  # <- TG601
        x = torch.randn(6, 2)
        optimizer.zero_grad()
        F.mse_loss(model(x), x[:, :1]).backward()
        optimizer.step()
