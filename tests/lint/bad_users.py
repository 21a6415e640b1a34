"""Programs with silent bugs, as their users write them."""

import numpy as np

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tinygrad_pt import nn, optim
from tinygrad_pt.utils.data import DataLoader, TensorDataset


def gan_whose_generator_step_has_old_gradients():
    g, d = nn.Linear(3, 2), nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    og, od = optim.Adam(g.parameters(), lr=1e-3), optim.Adam(d.parameters(), lr=1e-3)
    bce = nn.BCEWithLogitsLoss()
    for _ in range(6):
        real, z = torch.randn(8, 2), torch.randn(8, 3)
        od.zero_grad()
        (bce(d(real), torch.ones(8, 1)) + bce(d(g(z).detach()), torch.zeros(8, 1))).backward()
        od.step()
        bce(d(g(z)), torch.ones(8, 1)).backward()
        og.step()  # <- TG301


def fine_tuning_the_old_head():
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    opt = optim.Adam(net.parameters(), lr=1e-3)  # <- TG105
    net[2] = nn.Linear(8, 5)
    for _ in range(5):
        opt.zero_grad()
        F.cross_entropy(net(torch.randn(6, 4)), torch.randint(0, 5, (6,))).backward()
        opt.step()


def rnn_cells_in_a_list():
    class Stack(nn.Module):
        def __init__(self):
            super().__init__()
            self.cells = [nn.Linear(5, 5) for _ in range(3)]  # <- TG102
            self.out = nn.Linear(5, 1)

        def forward(self, x):
            for cell in self.cells:
                x = torch.tanh(cell(x))
            return self.out(x)

    net = Stack()
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(4):
        x = torch.randn(6, 5)
        opt.zero_grad()
        F.mse_loss(net(x), x[:, :1]).backward()
        opt.step()


def classifier_that_ends_in_softmax_and_flattens_time():
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.s = nn.Linear(4, 8), nn.Linear(8, 3), nn.Softmax(dim=-1)

        def forward(self, x):
            return self.s(self.b(torch.relu(self.a(x))))

    m = Tagger()
    opt = optim.Adam(m.parameters())
    crit = nn.CrossEntropyLoss()
    for _ in range(3):
        x, y = torch.randn(2, 6, 4), torch.randint(0, 3, (2, 6))
        opt.zero_grad()
        crit(m(x).reshape(-1, 3), y.reshape(-1)).backward()  # <- TG201
        opt.step()


def dqn_loss_of_a_column_and_a_row():
    q = nn.Linear(3, 2)
    opt = optim.Adam(q.parameters())
    for _ in range(4):
        s, a = torch.randn(8, 3), torch.randint(0, 2, (8, 1))
        with torch.no_grad():
            target = torch.rand(8) + 0.9 * q(torch.randn(8, 3)).max(1)[0]
        loss = F.smooth_l1_loss(q(s).gather(1, a), target)  # <- TG204
        opt.zero_grad()
        loss.backward()
        opt.step()


def regression_by_hand_of_a_row_and_a_column():
    x = torch.linspace(-1, 1, 20).unsqueeze(1)
    y = 2 * x + 0.1 * torch.randn(20, 1)
    w, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    for _ in range(10):
        prediction = (x * w + b).squeeze()
        loss = ((prediction - y) ** 2).mean()  # <- TG205
        loss.backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
            b -= 0.1 * b.grad
        w.grad, b.grad = None, None


def by_hand_without_zeroing():
    x = torch.randn(30, 2)
    y = x @ torch.tensor([1.0, -2.0])
    w = torch.zeros(2, requires_grad=True)
    for _ in range(10):
        loss = ((x @ w - y) ** 2).mean()
        loss.backward()  # <- TG301
        with torch.no_grad():
            w -= 0.01 * w.grad


def evaluation_that_forgets_eval():
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 2))
    opt = optim.Adam(model.parameters())
    data = DataLoader(TensorDataset(torch.randn(32, 4), torch.randint(0, 2, (32,))), batch_size=8)
    for _epoch in range(2):
        for x, y in data:
            opt.zero_grad()
            F.cross_entropy(model(x), y).backward()
            opt.step()
        correct = 0
        with torch.no_grad():
            for x, y in data:
                correct += (model(x).argmax(1) == y).sum().item()  # <- TG401


def eval_once_and_never_train_again():
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 2))
    opt = optim.Adam(model.parameters())
    model.train()
    for _epoch in range(4):
        for _ in range(3):
            x = torch.randn(8, 4)
            opt.zero_grad()
            F.cross_entropy(model(x), (x[:, 0] > 0).long()).backward()  # <- TG402
            opt.step()
        model.eval()
        with torch.no_grad():
            model(torch.randn(8, 4)).argmax(1)


def running_average_with_graph():
    model = nn.Linear(3, 1)
    opt = optim.SGD(model.parameters(), lr=0.01)
    running = 0.0
    for _i in range(8):
        x = torch.randn(8, 3)
        opt.zero_grad()
        loss = F.mse_loss(model(x), x[:, :1])
        loss.backward()
        opt.step()
        running += loss  # <- TG304


def history_of_losses():
    model = nn.Linear(3, 1)
    opt = optim.SGD(model.parameters(), lr=0.01)
    history = {"train": []}
    for _i in range(8):
        x = torch.randn(8, 3)
        opt.zero_grad()
        loss = F.mse_loss(model(x), x[:, :1])
        loss.backward()  # <- TG305
        opt.step()
        history["train"].append(loss)


def loss_wrapped_anew():
    model = nn.Linear(3, 1)
    opt = optim.SGD(model.parameters(), lr=0.01)
    for _i in range(5):
        x = torch.randn(8, 3)
        opt.zero_grad()
        loss = torch.tensor(F.mse_loss(model(x), x[:, :1]).item(), requires_grad=True)
        loss.backward()  # <- TG306
        opt.step()


def zero_grad_between_backward_and_step():
    model = nn.Linear(3, 1)
    opt = optim.SGD(model.parameters(), lr=0.01)
    for _i in range(5):
        x = torch.randn(8, 3)
        loss = F.mse_loss(model(x), x[:, :1])
        loss.backward()
        opt.zero_grad()
        opt.step()  # <- TG302


def embedding_table_as_a_plain_tensor():
    class Words(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.randn(10, 4, requires_grad=True)  # <- TG101
            self.out = nn.Linear(4, 2)

        def forward(self, i):
            return self.out(self.table[i].mean(1))

    m = Words()
    opt = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(4):
        opt.zero_grad()
        F.cross_entropy(m(torch.randint(0, 10, (6, 3))), torch.randint(0, 2, (6,))).backward()
        opt.step()


def temperature_forgotten_by_the_optimizer():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.temperature = nn.Linear(4, 3), nn.Parameter(torch.ones(1))

        def forward(self, x):
            return self.body(x) / self.temperature

    m = Scaled()
    opt = optim.SGD(m.body.parameters(), lr=0.1)  # <- TG103
    for _ in range(4):
        opt.zero_grad()
        F.cross_entropy(m(torch.randn(6, 4)), torch.randint(0, 3, (6,))).backward()
        opt.step()


def last_layer_of_a_list_left_out():
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(4)])

        def forward(self, x):
            for i in range(len(self.layers) - 1):
                x = torch.tanh(self.layers[i](x))
            return x

    m = Deep()
    opt = optim.SGD(m.parameters(), lr=0.1)  # <- TG104
    for _ in range(12):
        x = torch.randn(6, 4)
        opt.zero_grad()
        F.mse_loss(m(x), x.roll(1, 1)).backward()
        opt.step()


def auxiliary_path_cut_by_numpy():
    a, b = nn.Linear(4, 4), nn.Linear(4, 2)
    opt = optim.Adam([*a.parameters(), *b.parameters()])  # <- TG104
    for _ in range(5):
        h = torch.from_numpy(np.tanh(a(torch.randn(6, 4)).detach().numpy()))
        opt.zero_grad()
        F.cross_entropy(b(h), torch.randint(0, 2, (6,))).backward()
        opt.step()


def units_that_all_start_at_one():
    net = nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1))
    for p in net.parameters():
        nn.init.constant_(p, 0.1)
    opt = optim.SGD(net.parameters(), lr=0.1)  # <- TG107
    for _ in range(4):
        x = torch.randn(10, 3)
        opt.zero_grad()
        F.mse_loss(net(x), x[:, :1]).backward()
        opt.step()


def functional_dropout_in_eval():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 8), nn.Linear(8, 2)

        def forward(self, x):
            x = F.dropout(torch.relu(self.a(x)), 0.5)  # <- TG403
            return self.b(x)

    m = Net()
    opt = optim.Adam(m.parameters())
    for _ in range(3):
        opt.zero_grad()
        F.cross_entropy(m(torch.randn(6, 4)), torch.randint(0, 2, (6,))).backward()
        opt.step()
    m.eval()
    with torch.no_grad():
        m(torch.randn(6, 4)).argmax(1)


def decay_called_first():
    class ExponentialDecay:
        def __init__(self, opt, gamma):
            self.opt, self.gamma = opt, gamma

        def step(self):
            for g in self.opt.param_groups:
                g["lr"] *= self.gamma

    w = nn.Parameter(torch.ones(3))
    opt = optim.SGD([w], lr=0.1)
    decay = ExponentialDecay(opt, 0.9)
    for _ in range(5):
        decay.step()  # <- TG601
        opt.zero_grad()
        (w**2).sum().backward()
        opt.step()


def weights_written_through_data_before_backward():
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    opt = optim.SGD([w], lr=0.1)
    for _ in range(3):
        loss = (w**2).sum()  # <- TG308
        w.data *= 0.99
        opt.zero_grad()
        loss.backward()
        opt.step()


def clip_before_backward_in_a_trainer():
    class Trainer:
        def __init__(self):
            self.m = nn.Linear(3, 1)
            self.o = optim.SGD(self.m.parameters(), lr=0.1)

        def fit(self, x, y):
            self.o.zero_grad()
            loss = F.mse_loss(self.m(x), y)
            nn.utils.clip_grad_norm_(self.m.parameters(), 1.0)  # <- TG309
            loss.backward()
            self.o.step()

    t = Trainer()
    for _ in range(4):
        x = torch.randn(8, 3)
        t.fit(x, x[:, :1])


def a_rate_divided_to_nothing():
    w = nn.Parameter(torch.ones(3))
    opt = optim.SGD([w], lr=1 // 10)  # <- TG106
    for _ in range(4):
        opt.zero_grad()
        (w**2).sum().backward()
        opt.step()


def one_sigmoid_too_many_and_swapped_arguments():
    m = nn.Sequential(nn.Linear(3, 1), nn.Sigmoid())
    opt = optim.Adam(m.parameters())
    for _ in range(3):
        x = torch.randn(8, 3)
        y = (x[:, :1] > 0).float()
        opt.zero_grad()
        loss = nn.BCEWithLogitsLoss()(m(x), y)  # <- TG202
        loss.backward()
        opt.step()


def probabilities_into_nll():
    m = nn.Sequential(nn.Linear(3, 4), nn.Softmax(dim=1))
    opt = optim.Adam(m.parameters())
    for _ in range(3):
        opt.zero_grad()
        F.nll_loss(m(torch.randn(6, 3)), torch.randint(0, 4, (6,))).backward()  # <- TG203
        opt.step()


def exploding():
    w = nn.Linear(4, 4)
    opt = optim.SGD(w.parameters(), lr=1e4)
    x = torch.randn(8, 4) * 100
    for _ in range(12):
        opt.zero_grad()
        ((w(x) - x) ** 2).sum().backward()
        opt.step()  # <- TG502
        if not torch.isfinite(w.weight).all():
            break
