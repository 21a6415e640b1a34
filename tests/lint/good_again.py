"""Programs without silent bugs: near misses of the rules about loops, containers, and what is compared."""

import copy

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tinygrad_pt import nn, optim
from tinygrad_pt.utils.data import DataLoader, IterableDataset, TensorDataset


def _data(n=32):
    x = torch.randn(n, 4)
    return x, (x.sum(1) > 0).long()


def _train(net, x, y, rounds=5, lr=0.1):
    opt = optim.SGD(net.parameters(), lr=lr)
    for _ in range(rounds):
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()
        opt.step()


# ------------------------------------------------------------------------------------------ containers
def a_list_of_new_layers():
    _train(nn.Sequential(*[nn.Linear(4, 4) for _ in range(3)], nn.Linear(4, 2)), *_data())


def copies_of_one_layer():
    layer = nn.Linear(4, 4)
    _train(nn.Sequential(*[copy.deepcopy(layer) for _ in range(3)], nn.Linear(4, 2)), *_data())


def one_activation_object_everywhere():
    act = nn.ReLU()
    _train(nn.Sequential(nn.Linear(4, 4), act, nn.Linear(4, 4), act, act, nn.Linear(4, 2)), *_data())


def a_block_that_has_a_name_and_is_shared_on_purpose():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.block = nn.Sequential(nn.Linear(4, 4), nn.Tanh())
            self.layers = nn.ModuleList([self.block] * 3)
            self.out = nn.Linear(4, 2)

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return self.out(x)

    _train(Recurrent(), *_data())


def a_cell_between_other_layers():
    cell = nn.Linear(4, 4)
    _train(nn.Sequential(cell, nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), cell, nn.Linear(4, 2)), *_data())


def two_towers_with_one_encoder():
    encoder, head = nn.Linear(4, 4), nn.Linear(8, 1)
    opt = optim.Adam([*encoder.parameters(), *head.parameters()])
    for _ in range(4):
        a, b = torch.randn(6, 4), torch.randn(6, 4)
        opt.zero_grad()
        head(torch.cat([encoder(a), encoder(b)], 1)).square().mean().backward()
        opt.step()


# ------------------------------------------------------------------------------------------ loaders
def one_batch_to_overfit():
    net, loader = nn.Linear(4, 2), DataLoader(TensorDataset(*_data()), batch_size=8)
    x, y = next(iter(loader))
    _train(net, x, y)


def a_random_batch_in_every_step():
    net, loader = nn.Linear(4, 2), DataLoader(TensorDataset(*_data()), batch_size=8, shuffle=True)
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(6):
        x, y = next(iter(loader))
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()
        opt.step()


def a_loader_with_one_batch():
    net, loader = nn.Linear(4, 2), DataLoader(TensorDataset(*_data()), batch_size=32)
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(6):
        x, y = next(iter(loader))
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()
        opt.step()


def an_iterator_that_is_renewed_when_it_ends():
    net, loader = nn.Linear(4, 2), DataLoader(TensorDataset(*_data()), batch_size=8)
    opt, batches = optim.SGD(net.parameters(), lr=0.1), iter(loader)
    for _ in range(14):
        try:
            x, y = next(batches)
        except StopIteration:
            batches = iter(loader)
            x, y = next(batches)
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()
        opt.step()


def a_look_at_the_first_batch_after_each_epoch():
    x, y = _data()
    net = nn.Linear(4, 2)
    train, test = (DataLoader(TensorDataset(x, y), batch_size=8) for _ in range(2))
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(5):
        for a, b in train:
            opt.zero_grad()
            F.cross_entropy(net(a), b).backward()
            opt.step()
        next(iter(test))[0].mean().item()


def a_stream_of_random_samples():
    class Stream(IterableDataset):
        def __iter__(self):
            while True:
                yield torch.randn(4)

    net, loader = nn.Linear(4, 1), DataLoader(Stream(), batch_size=8)
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(6):
        opt.zero_grad()
        net(next(iter(loader))).square().mean().backward()
        opt.step()


def a_data_set_that_draws_its_samples():
    class Noise(TensorDataset):
        def __getitem__(self, i):
            return (torch.randn(4),)

    net, loader = nn.Linear(4, 1), DataLoader(Noise(torch.zeros(32)), batch_size=8)
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(6):
        (x,) = next(iter(loader))
        opt.zero_grad()
        net(x).square().mean().backward()
        opt.step()


# ------------------------------------------------------------------------------------------ seeds
def one_seed_per_experiment():
    x, y = _data()
    for lr in (0.1, 0.01, 0.001, 0.2):
        torch.manual_seed(0)
        _train(nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.2), nn.Linear(8, 2)), x, y, lr=lr)


def another_seed_in_each_epoch():
    x, y = _data()
    net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    opt = optim.SGD(net.parameters(), lr=0.1)
    for epoch in range(5):
        torch.manual_seed(epoch)
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()
        opt.step()


def a_seed_for_each_evaluation():
    net, (x, y) = nn.Linear(4, 2), _data()
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(5):
        opt.zero_grad()
        F.cross_entropy(net(x + 0.1 * torch.randn(32, 4)), y).backward()
        opt.step()
        torch.manual_seed(7)
        with torch.no_grad():
            F.cross_entropy(net(x + torch.randn(32, 4)), y).item()


def a_seed_for_the_samples_that_are_shown():
    g = nn.Linear(3, 2)
    opt = optim.Adam(g.parameters())
    for _ in range(5):
        opt.zero_grad()
        (g(torch.randn(8, 3)) - 1).square().mean().backward()
        opt.step()
        with torch.no_grad(), torch.random.fork_rng():
            torch.manual_seed(0)
            g(torch.randn(4, 3)).mean().item()


# ------------------------------------------------------------------------------------------ optimizers
def an_optimizer_per_phase():
    net, (x, y) = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)), _data()
    for layers in (net[2:], net, net):
        opt = optim.Adam(layers.parameters(), lr=0.01)
        for _ in range(3):
            opt.zero_grad()
            F.cross_entropy(net(x), y).backward()
            opt.step()


def an_optimizer_per_task_of_a_meta_learner():
    meta = nn.Linear(4, 2)
    outer = optim.SGD(meta.parameters(), lr=0.1)
    for _ in range(4):
        x, y = _data()
        inner = copy.deepcopy(meta)
        opt = optim.SGD(inner.parameters(), lr=0.1)
        F.cross_entropy(inner(x), y).backward()
        opt.step()
        outer.zero_grad()
        for p, q in zip(meta.parameters(), inner.parameters(), strict=True):
            p.grad = p.detach() - q.detach()
        outer.step()


def a_learning_rate_that_changes_by_new_optimizers():
    net, (x, y) = nn.Linear(4, 2), _data()
    for i in range(5):
        opt = optim.SGD(net.parameters(), lr=0.1 * 0.9**i)
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()
        opt.step()


# ------------------------------------------------------------------------------------------ losses
def relu_and_a_mean_over_places_before_the_loss():
    class Squeeze(nn.Module):
        def __init__(self):
            super().__init__()
            self.f, self.out = nn.Linear(4, 8), nn.Linear(8, 2)

        def forward(self, x):
            return F.relu(self.out(torch.tanh(self.f(x)))).mean(1)

    net = Squeeze()
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        opt.zero_grad()
        F.cross_entropy(net(torch.randn(6, 5, 4)), torch.randint(0, 2, (6,))).backward()
        opt.step()


def relu_on_an_answer_that_is_never_negative():
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1), nn.ReLU())
    opt = optim.SGD(net.parameters(), lr=0.01)
    for _ in range(3):
        x = torch.rand(8, 4)
        opt.zero_grad()
        F.mse_loss(net(x), x.sum(1, keepdim=True)).backward()
        opt.step()


def kl_div_in_both_directions():
    p, q = nn.Linear(4, 3), nn.Linear(4, 3)
    opt = optim.Adam([*p.parameters(), *q.parameters()])
    for _ in range(3):
        x = torch.randn(8, 4)
        a, b = F.log_softmax(p(x), 1), F.log_softmax(q(x), 1)
        opt.zero_grad()
        (
            F.kl_div(a, b.exp(), reduction="batchmean") + F.kl_div(b, a, reduction="batchmean", log_target=True)
        ).backward()
        opt.step()


def kl_div_to_a_prior():
    prior = torch.full((8, 3), 1 / 3).log()
    net = nn.Linear(4, 3)
    opt = optim.Adam(net.parameters())
    for _ in range(3):
        opt.zero_grad()
        F.kl_div(prior, F.softmax(net(torch.randn(8, 4)), 1), reduction="batchmean").backward()
        opt.step()


def attention_over_the_instances_of_a_bag():
    class Bag(nn.Module):
        def __init__(self):
            super().__init__()
            self.features, self.score, self.out = nn.Linear(4, 8), nn.Linear(8, 1), nn.Linear(8, 2)

        def forward(self, x):
            h = torch.tanh(self.features(x))
            a = torch.softmax(self.score(h), dim=0)
            return self.out((a * h).sum(0, keepdim=True))

    net = Bag()
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(4):
        opt.zero_grad()
        F.cross_entropy(net(torch.randn(7, 4)), torch.randint(0, 2, (1,))).backward()
        opt.step()


def scores_of_actions_that_a_softmax_over_steps_weighs():
    net = nn.Linear(4, 3)
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(4):
        weights = net(torch.randn(6, 4)).softmax(0)
        opt.zero_grad()
        (weights * torch.rand(6, 1)).sum().backward()
        opt.step()


def contrast_in_both_directions():
    a, b = nn.Linear(4, 8), nn.Linear(4, 8)
    opt = optim.Adam([*a.parameters(), *b.parameters()])
    for _ in range(3):
        x = torch.randn(6, 4)
        logits, same = F.normalize(a(x)) @ F.normalize(b(x)).t(), torch.arange(6)
        opt.zero_grad()
        (F.cross_entropy(logits, same) + F.cross_entropy(logits.t(), same)).backward()
        opt.step()


# ------------------------------------------------------------------------------------------ evaluations
def accuracy_of_the_training_batch_on_the_way():
    net, (x, y) = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2)), _data()
    opt, right = optim.SGD(net.parameters(), lr=0.1), 0
    for _ in range(4):
        answer = net(x)
        right += (answer.argmax(1) == y).sum().item()
        opt.zero_grad()
        F.cross_entropy(answer, y).backward()
        opt.step()


def dropout_that_is_sampled_after_training():
    net, (x, y) = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2)), _data()
    _train(net, x, y)
    torch.stack([net(x).softmax(1) for _ in range(5)]).detach().mean(0).argmax(1)


def functional_dropout_that_is_sampled_after_training():
    a, b = nn.Linear(4, 8), nn.Linear(8, 2)
    x, y = _data()

    def net(x):
        return b(F.dropout(a(x).relu(), 0.3))

    opt = optim.SGD([*a.parameters(), *b.parameters()], lr=0.1)
    for _ in range(4):
        opt.zero_grad()
        F.cross_entropy(net(x), y).backward()
        opt.step()
    with torch.no_grad():
        torch.stack([net(x).softmax(1) for _ in range(5)]).mean(0).argmax(1)


def functional_dropout_of_noisy_inputs_under_no_grad():
    net, (x, y) = nn.Linear(4, 2), _data()
    opt = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(4):
        with torch.no_grad():
            noisy = F.dropout(x, 0.2)
        opt.zero_grad()
        F.cross_entropy(net(noisy), y).backward()
        opt.step()


def targets_from_the_net_itself_with_its_dropout():
    net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.Linear(8, 3))
    opt = optim.Adam(net.parameters())
    for _ in range(4):
        s, s2 = torch.randn(8, 4), torch.randn(8, 4)
        target = torch.rand(8) + 0.9 * net(s2).max(1)[0].detach()
        opt.zero_grad()
        F.mse_loss(net(s).max(1)[0], target).backward()
        opt.step()


def evaluation_with_eval_but_without_no_grad():
    net, (x, y) = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2)), _data()
    _train(net, x, y)
    net.eval()
    (net(x).argmax(1) == y).float().mean().item()
