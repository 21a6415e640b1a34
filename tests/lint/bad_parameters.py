"""Programs whose parameters do not learn: hidden from parameters(), or not in the optimizer, or cut off."""

import numpy as np

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tinygrad_pt import nn, optim


def polynomial_with_coefficients_in_a_list():
    class Polynomial(nn.Module):
        def __init__(self, degree):
            super().__init__()
            self.bias = nn.Parameter(torch.zeros(1))
            self.coefficients = [nn.Parameter(torch.randn(1)) for _ in range(degree)]  # <- TG101

        def forward(self, x):
            return self.bias + sum(c * x ** (i + 1) for i, c in enumerate(self.coefficients))

    x = torch.linspace(-1, 1, 20)
    model = Polynomial(3)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        F.mse_loss(model(x), torch.sin(3 * x)).backward()
        optimizer.step()


def gates_in_a_dict():
    class Cell(nn.Module):
        def __init__(self, inputs, hidden):
            super().__init__()
            self.hidden = hidden
            self.out = nn.Linear(hidden, 1)
            self.gates = {}  # <- TG101
            for name in ("input", "forget", "cell"):
                self.gates[name] = nn.Parameter(torch.randn(inputs + hidden, hidden) * 0.1)

        def forward(self, steps):
            h = c = torch.zeros(steps.shape[1], self.hidden)
            for x in steps:
                xh = torch.cat([x, h], 1)
                i, f = (torch.sigmoid(xh @ self.gates[g]) for g in ("input", "forget"))
                c = f * c + i * torch.tanh(xh @ self.gates["cell"])
                h = torch.tanh(c)
            return self.out(h)

    model = Cell(2, 4)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(4):
        x = torch.randn(5, 8, 2)
        loss = F.mse_loss(model(x), x.sum(0)[:, :1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def a_plain_tensor_as_attribute():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 2)
            self.temperature = torch.ones(1, requires_grad=True)  # <- TG101

        def forward(self, x):
            return self.layer(x) / self.temperature

    model = Scaled()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        loss = F.cross_entropy(model(torch.randn(6, 3)), torch.randint(0, 2, (6,)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def layers_in_a_plain_list():
    class Net(nn.Module):
        def __init__(self, sizes):
            super().__init__()
            self.layers = [nn.Linear(a, b) for a, b in zip(sizes[:-2], sizes[1:-1], strict=True)]  # <- TG102
            self.head = nn.Linear(sizes[-2], sizes[-1])

        def forward(self, x):
            for layer in self.layers:
                x = torch.tanh(layer(x))
            return self.head(x)

    model = Net([4, 8, 8, 3])
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        x, y = torch.randn(10, 4), torch.randint(0, 3, (10,))
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()


def experts_in_a_dict_inside_a_submodule():
    class Mixture(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate = nn.Linear(2, 2)
            self.experts = {"left": nn.Linear(2, 1), "right": nn.Linear(2, 1)}  # <- TG102

        def forward(self, x):
            weights = torch.softmax(self.gate(x), 1)
            answers = torch.cat([expert(x) for expert in self.experts.values()], 1)
            return (weights * answers).sum(1, keepdim=True)

    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), Mixture())
    optimizer = optim.Adam(model.parameters())
    for _ in range(3):
        x = torch.randn(16, 2)
        loss = F.mse_loss(model(x), x[:, :1] * x[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def blocks_in_a_list_stepped_by_hand():
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = []  # <- TG102
            for _ in range(2):
                self.blocks.append(nn.Sequential(nn.Linear(3, 3), nn.ReLU()))
            self.last = nn.Linear(3, 1)

        def forward(self, x):
            for block in self.blocks:
                x = x + block(x)
            return self.last(x)

    model = Residual()
    for _ in range(4):
        x = torch.randn(12, 3)
        model.zero_grad()
        F.mse_loss(model(x), x.sum(1, keepdim=True)).backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.05 * p.grad
        for block in model.blocks:
            block.zero_grad()


def only_the_encoder_in_the_optimizer():
    class AutoEncoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(8, 3), nn.Tanh())
            self.decoder = nn.Linear(3, 8)

        def forward(self, x):
            return self.decoder(self.encoder(x))

    model = AutoEncoder()
    optimizer = optim.Adam(model.encoder.parameters(), lr=1e-2)  # <- TG103
    for _ in range(5):
        x = torch.rand(16, 8)
        loss = F.mse_loss(model(x), x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def only_the_weights_in_the_groups():
    model = nn.Sequential(nn.Linear(5, 6), nn.Sigmoid(), nn.Linear(6, 2))
    decay = [p for name, p in model.named_parameters() if name.endswith("weight")]
    rest = [p for name, p in model.named_parameters() if name.endswith("beta")]
    groups = [{"params": decay, "weight_decay": 1e-2}, {"params": rest, "weight_decay": 0.0}]
    optimizer = optim.AdamW(groups, lr=1e-2)  # <- TG103
    for _ in range(4):
        x = torch.randn(9, 5)
        optimizer.zero_grad()
        F.cross_entropy(model(x), (x.sum(1) > 0).long()).backward()
        optimizer.step()


def features_computed_without_a_graph():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Linear(4, 6)
            self.head = nn.Linear(6, 2)

        def forward(self, x):
            x = torch.relu(self.features(x)).detach()
            return self.head(x)

    model = Net()
    optimizer = optim.SGD(model.parameters(), lr=0.1)  # <- TG104
    for _ in range(12):
        x = torch.randn(10, 4)
        loss = F.cross_entropy(model(x), (x[:, 0] > 0).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def an_embedding_lost_on_the_way_through_numpy():
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Parameter(torch.randn(10, 4))
            self.out = nn.Linear(4, 3)

        def forward(self, words):
            vectors = self.table.detach().numpy()[words.numpy()]
            return self.out(torch.from_numpy(vectors))

    model = Tagger()
    optimizer = optim.Adam(model.parameters(), lr=0.01)  # <- TG104
    rng = np.random.default_rng(0)
    for _ in range(10):
        words = torch.from_numpy(rng.integers(0, 10, 20))
        loss = F.cross_entropy(model(words), words % 3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def a_layer_that_forward_forgets():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2, self.fc3 = nn.Linear(3, 5), nn.Linear(5, 5), nn.Linear(5, 1)

        def forward(self, x):
            x = torch.relu(self.fc1(x))
            x = torch.relu(x)
            return self.fc3(x)

    model = Net()
    optimizer = optim.RMSprop(model.parameters(), lr=1e-3)  # <- TG104
    for _ in range(11):
        x = torch.randn(8, 3)
        optimizer.zero_grad()
        F.mse_loss(model(x), x.prod(1).unsqueeze(1)).backward()
        optimizer.step()


def a_new_head_after_the_optimizer():
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 10))
    optimizer = optim.SGD(model.parameters(), lr=0.05)  # <- TG105
    model[2] = nn.Linear(8, 4)
    for _ in range(5):
        x, y = torch.randn(12, 6), torch.randint(0, 4, (12,))
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()


def a_model_made_anew_in_each_fold():
    def build():
        return nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))

    model = build()
    optimizer = optim.Adam(model.parameters(), lr=0.01)  # <- TG105
    for _ in range(2):
        model = build()
        for _ in range(4):
            x = torch.randn(10, 2)
            optimizer.zero_grad()
            F.mse_loss(model(x), x[:, :1]).backward()
            optimizer.step()


def a_rate_from_integer_division():
    batch, base = 32, 1
    model = nn.Linear(4, 1)
    optimizer = optim.SGD(model.parameters(), lr=base * batch // 256)  # <- TG106
    for _ in range(4):
        x = torch.randn(batch, 4)
        optimizer.zero_grad()
        F.mse_loss(model(x), x.mean(1, keepdim=True)).backward()
        optimizer.step()


def all_weights_start_at_one_half():
    model = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))
    for p in model.parameters():
        nn.init.constant_(p, 0.5)
    optimizer = optim.SGD(model.parameters(), lr=0.1)  # <- TG107
    for _ in range(5):
        x = torch.randn(20, 3)
        optimizer.zero_grad()
        F.mse_loss(model(x), x[:, :1] * x[:, 1:2]).backward()
        optimizer.step()


def a_layer_made_in_forward():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(3, 6)

        def forward(self, x):
            x = torch.relu(self.hidden(x))
            return nn.Linear(6, 2)(x)  # <- TG108

    model = Net()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        x = torch.randn(8, 3)
        optimizer.zero_grad()
        F.cross_entropy(model(x), (x[:, 0] > 0).long()).backward()
        optimizer.step()


def a_bias_that_the_formula_forgets():
    w, b = torch.randn(3, 1, requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = optim.SGD([w, b], lr=0.05)  # <- TG104
    for _ in range(3):
        x = torch.randn(10, 3)
        optimizer.zero_grad()
        F.mse_loss(x @ w, x.sum(1, keepdim=True) + 1).backward()
        optimizer.step()


def all_layers_in_a_list_and_nothing_to_step():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(2, 3), nn.Linear(3, 1)]  # <- TG102

        def forward(self, x):
            return self.layers[1](torch.tanh(self.layers[0](x)))

    model = Net()
    for _ in range(4):
        x = torch.randn(6, 2)
        model.zero_grad()
        F.mse_loss(model(x), x[:, :1]).backward()
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad
