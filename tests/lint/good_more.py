"""More programs without silent bugs, in other hands' style: agents, samplers, meta-learning, wrappers, trainers."""

import copy
import math
import random

import numpy as np

import tinygrad_pt as torch
import tinygrad_pt.nn as nn
import tinygrad_pt.nn.functional as F
from tinygrad_pt import optim
from tinygrad_pt.utils.data import DataLoader, TensorDataset


def trainer_class():
    class Trainer:
        def __init__(self, model, optimizer, criterion):
            self.model, self.optimizer, self.criterion = model, optimizer, criterion
            self.history = {"train": [], "val": []}

        def step(self, x, y):
            self.model.train()
            self.optimizer.zero_grad()
            out = self.model(x)
            loss = self.criterion(out, y)
            loss.backward()
            self.optimizer.step()
            return loss.item()

        @torch.no_grad()
        def evaluate(self, loader):
            self.model.eval()
            total, n = 0.0, 0
            for x, y in loader:
                out = self.model(x)
                total += self.criterion(out, y).item() * len(y)
                n += len(y)
            return total / n

        def fit(self, train, val, epochs):
            for _ in range(epochs):
                losses = [self.step(x, y) for x, y in train]
                self.history["train"].append(sum(losses) / len(losses))
                self.history["val"].append(self.evaluate(val))

    ds = TensorDataset(torch.randn(40, 5), torch.randint(0, 3, (40,)))
    m = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Dropout(0.1), nn.Linear(16, 3))
    t = Trainer(m, optim.Adam(m.parameters()), nn.CrossEntropyLoss())
    t.fit(DataLoader(ds, batch_size=10, shuffle=True), DataLoader(ds, batch_size=20), 3)


def uncertainty_weighting():
    body = nn.Linear(4, 8)
    a = nn.Linear(8, 1)
    b = nn.Linear(8, 2)
    logvars = nn.Parameter(torch.zeros(2))
    opt = optim.Adam(list(body.parameters()) + list(a.parameters()) + list(b.parameters()) + [logvars], lr=1e-2)
    for _ in range(15):
        x = torch.randn(10, 4)
        h = F.relu(body(x))
        l1 = F.mse_loss(a(h), x[:, :1])
        l2 = F.cross_entropy(b(h), (x[:, 1] > 0).long())
        loss = (torch.exp(-logvars) * torch.stack([l1, l2]) + logvars).sum()
        opt.zero_grad()
        loss.backward()
        opt.step()


def siamese_triplet():
    net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    opt = optim.SGD(net.parameters(), lr=0.05)
    crit = nn.TripletMarginLoss(margin=0.1)
    for _ in range(40):
        a = torch.randn(8, 6)
        p = a + 0.01 * torch.randn(8, 6)
        n = torch.randn(8, 6) + 3
        loss = crit(net(a), net(p), net(n))
        opt.zero_grad()
        loss.backward()
        opt.step()


def word2vec_negative_sampling():
    V, D = 30, 6
    center = nn.Parameter(torch.randn(V, D) * 0.1)
    context = nn.Parameter(torch.zeros(V, D))
    opt = optim.Adagrad([center, context], lr=0.5)
    for _ in range(12):
        w = torch.randint(0, V, (16,))
        c = torch.randint(0, V, (16,))
        neg = torch.randint(0, V, (16, 4))
        pos = (center[w] * context[c]).sum(1)
        ns = (context[neg] * center[w].unsqueeze(1)).sum(2)
        loss = F.binary_cross_entropy_with_logits(pos, torch.ones_like(pos)) + F.binary_cross_entropy_with_logits(
            ns, torch.zeros_like(ns)
        )
        opt.zero_grad()
        loss.backward()
        opt.step()


def maml_first_order_and_second():
    model = nn.Linear(1, 1)
    opt = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(6):
        total = 0.0
        for _task in range(3):
            k = random.random()
            x = torch.randn(5, 1)
            y = k * x
            fast = list(model.parameters())
            inner = F.mse_loss(F.linear(x, *fast), y)
            g = torch.autograd.grad(inner, fast, create_graph=True)
            fast = [p - 0.1 * gi for p, gi in zip(fast, g, strict=True)]
            xq = torch.randn(5, 1)
            total = total + F.mse_loss(F.linear(xq, *fast), k * xq)
        opt.zero_grad()
        total.backward()
        opt.step()


def reptile():
    model = nn.Sequential(nn.Linear(1, 8), nn.Tanh(), nn.Linear(8, 1))
    for _ in range(4):
        clone = copy.deepcopy(model)
        opt = optim.SGD(clone.parameters(), lr=0.05)
        for _ in range(3):
            x = torch.randn(10, 1)
            loss = F.mse_loss(clone(x), torch.sin(x))
            opt.zero_grad()
            loss.backward()
            opt.step()
        with torch.no_grad():
            for p, q in zip(model.parameters(), clone.parameters(), strict=True):
                p.add_(0.1 * (q - p))


def swa():
    model = nn.Linear(4, 2)
    opt = optim.SGD(model.parameters(), lr=0.1)
    avg = [p.detach().clone() for p in model.parameters()]
    n = 1
    for i in range(12):
        x = torch.randn(8, 4)
        opt.zero_grad()
        F.cross_entropy(model(x), (x[:, 0] > 0).long()).backward()
        opt.step()
        if i % 3 == 0:
            n += 1
            avg = [a + (p.detach() - a) / n for a, p in zip(avg, model.parameters(), strict=True)]
    with torch.no_grad():
        for a, p in zip(avg, model.parameters(), strict=True):
            p.copy_(a)


def lookahead_wrapper():
    class Lookahead:
        def __init__(self, base, k=3, alpha=0.5):
            self.base, self.k, self.alpha, self.n = base, k, alpha, 0
            self.slow = [p.detach().clone() for g in base.param_groups for p in g["params"]]

        def zero_grad(self):
            self.base.zero_grad()

        def step(self):
            self.base.step()
            self.n += 1
            if self.n % self.k == 0:
                with torch.no_grad():
                    for s, p in zip(self.slow, (p for g in self.base.param_groups for p in g["params"]), strict=True):
                        s += self.alpha * (p - s)
                        p.copy_(s)

    model = nn.Linear(3, 1)
    opt = Lookahead(optim.Adam(model.parameters(), lr=0.01))
    for _ in range(9):
        x = torch.randn(8, 3)
        opt.zero_grad()
        F.mse_loss(model(x), x[:, :1]).backward()
        opt.step()


def gradient_reversal():
    class Reverse(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            return -g

    feat, cls, dom = nn.Linear(4, 6), nn.Linear(6, 2), nn.Linear(6, 2)
    opt = optim.SGD([*feat.parameters(), *cls.parameters(), *dom.parameters()], lr=0.05)
    for _ in range(12):
        x = torch.randn(8, 4)
        d = torch.randint(0, 2, (8,))
        h = torch.tanh(feat(x))
        loss = F.cross_entropy(cls(h), (x[:, 0] > 0).long()) + F.cross_entropy(dom(Reverse.apply(h)), d)
        opt.zero_grad()
        loss.backward()
        opt.step()


def straight_through():
    net, dec = nn.Linear(5, 4), nn.Linear(4, 5)
    opt = optim.Adam([*net.parameters(), *dec.parameters()])
    for _ in range(12):
        x = torch.rand(8, 5)
        p = torch.sigmoid(net(x))
        b = (p > 0.5).float() + p - p.detach()
        opt.zero_grad()
        F.mse_loss(dec(b), x).backward()
        opt.step()


def vq_style_two_detaches():
    enc, dec = nn.Linear(6, 3), nn.Linear(3, 6)
    book = nn.Parameter(torch.randn(8, 3))
    opt = optim.Adam([*enc.parameters(), *dec.parameters(), book])
    for _ in range(12):
        x = torch.randn(10, 6)
        z = enc(x)
        with torch.no_grad():
            idx = ((z.unsqueeze(1) - book) ** 2).sum(-1).argmin(1)
        q = book[idx]
        loss = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach()) + F.mse_loss(dec(z + (q - z).detach()), x)
        opt.zero_grad()
        loss.backward()
        opt.step()


def pruning_mask_each_step():
    m = nn.Linear(8, 4)
    mask = (torch.rand(4, 8) > 0.5).float()
    opt = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(10):
        x = torch.randn(6, 8)
        opt.zero_grad()
        F.cross_entropy(m(x), torch.argmax(x[:, :4], 1)).backward()
        m.weight.grad *= mask
        opt.step()
        with torch.no_grad():
            m.weight.mul_(mask)


def rbm_cd():
    W = torch.randn(6, 4) * 0.1
    a = torch.zeros(6)
    b = torch.zeros(4)
    for _ in range(10):
        v = (torch.rand(12, 6) > 0.5).float()
        ph = torch.sigmoid(v @ W + b)
        h = torch.bernoulli(ph)
        pv = torch.sigmoid(h @ W.t() + a)
        ph2 = torch.sigmoid(pv @ W + b)
        W += 0.1 * (v.t() @ ph - pv.t() @ ph2) / 12
        a += 0.1 * (v - pv).mean(0)
        b += 0.1 * (ph - ph2).mean(0)


def perceptron_rule():
    p = nn.Linear(2, 1)
    with torch.no_grad():
        for _ in range(5):
            for x, y in [((0.0, 0.0), 0), ((0.0, 1.0), 1), ((1.0, 0.0), 1), ((1.0, 1.0), 1)]:
                x = torch.tensor(x)
                out = float(p(x).item() > 0)
                p.weight += 0.1 * (y - out) * x
                p.bias += 0.1 * (y - out)


def lr_finder():
    m = nn.Linear(4, 1)
    opt = optim.SGD(m.parameters(), lr=1e-5)
    rec = []
    for i in range(20):
        for g in opt.param_groups:
            g["lr"] = 1e-5 * 1.5**i
        x = torch.randn(8, 4)
        loss = F.mse_loss(m(x), x[:, :1])
        opt.zero_grad()
        loss.backward()
        opt.step()
        rec.append((g["lr"], loss.item()))


def newton_hessian():
    x = torch.tensor([1.0, 2.0], requires_grad=True)

    def f(x):
        return ((x - 3) ** 4).sum()

    for _ in range(4):
        (g,) = torch.autograd.grad(f(x), x)
        H = torch.autograd.functional.hessian(f, x.detach())
        step = torch.from_numpy(np.linalg.solve(H.numpy(), g.numpy()))
        with torch.no_grad():
            x -= step


def checkpoint_resume():
    def make():
        m = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
        return m, optim.Adam(m.parameters(), lr=0.01)

    m, o = make()
    for _ in range(4):
        x = torch.randn(6, 3)
        o.zero_grad()
        F.mse_loss(m(x), x[:, :1]).backward()
        o.step()
    saved = {"m": copy.deepcopy(m.state_dict()), "o": copy.deepcopy(o.state_dict())}
    m, o = make()
    m.load_state_dict(saved["m"])
    o.load_state_dict(saved["o"])
    for _ in range(12):
        x = torch.randn(6, 3)
        o.zero_grad()
        F.mse_loss(m(x), x[:, :1]).backward()
        o.step()


def mixup():
    m = nn.Linear(4, 3)
    o = optim.SGD(m.parameters(), lr=0.1, nesterov=True, momentum=0.9)
    for _ in range(8):
        x = torch.randn(10, 4)
        y = torch.randint(0, 3, (10,))
        lam = 0.3
        perm = torch.randperm(10)
        out = m(lam * x + (1 - lam) * x[perm])
        loss = lam * F.cross_entropy(out, y) + (1 - lam) * F.cross_entropy(out, y[perm])
        o.zero_grad()
        loss.backward()
        o.step()


def distill():
    T = 2.0
    teacher = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 3))
    s = nn.Linear(5, 3)
    ot = optim.Adam(teacher.parameters())
    os_ = optim.Adam(s.parameters())
    for _ in range(5):
        x = torch.randn(8, 5)
        ot.zero_grad()
        F.cross_entropy(teacher(x), torch.argmax(x[:, :3], 1)).backward()
        ot.step()
    teacher.eval()
    for _ in range(5):
        x = torch.randn(8, 5)
        with torch.no_grad():
            t = teacher(x)
        out = s(x)
        loss = F.kl_div(
            F.log_softmax(out / T, 1), F.softmax(t / T, 1), reduction="batchmean"
        ) * T * T + F.cross_entropy(out, t.argmax(1))
        os_.zero_grad()
        loss.backward()
        os_.step()


def actor_critic_two_losses():
    class AC(nn.Module):
        def __init__(s):
            super().__init__()
            s.b = nn.Linear(4, 16)
            s.pi = nn.Linear(16, 2)
            s.v = nn.Linear(16, 1)

        def forward(s, x):
            h = torch.relu(s.b(x))
            return F.softmax(s.pi(h), dim=-1), s.v(h)

    net = AC()
    opt = optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(8):
        lps, vals, rs = [], [], []
        s = torch.randn(4)
        for _ in range(6):
            p, v = net(s)
            a = torch.multinomial(p.detach(), 1).item()
            lps.append(torch.log(p[a]))
            vals.append(v.squeeze())
            rs.append(float(a == 0))
            s = torch.randn(4)
        R, rets = 0, []
        for r in rs[::-1]:
            R = r + 0.9 * R
            rets.insert(0, R)
        rets = torch.tensor(rets)
        pl, vl = [], []
        for lp, v, R in zip(lps, vals, rets, strict=True):
            adv = R - v.item()
            pl.append(-lp * adv)
            vl.append(F.smooth_l1_loss(v, R))
        loss = torch.stack(pl).sum() + torch.stack(vl).sum()
        opt.zero_grad()
        loss.backward()
        opt.step()


def ppo_epochs():
    net = nn.Linear(4, 2)
    opt = optim.Adam(net.parameters())
    for _ in range(3):
        s = torch.randn(16, 4)
        with torch.no_grad():
            old = F.log_softmax(net(s), 1)
            a = torch.multinomial(old.exp(), 1)
        adv = torch.randn(16, 1)
        for _ in range(4):
            ratio = (F.log_softmax(net(s), 1).gather(1, a) - old.gather(1, a)).exp()
            loss = -torch.minimum(ratio * adv, ratio.clamp(0.8, 1.2) * adv).mean()
            opt.zero_grad()
            loss.backward()
            opt.step()


def capsule_margin_loss():
    m = nn.Linear(6, 3)
    o = optim.Adam(m.parameters(), lr=0.05)
    for _ in range(40):
        x = torch.randn(8, 6)
        y = torch.eye(3)[torch.argmax(x[:, :3], 1)]
        v = torch.sigmoid(m(x))
        loss = (y * F.relu(0.9 - v) ** 2 + 0.5 * (1 - y) * F.relu(v - 0.1) ** 2).sum(1).mean()
        o.zero_grad()
        loss.backward()
        o.step()


def dae_sparse():
    class Noise(nn.Module):
        def __init__(s, sd):
            super().__init__()
            s.sd = sd

        def forward(s, x):
            return x + s.sd * torch.randn_like(x) if s.training else x

    m = nn.Sequential(Noise(0.1), nn.Linear(8, 12), nn.ReLU(), nn.Linear(12, 8), nn.Sigmoid())
    o = optim.Adam(m.parameters())
    for _ in range(40):
        x = torch.rand(10, 8)
        o.zero_grad()
        loss = F.binary_cross_entropy(m(x), x)
        loss.backward()
        o.step()
    m.eval()
    with torch.no_grad():
        m(torch.rand(3, 8))


def char_rnn_with_sampling():
    V = 6
    emb = nn.Parameter(torch.randn(V, 5))
    cell = nn.Linear(5 + 7, 7)
    out = nn.Linear(7, V)
    drop = nn.Dropout(0.1)
    params = [emb, *cell.parameters(), *out.parameters()]
    o = optim.Adam(params)
    text = torch.randint(0, V, (60,))

    def run(seq):
        h = torch.zeros(7)
        outs = []
        for t in seq:
            h = torch.tanh(cell(torch.cat([emb[t], h])))
            outs.append(out(drop(h)))
        return torch.stack(outs)

    for i in range(0, 40, 10):
        seq, tgt = text[i : i + 10], text[i + 1 : i + 11]
        loss = F.cross_entropy(run(seq), tgt)
        o.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        o.step()
    drop.eval()
    with torch.no_grad():
        s = [0]
        for _ in range(5):
            s.append(torch.multinomial(F.softmax(run(s)[-1], 0), 1).item())


def early_stopping_best_weights_with_val_graph():
    m = nn.Linear(3, 1)
    o = optim.SGD(m.parameters(), lr=0.05)
    best = math.inf
    xv = torch.randn(20, 3)
    yv = xv.sum(1, keepdim=True)
    for _ in range(10):
        x = torch.randn(20, 3)
        loss = F.mse_loss(m(x), x.sum(1, keepdim=True))
        o.zero_grad()
        loss.backward()
        o.step()
        v = F.mse_loss(m(xv), yv)
        if v < best:
            best = v.item()


def ensemble_list_of_models():
    models = [nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 1)) for _ in range(3)]
    opts = [optim.Adam(m.parameters(), lr=0.01) for m in models]
    for _ in range(5):
        x = torch.randn(8, 3)
        y = x[:, :1]
        for m, o in zip(models, opts, strict=True):
            loss = F.mse_loss(m(x), y)
            o.zero_grad()
            loss.backward()
            o.step()
    with torch.no_grad():
        print(torch.stack([m(x) for m in models]).mean(0)[:2])


def ensemble_class_with_plain_list_trained_separately():
    class Ens(nn.Module):
        def __init__(s, models):
            super().__init__()
            s.models = models
            s.temp = nn.Parameter(torch.ones(1))

        def forward(s, x):
            return torch.stack([m(x) for m in s.models]).mean(0) * s.temp

    models = [nn.Linear(3, 1) for _ in range(2)]
    for m in models:
        o = optim.SGD(m.parameters(), lr=0.05)
        for _ in range(5):
            x = torch.randn(8, 3)
            o.zero_grad()
            F.mse_loss(m(x), x[:, :1]).backward()
            o.step()
        m.requires_grad_(False)
    e = Ens(models)
    o = optim.SGD(e.parameters(), lr=0.05)
    for _ in range(5):
        x = torch.randn(8, 3)
        o.zero_grad()
        F.mse_loss(e(x), x[:, :1]).backward()
        o.step()


def alternating_least_squares_by_gradient():
    U = nn.Parameter(torch.randn(6, 2))
    V = nn.Parameter(torch.randn(5, 2))
    R = torch.randn(6, 5)
    ou, ov = optim.SGD([U], lr=0.05), optim.SGD([V], lr=0.05)
    for i in range(20):
        o = ou if i % 2 == 0 else ov
        loss = ((U @ V.t() - R) ** 2).mean()
        U.grad = V.grad = None
        loss.backward()
        o.step()


def single_scalar_regression_shapes():
    w = torch.tensor(0.0, requires_grad=True)
    b = torch.tensor(0.0, requires_grad=True)
    o = optim.SGD([w, b], lr=0.1)
    xs = torch.linspace(0, 1, 8)
    ys = 2 * xs
    for _ in range(3):
        for x, y in zip(xs, ys, strict=True):
            o.zero_grad()
            ((w * x + b - y) ** 2).backward()
            o.step()


def kernel_ridge_param():
    x = torch.linspace(-1, 1, 9).unsqueeze(1)
    y = torch.sin(3 * x[:, 0])
    logl = torch.zeros(1, requires_grad=True)
    alpha = torch.zeros(9, requires_grad=True)
    o = optim.Adam([logl, alpha], lr=0.1)
    for _ in range(12):
        K = torch.exp(-((x - x.t()) ** 2) / (2 * logl.exp() ** 2))
        loss = ((K @ alpha - y) ** 2).mean()
        o.zero_grad()
        loss.backward()
        o.step()


def gmm_em_then_gradient():
    mu = torch.randn(2, requires_grad=True)
    x = torch.cat([torch.randn(10) - 3, torch.randn(10) + 3])
    o = optim.SGD([mu], lr=0.1)
    for _ in range(10):
        d = -0.5 * (x.unsqueeze(1) - mu) ** 2
        loss = -torch.logsumexp(d, 1).mean()
        o.zero_grad()
        loss.backward()
        o.step()


def warm_restart_scheduler_after_batch():
    class Cyc:
        def __init__(self, opt, period):
            self.opt, self.period, self.t, self.base = opt, period, 0, opt.param_groups[0]["lr"]

        def step(self):
            self.t = (self.t + 1) % self.period
            self.opt.param_groups[0]["lr"] = self.base * 0.5 * (1 + math.cos(math.pi * self.t / self.period))

    m = nn.Linear(2, 1)
    o = optim.SGD(m.parameters(), lr=0.1)
    c = Cyc(o, 5)
    for _ in range(12):
        x = torch.randn(4, 2)
        o.zero_grad()
        F.mse_loss(m(x), x[:, :1]).backward()
        o.step()
        c.step()


def freeze_after_epoch():
    m = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    o = optim.SGD(m.parameters(), lr=0.05, momentum=0.9)
    for e in range(4):
        if e == 2:
            for p in m[0].parameters():
                p.requires_grad = False
        for _ in range(5):
            x = torch.randn(6, 3)
            o.zero_grad()
            F.mse_loss(m(x), x[:, :1]).backward()
            o.step()


def two_phase_heads():
    body, h1, h2 = nn.Linear(4, 6), nn.Linear(6, 2), nn.Linear(6, 3)

    class M(nn.Module):
        def __init__(s):
            super().__init__()
            s.body, s.h1, s.h2 = body, h1, h2

        def forward(s, x, task):
            return (s.h1 if task == 0 else s.h2)(torch.relu(s.body(x)))

    m = M()
    o = optim.Adam(m.parameters())
    for task, c in ((0, 2), (1, 3)):
        for _ in range(12):
            x = torch.randn(8, 4)
            o.zero_grad()
            F.cross_entropy(m(x, task), torch.argmax(x[:, :c], 1)).backward()
            o.step()
