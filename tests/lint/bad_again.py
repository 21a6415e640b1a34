"""Programs with silent bugs: things made anew in a loop, layers that stand twice, arguments that are exchanged."""

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tinygrad_pt import nn, optim
from tinygrad_pt.utils.data import DataLoader, TensorDataset


def _data(n=32):
    x = torch.randn(n, 4)
    return x, (x.sum(1) > 0).long()


def _train(net, x, y, rounds=5):
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(rounds):
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()
        opt.step()


def one_layer_three_times():
    net = nn.Sequential(*[nn.Linear(4, 4)] * 3, nn.Linear(4, 2))  # <- TG109
    _train(net, *_data())


def one_block_and_its_activation_three_times():
    blocks = [nn.Linear(4, 4), nn.Tanh()] * 3  # <- TG109
    net = nn.Sequential(*blocks, nn.Linear(4, 2))
    _train(net, *_data())


def one_layer_three_times_in_a_module_list():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(4, 4)] * 3)  # <- TG109
            self.out = nn.Linear(4, 2)

        def forward(self, x):
            for layer in self.layers:
                x = layer(x).relu()
            return self.out(x)

    _train(Net(), *_data())


def one_residual_block_in_a_trunk():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))

        def forward(self, x):
            return x + self.f(x)

    class Net(nn.Module):
        def __init__(self, depth):
            super().__init__()
            self.trunk = nn.Sequential(*([Block()] * depth))  # <- TG109
            self.head = nn.Linear(4, 2)

        def forward(self, x):
            return self.head(self.trunk(x))

    _train(Net(4), *_data())


def first_batch_for_ever():
    x, y = _data()
    net, loader = nn.Linear(4, 2), DataLoader(TensorDataset(x, y), batch_size=8)
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(6):
        inputs, targets = next(iter(loader))  # <- TG701
        opt.zero_grad()
        F.cross_entropy(net(inputs), targets).backward()
        opt.step()


def first_batch_for_ever_of_a_while_loop():
    x, y = _data()
    net, loader = nn.Linear(4, 2), DataLoader(TensorDataset(x, y), batch_size=4, drop_last=True)
    opt, step = optim.Adam(net.parameters()), 0
    while step < 8:
        batch = iter(loader).__next__()  # <- TG701
        loss = F.cross_entropy(net(batch[0]), batch[1])
        opt.zero_grad()
        loss.backward()
        opt.step()
        step += 1


def the_same_dropout_in_every_step():
    x, y = _data()
    net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(5):
        torch.manual_seed(0)  # <- TG702
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()
        opt.step()


def the_same_order_in_every_epoch():
    net, loader = nn.Linear(4, 2), DataLoader(TensorDataset(*_data()), batch_size=8, shuffle=True)
    opt = optim.SGD(net.parameters(), lr=0.1)

    def epoch():
        torch.manual_seed(42)  # <- TG702
        for x, y in loader:
            opt.zero_grad()
            F.cross_entropy(net(x), y).backward()
            opt.step()

    for _ in range(4):
        epoch()


def the_same_noise_for_a_generator():
    g = nn.Linear(3, 2)
    opt = optim.Adam(g.parameters())
    for _ in range(5):
        torch.manual_seed(1)  # <- TG702
        z = torch.randn(8, 3)
        opt.zero_grad()
        (g(z) - 1).square().mean().backward()
        opt.step()


def adam_without_a_memory():
    x, y = _data()
    net = nn.Linear(4, 2)
    for _ in range(5):
        opt = optim.Adam(net.parameters(), lr=0.01)  # <- TG703
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()
        opt.step()


def momentum_that_is_forgotten():
    x, y = _data()
    net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))

    def step():
        opt = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)  # <- TG703
        opt.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        opt.step()
        return loss.item()

    [step() for _ in range(5)]


def relu_after_the_last_layer():
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2), nn.ReLU())
    x, y = _data()
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()  # <- TG209
        opt.step()


def relu_on_the_answer_of_a_binary_classifier():
    x, y = _data()
    a, b = nn.Linear(4, 8), nn.Linear(8, 1)
    opt = optim.SGD([*a.parameters(), *b.parameters()], lr=0.1)
    criterion = nn.BCEWithLogitsLoss()
    for _ in range(3):
        logits = F.relu(b(torch.tanh(a(x)))).squeeze(1)
        opt.zero_grad()
        criterion(logits, y.float()).backward()  # <- TG209
        opt.step()


def relu_before_log_softmax():
    x, y = _data()
    net = nn.Linear(4, 3)
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        opt.zero_grad()
        F.nll_loss(F.log_softmax(F.relu(net(x)), dim=1), y).backward()  # <- TG209
        opt.step()


def kl_div_of_the_target_first():
    x, y = _data()
    net, p = nn.Linear(4, 2), F.one_hot(y, 2).float() * 0.8 + 0.1
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        opt.zero_grad()
        F.kl_div(p, F.log_softmax(net(x), 1), reduction="batchmean").backward()  # <- TG208
        opt.step()  # <- TG502


def distillation_the_wrong_way_round():
    x, _ = _data()
    teacher, student = nn.Linear(4, 3), nn.Linear(4, 3)
    opt, criterion = optim.Adam(student.parameters()), nn.KLDivLoss(reduction="batchmean")
    for _ in range(3):
        with torch.no_grad():
            soft = F.softmax(teacher(x) / 2, dim=1)
        opt.zero_grad()
        criterion(soft, F.log_softmax(student(x) / 2, dim=1)).backward()  # <- TG208
        opt.step()  # <- TG502


def softmax_along_the_batch_in_a_loss_by_hand():
    x, y = _data()
    net = nn.Linear(4, 2)
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        p = F.softmax(net(x), dim=0)  # <- TG210
        opt.zero_grad()
        (-p.log()[torch.arange(32), y].mean()).backward()
        opt.step()


def a_last_layer_that_is_softmax_along_the_batch():
    x, y = _data()
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2), nn.Softmax(dim=0))
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        opt.zero_grad()
        F.mse_loss(net(x), F.one_hot(y, 2).float()).backward()  # <- TG210
        opt.step()


def answers_by_a_softmax_along_the_batch():
    x, y = _data()
    net = nn.Linear(4, 2)
    _train(net, x, y)
    net.eval()
    with torch.no_grad():
        p = net(x).softmax(0)  # <- TG210
        (p.argmax(1) == y).float().mean().item()


def binary_cross_entropy_of_a_softmax_along_the_batch():
    x, y = _data()
    net = nn.Linear(4, 2)
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        p = torch.softmax(net(x), -2)  # <- TG210
        opt.zero_grad()
        F.binary_cross_entropy(p, F.one_hot(y, 2).float()).backward()
        opt.step()


def functional_dropout_in_an_evaluation():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 8), nn.Linear(8, 2)

        def forward(self, x):
            return self.b(F.dropout(F.relu(self.a(x))))  # <- TG403

    net, (x, y) = Net(), _data()
    _train(net, x, y)
    with torch.no_grad():
        (net(x).argmax(1) == y).float().mean().item()


def functional_dropout_without_a_module():
    a, b = nn.Linear(4, 8), nn.Linear(8, 2)
    x, y = _data()

    def net(x):
        return b(F.dropout(a(x).relu(), 0.3))  # <- TG403

    opt = optim.SGD([*a.parameters(), *b.parameters()], lr=0.1)
    for _ in range(4):
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()
        opt.step()
        with torch.no_grad():
            F.cross_entropy(net(x), y).item()


def accuracy_without_eval_and_no_grad():
    net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    x, y = _data()
    _train(net, x, y)
    (net(x).argmax(1) == y).float().mean().item()  # <- TG401


def loss_of_the_validation_set_without_eval_and_no_grad():
    net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    x, y = _data()
    v, w = _data(16)
    opt, history = optim.SGD(net.parameters(), lr=0.1), []
    for _ in range(4):
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()
        opt.step()
        history.append(F.cross_entropy(net(v), w).item())  # <- TG401


def functional_dropout_in_an_evaluation_with_gradients():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 8), nn.Linear(8, 2)

        def forward(self, x):
            return self.b(F.dropout(F.relu(self.a(x)), 0.5))  # <- TG403

    net, (x, y) = Net(), _data()
    _train(net, x, y)
    (net(x).argmax(1) == y).float().mean().item()


def the_same_noise_for_weights_by_hand():
    w = torch.zeros(3, requires_grad=True)
    opt = optim.SGD([w], lr=0.1)
    for _ in range(5):
        torch.manual_seed(3)  # <- TG702
        x = torch.randn(16, 3)
        opt.zero_grad()
        (x @ w - x.sum(1)).square().mean().backward()
        opt.step()


def the_first_batch_by_a_break():
    net, loader = nn.Linear(4, 2), DataLoader(TensorDataset(*_data()), batch_size=8)
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(6):
        for x, y in loader:  # <- TG701
            opt.zero_grad()
            F.cross_entropy(net(x), y).backward()
            opt.step()
            break
