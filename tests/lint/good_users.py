"""Programs without silent bugs, as their users write them: networks by hand, games, guards, schedules of one's own."""

import asyncio
import copy
import math
import random
import threading
from collections import deque

import numpy as np

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tinygrad_pt import nn, optim
from tinygrad_pt.datasets import Digits
from tinygrad_pt.utils.data import DataLoader, TensorDataset


def wasserstein_gan_with_critic_steps_and_a_gradient_penalty():
    g, d = (
        nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2)),
        nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1)),
    )
    opt_g, opt_d = (
        optim.Adam(g.parameters(), lr=1e-3, betas=(0.5, 0.9)),
        optim.Adam(d.parameters(), lr=1e-3, betas=(0.5, 0.9)),
    )
    for _step in range(6):
        for p in d.parameters():
            p.requires_grad_(True)
        for _ in range(5):
            real, fake = torch.randn(8, 2) + 2, g(torch.randn(8, 4)).detach()
            eps = torch.rand(8, 1)
            mixed = (eps * real + (1 - eps) * fake).requires_grad_(True)
            (slope,) = torch.autograd.grad(d(mixed).sum(), mixed, create_graph=True)
            penalty = ((slope.norm(dim=1) - 1) ** 2).mean()
            loss = d(fake).mean() - d(real).mean() + 10 * penalty
            opt_d.zero_grad()
            loss.backward()
            opt_d.step()
        for p in d.parameters():
            p.requires_grad_(False)
        opt_g.zero_grad()
        (-d(g(torch.randn(8, 4))).mean()).backward()
        opt_g.step()


def dcgan_in_the_order_of_the_tutorial():
    netg, netd = (
        nn.Sequential(nn.Linear(3, 8), nn.ReLU(True), nn.Linear(8, 2), nn.Tanh()),
        nn.Sequential(nn.Linear(2, 8), nn.ReLU(True), nn.Linear(8, 1), nn.Sigmoid()),
    )
    criterion = nn.BCELoss()
    fixed = torch.randn(4, 3)
    optd, optg = optim.Adam(netd.parameters(), lr=2e-4), optim.Adam(netg.parameters(), lr=2e-4)
    images, g_losses, d_losses = [], [], []
    for i in range(12):
        netd.zero_grad()
        label = torch.full((8,), 1.0)
        err_real = criterion(netd(torch.randn(8, 2)).view(-1), label)
        err_real.backward()
        fake = netg(torch.randn(8, 3))
        label.fill_(0.0)
        err_fake = criterion(netd(fake.detach()).view(-1), label)
        err_fake.backward()
        optd.step()
        netg.zero_grad()
        label.fill_(1.0)
        err_g = criterion(netd(fake).view(-1), label)
        err_g.backward()
        optg.step()
        g_losses.append(err_g.item())
        d_losses.append((err_real + err_fake).item())
        if i % 4 == 0:
            with torch.no_grad():
                images.append(netg(fixed).detach())


def karpathys_rnn_by_hand():
    text = "hello world, hello there. " * 3
    chars = sorted(set(text))
    index = {c: i for i, c in enumerate(chars)}
    hidden, v = 12, len(chars)
    wxh, whh, why = (torch.randn(*s) * 0.1 for s in ((v, hidden), (hidden, hidden), (hidden, v)))
    bh, by = torch.zeros(hidden), torch.zeros(v)
    params = [wxh, whh, why, bh, by]
    for p in params:
        p.requires_grad = True
    memory = [torch.zeros_like(p) for p in params]
    h, smooth = torch.zeros(1, hidden), -math.log(1 / v) * 8
    for n in range(0, 64, 8):
        h = h.detach()
        loss = 0
        for a, b in zip(text[n : n + 8], text[n + 1 : n + 9], strict=False):
            x = F.one_hot(torch.tensor([index[a]]), v).float()
            h = torch.tanh(x @ wxh + h @ whh + bh)
            loss = loss + F.cross_entropy(h @ why + by, torch.tensor([index[b]]))
        for p in params:
            p.grad = None
        loss.backward()
        smooth = smooth * 0.999 + loss.item() * 0.001
        with torch.no_grad():
            for p, m in zip(params, memory, strict=False):
                p.grad.clamp_(-5, 5)
                m += p.grad * p.grad
                p -= 0.1 * p.grad / torch.sqrt(m + 1e-8)


def truncated_bptt_in_a_module():
    class RNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.i2h, self.h2o = nn.Linear(2 + 6, 6), nn.Linear(6, 1)

        def forward(self, xs, h):
            outs = []
            for x in xs:
                h = torch.tanh(self.i2h(torch.cat([x, h], 1)))
                outs.append(self.h2o(h))
            return torch.stack(outs), h

    net = RNN()
    opt = optim.RMSprop(net.parameters(), lr=1e-3)
    for _epoch in range(2):
        h = torch.zeros(3, 6)
        for _chunk in range(5):
            xs = torch.randn(7, 3, 2)
            opt.zero_grad()
            out, h = net(xs, h)
            h = h.detach()
            loss = F.mse_loss(out, xs.sum(-1, keepdim=True))
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            opt.step()


def accumulation_with_a_last_partial_window():
    model = nn.Linear(5, 2)
    opt = optim.AdamW(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(torch.randn(44, 5), torch.randint(0, 2, (44,))), batch_size=4)
    accumulate = 4
    for _epoch in range(2):
        for i, (x, y) in enumerate(loader):
            loss = F.cross_entropy(model(x), y) / accumulate
            loss.backward()
            if (i + 1) % accumulate == 0 or i + 1 == len(loader):
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                opt.step()
                opt.zero_grad(set_to_none=True)


def fine_tuning_with_frozen_layers_that_thaw():
    backbone = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU())
    head = nn.Linear(8, 3)
    model = nn.Sequential(backbone, head)
    backbone.requires_grad_(False)
    opt = optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1, momentum=0.9)
    for epoch in range(12):
        if epoch == 6:
            backbone[2].requires_grad_(True)
            opt.add_param_group({"params": list(backbone[2].parameters()), "lr": 0.01})
        x, y = torch.randn(16, 6), torch.randint(0, 3, (16,))
        opt.zero_grad()
        F.cross_entropy(model(x), y).backward()
        opt.step()


def everything_in_the_optimizer_and_the_backbone_frozen_under_no_grad():
    backbone, head = nn.Sequential(nn.Linear(6, 8), nn.ReLU()), nn.Linear(8, 3)
    opt = optim.SGD(list(backbone.parameters()) + list(head.parameters()), lr=0.1)
    for _ in range(12):
        x, y = torch.randn(16, 6), torch.randint(0, 3, (16,))
        with torch.no_grad():
            f = backbone(x)
        opt.zero_grad()
        F.cross_entropy(head(f), y).backward()
        opt.step()


def mean_teacher_with_dropout_in_both():
    student = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
    teacher = copy.deepcopy(student)
    for p in teacher.parameters():
        p.requires_grad_(False)
    opt = optim.SGD(student.parameters(), lr=0.05)
    for step in range(12):
        student.train()
        x, y, u = torch.randn(8, 4), torch.randint(0, 3, (8,)), torch.randn(8, 4)
        with torch.no_grad():
            soft = F.softmax(teacher(u + 0.1 * torch.randn(8, 4)), 1)
        loss = F.cross_entropy(student(x), y) + F.mse_loss(F.softmax(student(u), 1), soft)
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            for a, b in zip(teacher.parameters(), student.parameters(), strict=False):
                a.mul_(0.99).add_(b, alpha=0.01)
        if step % 4 == 3:
            teacher.eval()
            with torch.no_grad():
                (teacher(x).argmax(1) == y).float().mean().item()
            teacher.train()


def monte_carlo_dropout_over_batches():
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))
    opt = optim.Adam(model.parameters())
    for _ in range(3):
        loss = F.cross_entropy(model(torch.randn(8, 4)), torch.randint(0, 3, (8,)))
        opt.zero_grad()
        loss.backward()
        opt.step()
    model.train()
    with torch.no_grad():
        for x in torch.randn(3, 8, 4):
            samples = torch.stack([model(x).softmax(1) for _ in range(5)])
            mean = samples.mean(0)
            mean.argmax(1)
            (-(mean * mean.log()).sum(1) > 0.5).sum().item()


def dqn_with_replay_and_a_target_network():
    policy, target = (nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 2)) for _ in range(2))
    target.load_state_dict(policy.state_dict())
    opt = optim.AdamW(policy.parameters(), lr=1e-3)
    memory, state = deque(maxlen=50), torch.randn(1, 3)
    for _t in range(40):
        with torch.no_grad():
            action = policy(state).max(1).indices.view(1, 1)
        nxt, reward = torch.randn(1, 3), torch.tensor([float(action.item())])
        memory.append((state, action, reward, nxt))
        state = nxt
        if len(memory) < 16:
            continue
        s, a, r, n = (torch.cat(z) for z in zip(*list(memory)[-16:], strict=False))
        values = policy(s).gather(1, a)
        with torch.no_grad():
            expected = target(n).max(1).values * 0.9 + r
        loss = F.smooth_l1_loss(values, expected.unsqueeze(1))
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(policy.parameters(), 100)
        opt.step()
        for key, value in policy.state_dict().items():
            target.state_dict()[key].copy_(value * 0.005 + target.state_dict()[key] * 0.995)


def reinforce_with_a_list_of_losses():
    policy = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.1), nn.ReLU(), nn.Linear(8, 2))
    opt = optim.Adam(policy.parameters(), lr=1e-2)
    rng = np.random.default_rng(0)
    for _episode in range(6):
        log_probs, rewards = [], []
        for _t in range(5):
            p = policy(torch.randn(1, 4)).softmax(1)
            a = int(rng.random() < p[0, 1].item())
            log_probs.append(torch.log(p[0, a]))
            rewards.append(float(a))
        returns = torch.tensor(np.cumsum(rewards[::-1])[::-1].copy()).float()
        returns = (returns - returns.mean()) / (returns.std() + 1e-6)
        loss = torch.stack([-lp * r for lp, r in zip(log_probs, returns, strict=False)]).sum()
        opt.zero_grad()
        loss.backward()
        opt.step()


def vae_with_sums():
    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.mu, self.lv, self.fc3, self.fc4 = (
                nn.Linear(6, 8),
                nn.Linear(8, 2),
                nn.Linear(8, 2),
                nn.Linear(2, 8),
                nn.Linear(8, 6),
            )

        def forward(self, x):
            h = F.relu(self.fc1(x))
            mu, lv = self.mu(h), self.lv(h)
            z = mu + torch.randn_like(mu) * torch.exp(0.5 * lv)
            return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, lv

    m = VAE()
    opt = optim.Adam(m.parameters(), lr=1e-3)
    train_loss = 0
    for _ in range(8):
        x = torch.rand(10, 6)
        opt.zero_grad()
        y, mu, lv = m(x)
        loss = F.binary_cross_entropy(y, x, reduction="sum") - 0.5 * torch.sum(1 + lv - mu.pow(2) - lv.exp())
        loss.backward()
        train_loss += loss.item()
        opt.step()
    m.eval()
    with torch.no_grad():
        test = 0
        for _ in range(3):
            x = torch.rand(10, 6)
            y, mu, lv = m(x)
            test += F.binary_cross_entropy(y, x, reduction="sum").item()


def energy_distance_in_one_dimension():
    g = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
    opt = optim.Adam(g.parameters(), lr=1e-2)
    for _ in range(10):
        real = torch.randn(12) * 2 + 1
        fake = g(torch.randn(12, 2)).squeeze(1)
        cross = (fake.unsqueeze(1) - real).abs().mean()
        own = (fake[:, None] - fake[None, :]).abs().mean()
        loss = 2 * cross - own
        opt.zero_grad()
        loss.backward()
        opt.step()


def quantile_regression_dqn():
    n = 5
    net = nn.Linear(3, n)
    opt = optim.Adam(net.parameters())
    tau = (torch.arange(n).float() + 0.5) / n
    for _ in range(5):
        theta, target = net(torch.randn(8, 3)), torch.randn(8, n)
        u = target.unsqueeze(1) - theta.unsqueeze(2)
        huber = F.smooth_l1_loss(theta.unsqueeze(2), target.unsqueeze(1), reduction="none")
        loss = ((tau.view(1, n, 1) - (u.detach() < 0).float()).abs() * huber).sum(1).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()


def gradient_norm_logged_after_the_step():
    model = nn.Linear(3, 1)
    opt = optim.SGD(model.parameters(), lr=0.1)
    norms = []
    for _ in range(6):
        x = torch.randn(8, 3)
        opt.zero_grad()
        F.mse_loss(model(x), x.sum(1, keepdim=True)).backward()
        opt.step()
        norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), float("inf"))))


def warm_up_from_the_peak_rate_set_before_each_step():
    class Warmup:
        def __init__(self, optimizer, warm, total):
            self.optimizer, self.warm, self.total, self.t = optimizer, warm, total, 0
            self.peak = optimizer.param_groups[0]["lr"]

        def step(self):
            t = self.t
            f = (
                (t + 1) / self.warm
                if t < self.warm
                else 0.5 * (1 + math.cos(math.pi * (t - self.warm) / (self.total - self.warm)))
            )
            for group in self.optimizer.param_groups:
                group["lr"] = self.peak * f
            self.t += 1

    model = nn.Linear(3, 1)
    opt = optim.AdamW(model.parameters(), lr=1e-2)
    schedule = Warmup(opt, 5, 20)
    for _ in range(20):
        schedule.step()
        x = torch.randn(8, 3)
        opt.zero_grad()
        F.mse_loss(model(x), x[:, :1]).backward()
        opt.step()


def a_scheduler_that_sets_the_rate_of_the_epoch_that_begins():
    class EpochScheduler:
        def __init__(self, optimizer):
            self.optimizer = optimizer

        def step(self, epoch):
            for group in self.optimizer.param_groups:
                group["lr"] = 0.1 * 0.5**epoch

    model = nn.Linear(3, 1)
    opt = optim.SGD(model.parameters(), lr=0.1)
    schedule = EpochScheduler(opt)
    for epoch in range(4):
        schedule.step(epoch)
        for _ in range(3):
            x = torch.randn(8, 3)
            opt.zero_grad()
            F.mse_loss(model(x), x[:, :1]).backward()
            opt.step()


def a_cosine_that_ignores_the_rate_of_the_optimizer():
    class Cosine:
        def __init__(self, optimizer, peak, total):
            self.optimizer, self.peak, self.total = optimizer, peak, total

        def step(self, t):
            for group in self.optimizer.param_groups:
                group["lr"] = self.peak * (1 + math.cos(math.pi * t / self.total)) / 2

    model = nn.Linear(3, 1)
    opt = optim.SGD(model.parameters(), lr=1.0)
    schedule = Cosine(opt, 0.1, 10)
    for t in range(10):
        schedule.step(t)
        x = torch.randn(8, 3)
        opt.zero_grad()
        F.mse_loss(model(x), x[:, :1]).backward()
        opt.step()


def experts_of_which_the_router_never_asks_one():
    class Mixture(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate = nn.Linear(4, 4)
            self.experts = nn.ModuleList([nn.Linear(4, 2) for _ in range(4)])

        def forward(self, x, task):
            return self.experts[task](x) * self.gate(x).softmax(1)[:, task : task + 1]

    model = Mixture()
    opt = optim.Adam(model.parameters(), lr=1e-3)
    for step in range(15):
        x = torch.randn(8, 4)
        loss = F.mse_loss(model(x, step % 3), x[:, :2])
        opt.zero_grad()
        loss.backward()
        opt.step()


def elastic_weight_consolidation():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    opt = optim.SGD(model.parameters(), lr=0.05)
    xs, ys = torch.randn(20, 4), torch.randint(0, 2, (20,))
    for _ in range(5):
        opt.zero_grad()
        F.cross_entropy(model(xs), ys).backward()
        opt.step()
    old = {n: p.detach().clone() for n, p in model.named_parameters()}
    fisher = {n: torch.zeros_like(p) for n, p in model.named_parameters()}
    model.eval()
    for x, y in zip(xs, ys, strict=False):
        opt.zero_grad()
        F.nll_loss(F.log_softmax(model(x.unsqueeze(0)), dim=-1), y.unsqueeze(0)).backward()
        for n, p in model.named_parameters():
            fisher[n] += p.grad.detach() ** 2 / len(xs)
    model.train()
    for _ in range(5):
        x, y = torch.randn(20, 4), torch.randint(0, 2, (20,))
        loss = F.cross_entropy(model(x), y)
        for n, p in model.named_parameters():
            loss = loss + 10 * (fisher[n] * (p - old[n]) ** 2).sum()
        opt.zero_grad()
        loss.backward()
        opt.step()


def sharpness_aware_minimisation():
    model = nn.Linear(4, 3)
    opt = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
        F.cross_entropy(model(x), y).backward()
        moves = []
        with torch.no_grad():
            norm = torch.sqrt(sum((p.grad**2).sum() for p in model.parameters()))
            for p in model.parameters():
                moves.append(0.05 * p.grad / (norm + 1e-12))
                p.add_(moves[-1])
        opt.zero_grad()
        F.cross_entropy(model(x), y).backward()
        with torch.no_grad():
            for p, e in zip(model.parameters(), moves, strict=False):
                p.sub_(e)
        opt.step()
        opt.zero_grad()


def projected_gradient_attack_and_adversarial_training():
    model = nn.Sequential(nn.Linear(4, 12), nn.ReLU(), nn.Linear(12, 3))
    opt = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(4):
        x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
        delta = torch.zeros_like(x, requires_grad=True)
        for _ in range(4):
            F.cross_entropy(model(x + delta), y).backward()
            delta.data = (delta + 0.05 * delta.grad.detach().sign()).clamp(-0.2, 0.2)
            delta.grad.zero_()
        opt.zero_grad()
        F.cross_entropy(model(x + delta.detach()), y).backward()
        opt.step()


def an_image_optimised_through_a_network_that_is_not_frozen():
    vgg = nn.Sequential(nn.Linear(9, 16), nn.ReLU(), nn.Linear(16, 4)).eval()
    content = vgg(torch.randn(1, 9)).detach()
    image = torch.randn(1, 9, requires_grad=True)
    opt = optim.Adam([image], lr=0.05)
    for _ in range(10):
        opt.zero_grad()
        loss = F.mse_loss(vgg(image), content) + 0.01 * image.abs().sum()
        loss.backward()
        opt.step()


def alternating_encoders_with_contrastive_loss():
    a, b = nn.Linear(5, 4), nn.Linear(7, 4)
    scale = nn.Parameter(torch.tensor(2.0))
    opt = optim.Adam([*a.parameters(), *b.parameters(), scale], lr=1e-2)
    for _ in range(6):
        u, v = F.normalize(a(torch.randn(6, 5))), F.normalize(b(torch.randn(6, 7)))
        logits = scale.exp() * u @ v.t()
        labels = torch.arange(6)
        loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.t(), labels)) / 2
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            scale.clamp_(max=4.6)


def per_class_metrics_in_a_notebook_cell_without_source():
    cell = """
model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))
opt = optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(3):
    model.train()
    for _ in range(3):
        x = torch.randn(8, 3)
        opt.zero_grad()
        loss = F.cross_entropy(model(x), (x[:, 0] > 0).long())
        loss.backward()
        opt.step()
    model.eval()
    with torch.no_grad():
        (model(x).argmax(1) == (x[:, 0] > 0).long()).float().mean().item()
"""
    exec(compile(cell, "<ipython-input-3-abc>", "exec"), dict(globals()))


def four_threads_train_a_network_each():
    def work(seed):
        model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
        opt = optim.SGD(model.parameters(), lr=0.05)
        for _ in range(8):
            x = torch.randn(6, 3)
            opt.zero_grad()
            F.mse_loss(model(x), x[:, :1]).backward()
            opt.step()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    work(9)
    for t in threads:
        t.join()


def two_tasks_of_one_loop_take_turns():
    async def work():
        model = nn.Linear(3, 1)
        opt = optim.SGD(model.parameters(), lr=0.05)
        for _ in range(6):
            x = torch.randn(6, 3)
            opt.zero_grad()
            loss = F.mse_loss(model(x), x[:, :1])
            await asyncio.sleep(0)
            loss.backward()
            await asyncio.sleep(0)
            opt.step()

    async def both():
        await asyncio.gather(work(), work(), work())

    asyncio.run(both())


def dual_ascent_with_a_multiplier():
    w, lam = torch.tensor([2.0, -1.0], requires_grad=True), torch.tensor(0.0, requires_grad=True)
    opt_w, opt_l = optim.SGD([w], lr=0.05), optim.SGD([lam], lr=0.05)
    for _ in range(20):
        gap = (w**2).sum() - 1
        lagrangian = -w.sum() + lam * gap
        opt_w.zero_grad()
        opt_l.zero_grad()
        lagrangian.backward()
        lam.grad.neg_()
        opt_w.step()
        opt_l.step()
        with torch.no_grad():
            lam.clamp_(min=0)


def gradient_surgery_between_two_tasks():
    trunk, heads = nn.Linear(4, 6), nn.ModuleList([nn.Linear(6, 1), nn.Linear(6, 1)])
    params = [*trunk.parameters(), *heads.parameters()]
    opt = optim.Adam(params, lr=1e-2)
    for _ in range(5):
        x = torch.randn(8, 4)
        h = torch.tanh(trunk(x))
        losses = [F.mse_loss(head(h), x[:, i : i + 1]) for i, head in enumerate(heads)]
        kept = []
        for loss in losses:
            opt.zero_grad()
            loss.backward(retain_graph=True)
            kept.append([None if p.grad is None else p.grad.clone() for p in params])
        opt.zero_grad()
        for p, a, b in zip(params, *kept, strict=False):
            p.grad = (
                a
                if b is None
                else b
                if a is None
                else a + b - min(0.0, float((a * b).sum())) / float((b * b).sum() + 1e-9) * b
            )
        opt.step()


def dead_zone_loss_and_a_margin():
    w = nn.Linear(3, 1)
    opt = optim.SGD(w.parameters(), lr=0.1)
    for _ in range(40):
        x = torch.randn(20, 3)
        y = x[:, 0].sign()
        loss = torch.clamp(1 - y * w(x).squeeze(1), min=0).mean() + 0.01 * (w.weight**2).sum()
        opt.zero_grad()
        loss.backward()
        opt.step()


def digits_with_best_weights_kept_and_restored():
    train = Digits()
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 10))
    opt = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    best, kept = 0.0, None
    for _epoch in range(2):
        for phase in ("train", "val"):
            model.train(phase == "train")
            running, right = 0.0, 0
            for i, (x, y) in enumerate(DataLoader(train, batch_size=64, shuffle=phase == "train")):
                if i == 6:
                    break
                opt.zero_grad()
                with torch.set_grad_enabled(phase == "train"):
                    out = model(x)
                    _, pred = torch.max(out, 1)
                    loss = F.cross_entropy(out, y)
                    if phase == "train":
                        loss.backward()
                        opt.step()
                running += loss.item() * x.size(0)
                right += torch.sum(pred == y.data)
            if phase == "val" and float(right) > best:
                best, kept = float(right), copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)


def lora_on_a_frozen_layer():
    class LoRA(nn.Module):
        def __init__(self, base, r):
            super().__init__()
            self.base = base
            for p in base.parameters():
                p.requires_grad = False
            self.a = nn.Parameter(torch.randn(r, base.in_features) * 0.01)
            self.b = nn.Parameter(torch.zeros(base.out_features, r))

        def forward(self, x):
            return self.base(x) + x @ self.a.T @ self.b.T

    m = nn.Sequential(LoRA(nn.Linear(4, 8), 2), nn.ReLU(), LoRA(nn.Linear(8, 3), 2))
    opt = optim.AdamW((p for p in m.parameters() if p.requires_grad), lr=1e-2)
    for _ in range(6):
        opt.zero_grad()
        F.cross_entropy(m(torch.randn(8, 4)), torch.randint(0, 3, (8,))).backward()
        opt.step()


def byol_inside_one_module():
    class BYOL(nn.Module):
        def __init__(self):
            super().__init__()
            self.online = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
            self.predictor = nn.Linear(4, 4)
            self.target = copy.deepcopy(self.online)

        @torch.no_grad()
        def update(self):
            for a, b in zip(self.target.parameters(), self.online.parameters(), strict=False):
                a.data = 0.99 * a.data + 0.01 * b.data

        def forward(self, u, v):
            p = self.predictor(self.online(u))
            with torch.no_grad():
                z = self.target(v)
            return 2 - 2 * F.cosine_similarity(p, z.detach(), dim=-1).mean()

    m = BYOL()
    opt = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(12):
        x = torch.randn(8, 4)
        loss = m(x + 0.1 * torch.randn(8, 4), x)
        opt.zero_grad()
        loss.backward()
        opt.step()
        m.update()


def attention_by_hand():
    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            self.q, self.k, self.v, self.drop = (
                nn.Linear(6, 6, bias=False),
                nn.Linear(6, 6, bias=False),
                nn.Linear(6, 6, bias=False),
                nn.Dropout(0.1),
            )
            self.mask = torch.tril(torch.ones(5, 5))

        def forward(self, x):
            w = self.q(x) @ self.k(x).transpose(-2, -1) / math.sqrt(6)
            w = w.masked_fill(self.mask == 0, float("-inf")).softmax(-1)
            return self.drop(w) @ self.v(x)

    class LM(nn.Module):
        def __init__(self):
            super().__init__()
            self.tok = nn.Parameter(torch.randn(11, 6) * 0.1)
            self.pos = nn.Parameter(torch.zeros(5, 6))
            self.h, self.out = Head(), nn.Linear(6, 11)

        def forward(self, i, t=None):
            logits = self.out(self.h(self.tok[i] + self.pos[: i.shape[1]]))
            loss = None if t is None else F.cross_entropy(logits.view(-1, 11), t.reshape(-1))
            return logits, loss

        def generate(self, i, n):
            for _ in range(n):
                logits, _ = self(i[:, -5:])
                p = F.softmax(logits[:, -1], dim=-1)
                i = (
                    torch.cat([i, torch.multinomial(p, 1)], 1)
                    if hasattr(torch, "multinomial")
                    else torch.cat([i, p.argmax(1, keepdim=True)], 1)
                )
            return i

    m = LM()
    opt = optim.AdamW(m.parameters(), lr=3e-3)

    @torch.no_grad()
    def estimate():
        m.eval()
        losses = torch.zeros(3)
        for k in range(3):
            i = torch.randint(0, 11, (4, 6))
            losses[k] = m(i[:, :-1], i[:, 1:])[1].item()
        m.train()
        return losses.mean()

    for step in range(12):
        if step % 4 == 0:
            estimate()
        i = torch.randint(0, 11, (4, 6))
        _, loss = m(i[:, :-1], i[:, 1:])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
    m.eval()
    with torch.no_grad():
        m.generate(torch.zeros(1, 5).long(), 3)


def neural_ode_by_euler_and_shooting():
    f = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
    opt = optim.Adam(f.parameters(), lr=1e-2)
    for _ in range(5):
        y = torch.randn(6, 2)
        target = y * 0.5
        loss = 0.0
        for _t in range(5):
            y = y + 0.1 * f(y)
            loss = loss + ((y - target) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()


def pinn():
    net = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    opt = optim.Adam(net.parameters(), lr=1e-3)
    for _ in range(6):
        t = torch.rand(10, 1, requires_grad=True)
        u = net(t)
        (du,) = torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)
        loss = ((du + u) ** 2).mean() + ((net(torch.zeros(1, 1)) - 1) ** 2).squeeze()
        opt.zero_grad()
        loss.backward()
        opt.step()


def ppo_with_shared_trunk():
    class AC(nn.Module):
        def __init__(self):
            super().__init__()
            self.t, self.pi, self.v = nn.Linear(3, 8), nn.Linear(8, 2), nn.Linear(8, 1)

        def forward(self, s):
            h = torch.tanh(self.t(s))
            return F.log_softmax(self.pi(h), -1), self.v(h).squeeze(-1)

    net = AC()
    opt = optim.Adam(net.parameters(), lr=3e-3)
    for _it in range(3):
        s = torch.randn(20, 3)
        with torch.no_grad():
            lp, v = net(s)
            a = (torch.rand(20) < lp[:, 1].exp()).long()
            old = lp.gather(1, a.unsqueeze(1)).squeeze(1)
            r = s[:, 0] * (2 * a - 1)
            adv = r - v
        for _epoch in range(3):
            lp, v = net(s)
            ratio = (lp.gather(1, a.unsqueeze(1)).squeeze(1) - old).exp()
            loss = (
                -torch.minimum(ratio * adv, ratio.clamp(0.8, 1.2) * adv).mean()
                + 0.5 * F.mse_loss(v, r)
                + 0.01 * (lp * lp.exp()).sum(1).mean()
            )
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            opt.step()


def early_stop_by_nan_guard_skipping_steps():
    m = nn.Linear(3, 1)
    opt = optim.SGD(m.parameters(), lr=0.1)
    for i in range(8):
        x = torch.randn(8, 3)
        loss = F.mse_loss(m(x), x[:, :1])
        if i in (2, 3):
            loss = loss * float("nan")
        opt.zero_grad()
        if not torch.isfinite(loss):
            continue
        loss.backward()
        opt.step()


def loss_scaling_by_hand():
    m = nn.Linear(3, 1)
    opt = optim.SGD(m.parameters(), lr=0.1)
    scale = 1024.0
    for _i in range(8):
        x = torch.randn(8, 3)
        opt.zero_grad()
        (F.mse_loss(m(x), x[:, :1]) * scale).backward()
        for p in m.parameters():
            p.grad.data.div_(scale)
        if all(torch.isfinite(p.grad).all() for p in m.parameters()):
            opt.step()


def learned_loss_weights_and_logged_components():
    a, b = nn.Linear(3, 1), nn.Linear(3, 1)
    s = nn.Parameter(torch.zeros(2))
    opt = optim.Adam([{"params": a.parameters()}, {"params": b.parameters()}, {"params": [s], "lr": 1e-2}], lr=1e-3)
    logs = {"a": [], "b": []}
    for _ in range(7):
        x = torch.randn(8, 3)
        la, lb = F.mse_loss(a(x), x[:, :1]), F.l1_loss(b(x), x[:, 1:2])
        loss = (torch.exp(-s) * torch.stack([la, lb]) + s).sum()
        opt.zero_grad()
        loss.backward()
        opt.step()
        logs["a"].append(la.detach())
        logs["b"].append(lb.detach().cpu().numpy())


def validation_loss_kept_for_the_best():
    m = nn.Linear(3, 1)
    opt = optim.SGD(m.parameters(), lr=0.05)
    best = torch.tensor(float("inf"))
    for _ in range(6):
        x = torch.randn(8, 3)
        opt.zero_grad()
        F.mse_loss(m(x), x[:, :1]).backward()
        opt.step()
        v = F.mse_loss(m(x), x[:, :1])
        if v < best:
            best = v


def sampled_pathways_of_a_supernet():
    rng = random.Random(0)
    blocks = nn.ModuleList(
        [nn.ModuleList([nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4), nn.Tanh()), nn.Identity()]) for _ in range(3)]
    )
    opt = optim.SGD(blocks.parameters(), lr=0.05)
    for _ in range(12):
        x = h = torch.randn(8, 4)
        for block in blocks:
            h = block[rng.choice([0, 2])](h)
        loss = F.mse_loss(h, x.roll(1, 1))
        if not loss.requires_grad:
            continue
        opt.zero_grad()
        loss.backward()
        opt.step()


def two_phases_with_one_optimizer_each_and_shared_body():
    body, h1, h2 = nn.Linear(4, 6), nn.Linear(6, 2), nn.Linear(6, 3)
    o1 = optim.Adam([*body.parameters(), *h1.parameters()])
    for _ in range(4):
        o1.zero_grad()
        F.cross_entropy(h1(torch.relu(body(torch.randn(6, 4)))), torch.randint(0, 2, (6,))).backward()
        o1.step()
    o2 = optim.Adam(h2.parameters())
    for _ in range(4):
        o2.zero_grad()
        F.cross_entropy(h2(torch.relu(body(torch.randn(6, 4)))), torch.randint(0, 3, (6,))).backward()
        o2.step()


def head_only_on_a_body_that_another_optimizer_trains():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = nn.Linear(4, 6), nn.Linear(6, 2)

        def forward(self, x):
            return self.head(torch.tanh(self.body(x)))

    m = Net()
    ob, oh = optim.SGD(m.body.parameters(), lr=0.01), optim.Adam(m.head.parameters())
    for i in range(8):
        loss = F.cross_entropy(m(torch.randn(6, 4)), torch.randint(0, 2, (6,)))
        m.zero_grad()
        loss.backward()
        oh.step()
        if i % 2:
            ob.step()


def closure_step():
    m = nn.Linear(3, 1)
    opt = optim.SGD(m.parameters(), lr=0.1)
    x = torch.randn(8, 3)

    def closure():
        opt.zero_grad()
        loss = F.mse_loss(m(x), x[:, :1])
        loss.backward()
        return loss

    for _ in range(5):
        loss = opt.step(closure)
        loss.item()


def rank_loss_all_pairs():
    m = nn.Linear(3, 1)
    opt = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(5):
        x = torch.randn(8, 3)
        s, y = m(x).view(-1), x[:, 0]
        d = s.view(-1, 1) - s.view(1, -1)
        t = (y.view(-1, 1) > y.view(1, -1)).float()
        loss = F.binary_cross_entropy_with_logits(d, t)
        opt.zero_grad()
        loss.backward()
        opt.step()


def crps_of_an_ensemble():
    m = nn.Linear(3, 8)
    opt = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(5):
        x = torch.randn(8, 3)
        y = x.sum(1)
        samples = m(x)
        loss = (samples - y[:, None]).abs().mean()
        opt.zero_grad()
        loss.backward()
        opt.step()


def kmeans_soft_assignment():
    c = torch.randn(3, requires_grad=True)
    x = torch.randn(20)
    opt = optim.SGD([c], lr=0.1)
    for _ in range(5):
        d = (x.unsqueeze(1) - c) ** 2
        loss = (d.softmax(1).detach() * d).sum()
        opt.zero_grad()
        loss.backward()
        opt.step()


def test_time_augmentation_and_dropout_off_by_train_false():
    m = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    opt = optim.Adam(m.parameters())
    for _e in range(3):
        m.train(True)
        x = torch.randn(8, 3)
        opt.zero_grad()
        F.cross_entropy(m(x), (x[:, 0] > 0).long()).backward()
        opt.step()
        m.train(False)
        with torch.inference_mode():
            p = sum(m(x + 0.01 * torch.randn(8, 3)).softmax(1) for _ in range(3)) / 3
            p.max(1)


def training_accuracy_under_no_grad_from_same_logits():
    m = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    opt = optim.Adam(m.parameters())
    for _e in range(3):
        x = torch.randn(8, 3)
        y = (x[:, 0] > 0).long()
        opt.zero_grad()
        out = m(x)
        F.cross_entropy(out, y).backward()
        opt.step()
        with torch.no_grad():
            (out.argmax(1) == y).float().mean()


def counts_of_zero_predicted_by_relu():
    m = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1), nn.ReLU())
    m[2].bias.data.fill_(1.0)
    opt = optim.SGD(m.parameters(), lr=0.05)
    for _t in range(15):
        x = torch.randn(16, 3)
        opt.zero_grad()
        F.mse_loss(m(x), torch.zeros(16, 1)).backward()
        opt.step()


def stochastic_depth():
    rng = random.Random(1)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])

        def forward(self, x):
            for layer in self.layers:
                if self.training and rng.random() < 0.5:
                    continue
                x = x + torch.tanh(layer(x)) * (1 if self.training else 0.5)
            return x

    m = Net()
    opt = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(12):
        x = torch.randn(8, 4)
        loss = F.mse_loss(m(x), x.roll(1, 1))
        if not loss.requires_grad:
            continue
        opt.zero_grad()
        loss.backward()
        opt.step()


def frozen_by_rate_zero_in_one_group():
    a, b = nn.Linear(3, 4), nn.Linear(4, 1)
    opt = optim.SGD([{"params": a.parameters(), "lr": 0.0}, {"params": b.parameters()}], lr=0.1)
    for _ in range(5):
        x = torch.randn(8, 3)
        opt.zero_grad()
        F.mse_loss(b(torch.tanh(a(x))), x[:, :1]).backward()
        opt.step()


def retain_graph_for_gradient_norm_penalty_logged():
    m = nn.Linear(3, 1)
    opt = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(5):
        x = torch.randn(8, 3)
        loss = F.mse_loss(m(x), x[:, :1])
        opt.zero_grad()
        loss.backward(retain_graph=True)
        sum(float((p.grad**2).sum()) for p in m.parameters())
        opt.zero_grad()
        loss.backward()
        opt.step()


def window_of_recent_losses_smoothed():
    m = nn.Linear(3, 1)
    opt = optim.SGD(m.parameters(), lr=0.1)
    recent = deque(maxlen=10)
    for _ in range(12):
        x = torch.randn(8, 3)
        loss = F.mse_loss(m(x), x[:, :1])
        opt.zero_grad()
        loss.backward()
        opt.step()
        recent.append(loss.data)
        sum(recent) / len(recent)


def buffer_refilled_between_steps():
    buf = np.zeros((8, 3), np.float32)
    x = torch.from_numpy(buf)
    m = nn.Linear(3, 1)
    opt = optim.SGD(m.parameters(), lr=0.1)
    rng = np.random.default_rng(0)
    for _ in range(6):
        buf[:] = rng.standard_normal((8, 3))
        opt.zero_grad()
        F.mse_loss(m(x), x[:, :1]).backward()
        opt.step()


def meta_optimizer_unrolled():
    theta = nn.Parameter(torch.tensor(0.05))
    outer = optim.Adam([theta], lr=1e-2)
    for _ in range(4):
        w = torch.randn(3, requires_grad=True)
        total = 0
        for _ in range(4):
            loss = (w**2).sum()
            total = total + loss
            (g,) = torch.autograd.grad(loss, w, create_graph=True)
            w = w - theta * g
        outer.zero_grad()
        total.backward()
        outer.step()


def evaluation_with_graph_but_item():
    m = nn.Linear(3, 1)
    opt = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(3):
        x = torch.randn(8, 3)
        opt.zero_grad()
        F.mse_loss(m(x), x[:, :1]).backward()
        opt.step()
        val = 0.0
        for _ in range(3):
            val += float(F.mse_loss(m(x), x[:, :1]))


def label_smoothing_by_hand_with_nll_and_gather():
    m = nn.Linear(3, 4)
    opt = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(4):
        x, y = torch.randn(8, 3), torch.randint(0, 4, (8,))
        lp = m(x).log_softmax(-1)
        loss = 0.9 * F.nll_loss(lp, y) - 0.1 * lp.mean(-1).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()


def distillation_kl():
    t, s = nn.Linear(3, 4).eval(), nn.Linear(3, 4)
    opt = optim.SGD(s.parameters(), lr=0.1)
    for _ in range(4):
        x = torch.randn(8, 3)
        loss = F.kl_div(F.log_softmax(s(x) / 2, 1), F.softmax(t(x).detach() / 2, 1), reduction="batchmean") * 4
        opt.zero_grad()
        loss.backward()
        opt.step()


def lint_in_each_thread():
    out = []

    def work(i):
        with torch.lint() as f:
            m = nn.Linear(3, 1)
            o = optim.SGD(m.parameters(), lr=0.1)
            for _ in range(6):
                x = torch.randn(5, 3)
                o.zero_grad()
                F.mse_loss(m(x), x[:, :1]).backward()
                o.step()
        out.extend(f)

    ts = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
    assert not out, out
