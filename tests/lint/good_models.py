"""Programs without silent bugs: models, losses, modes and schedules, many of them near misses of a rule."""

import math

import numpy as np

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tinygrad_pt import nn, optim


def _fit(model, loss_of, steps=12, lr=0.05, kind=optim.SGD):
    """A loop for what is not about loops."""
    optimizer = kind(model.parameters(), lr=lr)
    for _ in range(steps):
        optimizer.zero_grad()
        loss_of(model).backward()
        optimizer.step()
    return model


def layers_in_a_module_list():
    class Net(nn.Module):
        def __init__(self, sizes):
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:], strict=False))

        def forward(self, x):
            for layer in self.layers[:-1]:
                x = torch.relu(layer(x))
            return self.layers[-1](x)

    x, y = torch.randn(16, 4), torch.randint(0, 3, (16,))
    _fit(Net([4, 8, 8, 3]), lambda net: F.cross_entropy(net(x), y))


def a_plain_list_of_registered_layers():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 1)
            self.order = [self.first, self.second]
            self.names = {"first": self.first.weight}

        def forward(self, x):
            for layer in self.order:
                x = layer(torch.tanh(x))
            return x

    x = torch.randn(10, 3)
    _fit(Net(), lambda net: F.mse_loss(net(x), x[:, :1]))


def a_list_whose_parameters_are_given_by_hand():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.out = nn.Linear(4, 1)
            self.extra = [nn.Linear(2, 4), nn.Linear(2, 4)]

        def forward(self, x):
            return self.out(torch.tanh(sum(layer(x) for layer in self.extra)))

    net = Net()
    params = [*net.parameters(), *(p for layer in net.extra for p in layer.parameters())]
    optimizer = optim.SGD(params, lr=0.1)
    for _ in range(10):
        x = torch.randn(6, 2)
        optimizer.zero_grad()
        F.mse_loss(net(x), x[:, :1]).backward()
        optimizer.step()


def a_teacher_hidden_in_a_list_on_purpose():
    class Student(nn.Module):
        def __init__(self, teacher):
            super().__init__()
            self.net = nn.Linear(5, 3)
            self.teacher = [teacher]  # not to be trained or saved with the student

        def forward(self, x):
            with torch.no_grad():
                wanted = F.softmax(self.teacher[0](x) / 2, dim=1)
            return F.kl_div(F.log_softmax(self.net(x) / 2, dim=1), wanted, reduction="batchmean")

    student = Student(nn.Linear(5, 3))
    x = torch.randn(20, 5)
    _fit(student, lambda s: s(x))


def a_parameter_list_and_a_parameter_dict():
    class Mixture(nn.Module):
        def __init__(self):
            super().__init__()
            self.means = nn.ParameterList([nn.Parameter(torch.randn(2)) for _ in range(3)])
            self.rest = nn.ParameterDict({"scale": nn.Parameter(torch.ones(3))})

        def forward(self, x):
            distances = torch.stack([((x - m) ** 2).sum(1) for m in self.means], 1)
            return -torch.logsumexp(-distances / self.rest["scale"] ** 2, 1).mean()

    x = torch.randn(30, 2)
    _fit(Mixture(), lambda m: m(x), lr=0.01)


def constants_and_a_cache_as_plain_attributes():
    class Fourier(nn.Module):
        def __init__(self):
            super().__init__()
            self.frequencies = [torch.tensor(float(k)) for k in range(1, 4)]
            self.register_buffer("scale", torch.ones(1))
            self.out = nn.Linear(3, 1)
            self.seen = []

        def forward(self, x):
            features = torch.cat([torch.sin(f * x) for f in self.frequencies], 1) * self.scale
            self.last_features = features
            self.seen.append(features.detach().mean().item())
            return self.out(features)

    x = torch.linspace(-3, 3, 30).unsqueeze(1)
    _fit(Fourier(), lambda m: F.mse_loss(m(x), torch.cos(x)))


def tied_weights_of_an_autoencoder():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(3, 8) * 0.1)
            self.b, self.c = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(8))

        def forward(self, x):
            return torch.sigmoid(F.linear(torch.sigmoid(F.linear(x, self.weight, self.b)), self.weight.t(), self.c))

    x = torch.rand(12, 8)
    _fit(Tied(), lambda m: F.binary_cross_entropy(m(x), x), lr=0.5)


def embedding_shared_with_the_output():
    class Bigram(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Parameter(torch.randn(12, 6) * 0.1)
            self.mix = nn.Linear(6, 6)
            self.out = nn.Linear(6, 12, bias=False)
            self.out.weight = self.table

        def forward(self, words):
            return self.out(torch.tanh(self.mix(self.table[words])))

    words = torch.randint(0, 12, (40,))
    _fit(Bigram(), lambda m: F.cross_entropy(m(words[:-1]), words[1:]), lr=0.3)


def a_recurrent_cell_by_hand():
    class Cell(nn.Module):
        def __init__(self, n, h):
            super().__init__()
            self.x, self.h, self.out = nn.Linear(n, h), nn.Linear(h, h, bias=False), nn.Linear(h, 1)

        def forward(self, steps):
            h = torch.zeros(steps.shape[1], self.h.in_features)
            for x in steps:
                h = torch.relu(self.x(x) + self.h(h))
            return self.out(h)

    x = torch.randn(5, 10, 2)
    _fit(Cell(2, 6), lambda m: F.mse_loss(m(x), x.sum(0)[:, :1]), steps=40, lr=0.01)


def attention_over_sequences_that_may_have_length_one():
    class Attend(nn.Module):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 3)

        def forward(self, x):
            weights = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 2.0, dim=-1)
            return (weights @ self.v(x)).mean(1)

    model = Attend()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for length in (1, 3, 1, 5, 2, 1, 4, 2, 3, 1, 2, 6):
        x = torch.randn(5, length, 4)
        optimizer.zero_grad()
        F.cross_entropy(model(x), torch.argmax(x.mean(1)[:, :3], 1)).backward()
        optimizer.step()


def squeeze_and_excite_with_a_sigmoid_inside():
    class Gate(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate, self.out = nn.Linear(6, 6), nn.Linear(6, 3)

        def forward(self, x):
            return self.out(x * torch.sigmoid(self.gate(x)))

    x, y = torch.randn(9, 6), torch.randint(0, 3, (9,))
    _fit(Gate(), lambda m: F.cross_entropy(m(x), y))


def softmax_for_people_and_logits_for_the_loss():
    model = nn.Linear(4, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        x, y = torch.randn(6, 4), torch.randint(0, 3, (6,))
        logits = model(x)
        probabilities = F.softmax(logits, dim=1)
        loss = F.cross_entropy(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(probabilities.max(1)[0].mean().item())


def log_softmax_and_nll_along_the_right_axes():
    model = nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(dim=1))
    x, y = torch.randn(6, 4), torch.randint(0, 3, (6,))
    _fit(model, lambda m: F.nll_loss(m(x), y))
    tagger = nn.Linear(5, 4)
    words, tags = torch.randn(2, 7, 5), torch.randint(0, 4, (2, 7))
    _fit(tagger, lambda m: F.nll_loss(F.log_softmax(m(words), dim=2).transpose(1, 2), tags))


def nll_of_a_logarithm():
    model = nn.Linear(4, 3)
    x, y = torch.randn(6, 4), torch.randint(0, 3, (6,))
    _fit(model, lambda m: F.nll_loss(torch.log(F.softmax(m(x), dim=1) + 1e-9), y))


def soft_targets_made_by_softmax():
    teacher, student = nn.Linear(4, 3), nn.Linear(4, 3)
    x = torch.randn(12, 4)
    with torch.no_grad():
        soft = F.softmax(teacher(x), dim=1)
    _fit(student, lambda m: F.cross_entropy(m(x), soft))


def sigmoid_and_plain_binary_cross_entropy():
    model = nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 1), nn.Sigmoid())
    x = torch.randn(16, 3)
    _fit(model, lambda m: nn.BCELoss()(m(x), (x[:, :1] > 0).float()))


def many_labels_from_logits():
    model = nn.Linear(5, 4)
    x = torch.randn(20, 5)
    y = (x[:, :4] > 0).float()
    _fit(model, lambda m: F.binary_cross_entropy_with_logits(m(x), y, pos_weight=torch.full((4,), 2.0)))
    with torch.no_grad():
        print(((torch.sigmoid(model(x)) > 0.5) == y.bool()).float().mean().item())


def soft_labels_from_another_network():
    first, second = nn.Linear(3, 1), nn.Linear(3, 1)
    optimizer = optim.SGD([*first.parameters(), *second.parameters()], lr=0.1)
    for _ in range(12):  # each learns from the other: both sides want a gradient
        x = torch.randn(8, 3)
        a, b = torch.sigmoid(first(x)), torch.sigmoid(second(x))
        loss = F.binary_cross_entropy(a, b.detach()) + F.binary_cross_entropy(b, a.detach())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def one_column_on_both_sides():
    model = nn.Linear(2, 1)
    x = torch.randn(15, 2)
    y = x.sum(1)
    _fit(model, lambda m: F.mse_loss(m(x), y.unsqueeze(1)))
    _fit(model, lambda m: F.l1_loss(m(x).squeeze(-1), y))
    _fit(model, lambda m: ((m(x)[:, 0] - y) ** 2).mean())


def a_batch_of_one():
    model = nn.Linear(2, 1)
    x = torch.randn(1, 2)
    _fit(model, lambda m: F.mse_loss(m(x), torch.ones(1)))
    _fit(model, lambda m: ((m(x) - torch.ones(1)) ** 2).mean())


def a_loss_against_one_number_for_all():
    model = nn.Linear(3, 4)
    x = torch.randn(5, 3)
    _fit(model, lambda m: F.mse_loss(m(x), torch.tensor(0.5)))
    _fit(model, lambda m: F.huber_loss(m(x), torch.zeros(4)))


def all_pairs_on_purpose():
    class Centres(nn.Module):
        def __init__(self):
            super().__init__()
            self.centres = nn.Parameter(torch.linspace(-1, 1, 8))
            self.out = nn.Linear(8, 1)

        def forward(self, x):
            return self.out(torch.exp(-((x - self.centres) ** 2)))

    x = torch.randn(8, 1)
    _fit(Centres(), lambda m: F.mse_loss(m(x), torch.sin(x)))


def spread_of_answers():
    model = nn.Linear(3, 1)
    x = torch.randn(6, 3)

    def energy(m):
        y = m(x)
        return (y - y.t()).abs().mean() * -0.1 + y.pow(2).mean()

    _fit(model, energy)


def scores_centred_by_their_own_mean():
    model = nn.Linear(3, 1)
    x = torch.randn(6, 3)
    _fit(model, lambda m: ((m(x) - m(x).mean(0)) ** 2).mean() * -0.01 + m(x).pow(2).mean())


def a_hinge_loss_that_is_satisfied():
    model = nn.Linear(2, 3)
    x = torch.cat([torch.randn(10, 2) + 6, torch.randn(10, 2) - 6])
    y = torch.cat([torch.ones(10, 1), -torch.ones(10, 1)])
    _fit(model, lambda m: torch.relu(1 - y * m(x)).mean() + 1e-4 * m.weight.pow(2).sum(), steps=40, lr=0.5)


def a_few_dead_units_among_many():
    model = nn.Sequential(nn.Linear(3, 10), nn.ReLU(), nn.Linear(10, 1))
    with torch.no_grad():
        model[0].bias[:3] = -50.0
    _fit(model, lambda m: (lambda x: F.mse_loss(m(x), x[:, :1]))(torch.randn(8, 3)), steps=40, lr=0.01)


def units_that_wake_now_and_then():
    model = nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[0].weight += 0.1 * torch.randn(8, 1)
        model[0].bias.fill_(-3.0)
    optimizer = optim.SGD(model.parameters(), lr=1e-4)
    for step in range(45):
        x = torch.full((8, 1), 5.0 if step % 10 == 9 else 0.0)
        optimizer.zero_grad()
        F.mse_loss(model(x), x).backward()
        optimizer.step()


def an_output_layer_of_zeros():
    model = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
    nn.init.zeros_(model[2].weight)
    nn.init.zeros_(model[2].bias)
    x, y = torch.randn(15, 4), torch.randint(0, 3, (15,))
    _fit(model, lambda m: F.cross_entropy(m(x), y))


def low_rank_adaptation():
    class Adapted(nn.Module):
        def __init__(self, base):
            super().__init__()
            self.base = base.requires_grad_(False)
            self.a = nn.Parameter(torch.randn(2, 5) * 0.1)
            self.b = nn.Parameter(torch.zeros(3, 2))

        def forward(self, x):
            return self.base(x) + x @ self.a.t() @ self.b.t()

    x, y = torch.randn(12, 5), torch.randint(0, 3, (12,))
    _fit(Adapted(nn.Linear(5, 3)), lambda m: F.cross_entropy(m(x), y), kind=optim.AdamW, lr=0.01)


def a_constant_scale_per_row():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)
            self.scale = nn.Parameter(torch.ones(4, 1))

        def forward(self, x):
            return self.layer(x) @ self.scale

    x = torch.randn(10, 4)
    _fit(Scaled(), lambda m: F.mse_loss(m(x), x[:, :1]))


def experts_of_which_some_are_rarely_asked():
    class Experts(nn.Module):
        def __init__(self):
            super().__init__()
            self.experts = nn.ModuleList(nn.Linear(2, 1) for _ in range(4))

        def forward(self, x):
            return self.experts[int(x[0, 0].item() > 0)](x)

    model = Experts()
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    for _ in range(6):
        x = torch.randn(5, 2)
        optimizer.zero_grad()
        F.mse_loss(model(x), x[:, :1]).backward()
        optimizer.step()


def evaluated_in_eval_mode_without_no_grad():
    model = nn.Sequential(nn.Linear(3, 6), nn.Dropout(0.5), nn.ReLU(), nn.Linear(6, 2))
    optimizer = optim.Adam(model.parameters())
    for _ in range(3):
        model.train()
        for _ in range(3):
            x = torch.randn(8, 3)
            optimizer.zero_grad()
            F.cross_entropy(model(x), (x[:, 0] > 0).long()).backward()
            optimizer.step()
        model.eval()
        x = torch.randn(8, 3)
        loss = F.cross_entropy(model(x), (x[:, 0] > 0).long())
        print(loss.item())


def no_dropout_no_mode():
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2))
    optimizer = optim.Adam(model.parameters())
    for _ in range(8):
        x, y = torch.randn(8, 3), torch.randint(0, 2, (8,))
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        with torch.no_grad():
            print((model(x).argmax(1) == y).float().mean().item())


def dropout_sampled_for_uncertainty():
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2))
    x, y = torch.randn(20, 2), torch.randint(0, 2, (20,))
    _fit(model, lambda m: F.cross_entropy(m(x), y))
    with torch.no_grad():
        votes = [model(x).argmax(1) for _ in range(10)]
    print(torch.stack(votes).float().std(0).mean())


def only_the_dropout_stays_awake():
    model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 2))
    x, y = torch.randn(20, 2), torch.randint(0, 2, (20,))
    _fit(model, lambda m: F.cross_entropy(m(x), y))
    model.eval()
    model[2].train()
    with torch.no_grad():
        print(model(x).argmax(1))


def pseudo_labels_in_training_mode():
    model = nn.Sequential(nn.Linear(3, 10), nn.ReLU(), nn.Dropout(0.2), nn.Linear(10, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(6):
        x, y, unlabelled = torch.randn(8, 3), torch.randint(0, 3, (8,)), torch.randn(8, 3)
        with torch.no_grad():
            soft = F.softmax(model(unlabelled), dim=1)
            sure = (soft > 0.4).any(1).float()
        loss = F.cross_entropy(model(x), y)
        extra = F.cross_entropy(model(unlabelled + 0.1), soft, reduction="none")
        loss = loss + (extra * sure).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def fine_tuned_in_eval_mode_from_the_start():
    model = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Dropout(0.1), nn.Linear(6, 2))
    model.eval()
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    for _ in range(4):
        x, y = torch.randn(8, 3), torch.randint(0, 2, (8,))
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
        with torch.no_grad():
            model(x).argmax(1)


def functional_dropout_that_asks_the_module():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(4, 8), nn.Linear(8, 2)

        def forward(self, x):
            x = F.dropout(torch.relu(self.fc1(x)), 0.5, self.training)
            x = F.dropout(x, p=0.1, training=self.training)
            return self.fc2(x)

    x, y = torch.randn(12, 4), torch.randint(0, 2, (12,))
    model = _fit(Net(), lambda m: F.cross_entropy(m(x), y)).eval()
    with torch.no_grad():
        model(x)


def functional_dropout_always_on_and_saying_so():
    class Bayesian(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(4, 8), nn.Linear(8, 2)

        def forward(self, x):
            return self.fc2(F.dropout(torch.relu(self.fc1(x)), p=0.2, training=True))

    x, y = torch.randn(12, 4), torch.randint(0, 2, (12,))
    model = _fit(Bayesian(), lambda m: F.cross_entropy(m(x), y)).eval()
    with torch.no_grad():
        print(torch.stack([model(x) for _ in range(5)]).std(0).mean())


def a_schedule_after_the_optimizer():
    class Exponential:
        def __init__(self, optimizer, factor):
            self.optimizer, self.factor = optimizer, factor

        def step(self):
            for group in self.optimizer.param_groups:
                group["lr"] *= self.factor

    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    schedule = Exponential(optimizer, 0.9)
    for _ in range(5):
        x = torch.randn(6, 2)
        optimizer.zero_grad()
        F.mse_loss(model(x), x[:, :1]).backward()
        optimizer.step()
        schedule.step()


def a_warm_up_that_sets_the_rate_of_the_coming_step():
    class WarmUp:
        def __init__(self, optimizer, rate, steps):
            self.optimizer, self.rate, self.steps, self.done = optimizer, rate, steps, 0

        def step(self):
            self.done += 1
            for group in self.optimizer.param_groups:
                group["lr"] = self.rate * min(1.0, self.done / self.steps)

    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.0)
    warm_up = WarmUp(optimizer, 0.1, 5)
    for _ in range(8):
        x = torch.randn(6, 2)
        warm_up.step()
        optimizer.zero_grad()
        F.mse_loss(model(x), x[:, :1]).backward()
        optimizer.step()


def an_optimizer_wrapped_with_its_schedule():
    class Noam:
        def __init__(self, width, warm_up, optimizer):
            self.width, self.warm_up, self.optimizer, self.done = width, warm_up, optimizer, 0

        def step(self):
            self.done += 1
            rate = self.width**-0.5 * min(self.done**-0.5, self.done * self.warm_up**-1.5)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.optimizer.step()

    model = nn.Linear(4, 4)
    noam = Noam(4, 3, optim.Adam(model.parameters(), lr=1.0, betas=(0.9, 0.98)))
    for _ in range(8):
        x = torch.randn(6, 4)
        model.zero_grad()
        F.mse_loss(model(x), x.roll(1, 1)).backward()
        noam.step()


def a_schedule_wound_forward_when_training_resumes():
    class Step:
        def __init__(self, optimizer):
            self.optimizer = optimizer
            self.step()  # the rate of the first epoch, as PyTorch's constructors do

        def step(self):
            for group in self.optimizer.param_groups:
                group["lr"] *= 0.5

    w = nn.Parameter(torch.ones(2))
    optimizer = optim.SGD([w], lr=0.2)
    schedule = Step(optimizer)
    for _ in range(2):
        schedule.step()
    for _ in range(3):
        optimizer.zero_grad()
        w.pow(2).sum().backward()
        optimizer.step()
        schedule.step()


def rates_written_into_the_groups():
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for step in range(10):
        for group in optimizer.param_groups:
            group["lr"] = 0.05 * (1 + math.cos(math.pi * step / 10))
        x = torch.randn(6, 3)
        optimizer.zero_grad()
        F.mse_loss(model(x), x[:, :1]).backward()
        optimizer.step()


def one_group_with_rate_zero():
    body, head = nn.Linear(3, 4), nn.Linear(4, 2)
    optimizer = optim.SGD([{"params": body.parameters(), "lr": 0.0}, {"params": head.parameters()}], lr=0.1)
    for _ in range(6):
        x, y = torch.randn(6, 3), torch.randint(0, 2, (6,))
        optimizer.zero_grad()
        F.cross_entropy(head(torch.tanh(body(x))), y).backward()
        optimizer.step()


def a_fresh_array_for_each_batch():
    rng = np.random.default_rng(0)
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    for _ in range(5):
        x = torch.from_numpy(rng.normal(size=(6, 3)).astype(np.float32))
        loss = model(x).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def one_buffer_refilled_after_backward():
    buffer = np.zeros((6, 3), np.float32)
    rng = np.random.default_rng(0)
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    for _ in range(5):
        buffer[:] = rng.normal(size=buffer.shape)
        loss = model(torch.from_numpy(buffer)).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def written_in_place_where_nobody_looks():
    model = nn.Linear(4, 4)
    optimizer = optim.Adam(model.parameters())
    for _ in range(5):
        x = torch.randn(5, 4)
        y = model(x)
        y[:, 0] = 0.0
        y += x
        y.relu_()
        optimizer.zero_grad()
        F.mse_loss(y, x).backward()
        optimizer.step()


def a_variational_autoencoder():
    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = nn.Linear(8, 4), nn.Linear(2, 8)

        def forward(self, x):
            mean, logvar = self.encoder(x).chunk(2, 1)
            z = mean + torch.exp(0.5 * logvar) * torch.randn(*mean.shape)
            return self.decoder(z), mean, logvar

    model = VAE()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(11):
        x = (torch.rand(10, 8) > 0.5).float()
        logits, mean, logvar = model(x)
        rebuilt = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
        divergence = -0.5 * (1 + logvar - mean.pow(2) - logvar.exp()).sum()
        optimizer.zero_grad()
        (rebuilt + divergence).backward()
        optimizer.step()


def contrastive_pairs_and_cross_entropy_of_similarities():
    left, right = nn.Linear(5, 3), nn.Linear(4, 3)
    optimizer = optim.Adam([*left.parameters(), *right.parameters()], lr=0.01)
    for _ in range(11):
        a = F.normalize(left(torch.randn(6, 5)), dim=1)
        b = F.normalize(right(torch.randn(6, 4)), dim=1)
        logits = a @ b.t() / 0.1
        labels = torch.arange(6)
        loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.t(), labels)) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def a_line_that_is_silenced():
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    for _ in range(3):
        x = torch.randn(10, 3)
        F.mse_loss(model(x), x[:, :1]).backward()
        optimizer.step()  # lint: ignore[TG301] the lesson is what happens then


def a_network_differentiated_by_its_inputs():
    class Physics(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
            self.points = torch.linspace(0, 1, 12).unsqueeze(1).requires_grad_()

        def forward(self):
            u = self.net(self.points)
            (slope,) = torch.autograd.grad(u.sum(), self.points, create_graph=True)
            return ((slope + u) ** 2).mean() + (u[0, 0] - 1) ** 2

    _fit(Physics(), lambda m: m(), lr=0.01)


def xor_with_relu_of_which_half_are_dead():
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    with torch.no_grad():
        model[0].weight[:2] = -0.5
        model[0].bias[:2] = -0.1
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
    _fit(model, lambda m: F.mse_loss(m(x), y), steps=60)


def positions_that_start_at_zero_and_are_averaged():
    class Bag(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Parameter(torch.randn(9, 4))
            self.places = nn.Parameter(torch.zeros(5, 4))
            self.out = nn.Linear(4, 2)

        def forward(self, words):
            return self.out((self.words[words] + self.places).mean(1))

    words = torch.randint(0, 9, (12, 5))
    _fit(Bag(), lambda m: F.cross_entropy(m(words), words[:, 0] % 2))


def a_helper_module_without_parameters_made_in_forward():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 5), nn.Linear(5, 2)

        def forward(self, x):
            return self.b(nn.ReLU()(self.a(x)))

    x, y = torch.randn(10, 3), torch.randint(0, 2, (10,))
    _fit(Net(), lambda m: F.cross_entropy(m(x), y))


def one_step_functions_that_are_given_their_module():
    class Refine(nn.Module):
        def forward(self, x, layers):
            for layer in layers:
                x = x + torch.tanh(layer(x))
            return x

    layers, refine = nn.ModuleList(nn.Linear(3, 3) for _ in range(4)), Refine()
    optimizer = optim.SGD(layers.parameters(), lr=0.1)
    for _ in range(12):
        x = torch.randn(6, 3)
        optimizer.zero_grad()
        F.mse_loss(refine(x, layers), x.flip(1)).backward()
        optimizer.step()


def a_backbone_under_no_grad_among_the_parameters():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone, self.head = nn.Sequential(nn.Linear(4, 6), nn.ReLU()), nn.Linear(6, 2)

        def forward(self, x):
            with torch.no_grad():
                features = self.backbone(x)
            return self.head(features)

    x = torch.randn(12, 4)
    _fit(Net(), lambda m: F.cross_entropy(m(x), (x[:, 0] > 0).long()))


def identical_targets_for_random_units():
    x = torch.randn(20, 3)
    y = x[:, :1].expand(20, 4)
    _fit(nn.Linear(3, 4), lambda m: F.mse_loss(m(x), y))
    _fit(nn.Linear(3, 4, bias=False), lambda m: F.l1_loss(m(x), y), steps=5)
