"""More programs with silent bugs, in other hands' style."""

import tinygrad_pt as torch
import tinygrad_pt.nn as nn
import tinygrad_pt.nn.functional as F
from tinygrad_pt import optim


def param_tuple():
    class M(nn.Module):
        def __init__(s):
            super().__init__()
            s.l = nn.Linear(3, 3)
            s.gains = (nn.Parameter(torch.ones(3)), nn.Parameter(torch.zeros(3)))  # <- TG101

        def forward(s, x):
            return s.l(x) * s.gains[0] + s.gains[1]

    m = M()
    o = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(3):
        x = torch.randn(4, 3)
        o.zero_grad()
        F.mse_loss(m(x), x).backward()
        o.step()


def bias_only_forgot():
    m = nn.Linear(3, 2)
    o = optim.SGD([m.weight], lr=0.1)  # <- TG103
    for _ in range(3):
        x = torch.randn(4, 3)
        o.zero_grad()
        F.mse_loss(m(x), x[:, :2]).backward()
        o.step()


def gan_missing_zero_grad_for_d():
    g, d = nn.Linear(2, 2), nn.Linear(2, 1)
    og, od = optim.Adam(g.parameters()), optim.Adam(d.parameters())
    for _ in range(3):
        fake = g(torch.randn(4, 2))
        ld = F.binary_cross_entropy_with_logits(
            d(fake.detach()), torch.zeros(4, 1)
        ) + F.binary_cross_entropy_with_logits(d(torch.randn(4, 2)), torch.ones(4, 1))
        ld.backward()
        od.step()  # <- TG301
        og.zero_grad()
        F.binary_cross_entropy_with_logits(d(fake), torch.ones(4, 1)).backward()
        og.step()


def item_loss():
    m = nn.Linear(2, 1)
    o = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(3):
        x = torch.randn(4, 2)
        loss = torch.tensor(F.mse_loss(m(x), x[:, :1]).item(), requires_grad=True)
        o.zero_grad()
        loss.backward()  # <- TG306
        o.step()


def detached_requires_grad_():
    m = nn.Linear(2, 1)
    o = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(3):
        x = torch.randn(4, 2)
        with torch.no_grad():
            out = m(x)
        loss = F.mse_loss(out, x[:, :1]).requires_grad_()
        o.zero_grad()
        loss.backward()  # <- TG306
        o.step()


def eval_without_parens():
    m = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    o = optim.Adam(m.parameters())
    for _ in range(2):
        for _ in range(3):
            x = torch.randn(6, 3)
            o.zero_grad()
            F.cross_entropy(m(x), (x[:, 0] > 0).long()).backward()
            o.step()
        m.eval  # noqa: B018
        with torch.no_grad():
            x = torch.randn(6, 3)
            _, pred = m(x).max(1)  # <- TG401


def eval_inference_mode_topk():
    m = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.5), nn.Linear(8, 4))
    o = optim.Adam(m.parameters())
    for _ in range(3):
        x = torch.randn(6, 3)
        o.zero_grad()
        F.cross_entropy(m(x), torch.zeros(6).long()).backward()
        o.step()
    with torch.inference_mode():
        p = F.softmax(m(torch.randn(5, 3)), 1)  # <- TG401
        p.topk(2, 1)


def sum_over_items_list_losses():
    m = nn.Linear(2, 1)
    o = optim.SGD(m.parameters(), lr=0.1)
    log = {"loss": []}
    for _ in range(12):
        x = torch.randn(4, 2)
        loss = F.mse_loss(m(x), x[:, :1])
        o.zero_grad()
        loss.backward()  # <- TG305
        o.step()
        log["loss"].append(loss)


def avg_loss_inplace_tensor():
    m = nn.Linear(2, 1)
    o = optim.SGD(m.parameters(), lr=0.1)
    avg = 0
    for _ in range(6):
        x = torch.randn(4, 2)
        loss = F.mse_loss(m(x), x[:, :1])
        o.zero_grad()
        loss.backward()
        o.step()
        avg = 0.9 * avg + 0.1 * loss  # <- TG304


def slope_of_sqrt_at_zero():
    x = nn.Parameter(torch.tensor([0.0, 4.0]))
    o = optim.SGD([x], lr=0.1)
    for _ in range(2):
        o.zero_grad()
        torch.sqrt(x).sum().backward()
        o.step()  # <- TG502


def const_init_normal_bias():
    class M(nn.Module):
        def __init__(s):
            super().__init__()
            s.a = nn.Parameter(torch.zeros(3, 5) + 0.1)
            s.b = nn.Parameter(torch.ones(5, 1))

        def forward(s, x):
            return torch.sigmoid(x @ s.a) @ s.b

    m = M()
    o = optim.SGD(m.parameters(), lr=0.1)  # <- TG107
    for _ in range(4):
        x = torch.randn(6, 3)
        o.zero_grad()
        F.mse_loss(m(x), x[:, :1]).backward()
        o.step()


def l1_row_col():
    m = nn.Linear(3, 1)
    o = optim.SGD(m.parameters(), lr=0.01)
    crit = nn.SmoothL1Loss()
    for _ in range(3):
        x = torch.randn(5, 3)
        o.zero_grad()
        crit(m(x).flatten(), x[:, :1]).backward()  # <- TG204
        o.step()


def logits_bce_sigmoid_views():
    m = nn.Linear(3, 4)
    o = optim.SGD(m.parameters(), lr=0.01)
    for _ in range(3):
        x = torch.randn(5, 3)
        p = torch.sigmoid(m(x)).view(-1).unsqueeze(0)
        o.zero_grad()
        F.binary_cross_entropy_with_logits(p, torch.ones(1, 20)).backward()  # <- TG202
        o.step()


def optimizer_step_missing_call():
    m = nn.Linear(3, 1)
    o = optim.SGD(m.parameters(), lr=0.01)  # <- TG303
    for _ in range(4):
        x = torch.randn(5, 3)
        o.zero_grad()
        F.mse_loss(m(x), x[:, :1]).backward()
        o.step  # noqa: B018


def model_replaced_layer_attr():
    class M(nn.Module):
        def __init__(s):
            super().__init__()
            s.f = nn.Linear(3, 4)
            s.c = nn.Linear(4, 2)

        def forward(s, x):
            return s.c(torch.relu(s.f(x)))

    m = M()
    o = optim.Adam(m.parameters())  # <- TG105
    m.c = nn.Linear(4, 3)
    for _ in range(3):
        x = torch.randn(5, 3)
        o.zero_grad()
        F.cross_entropy(m(x), torch.argmax(x, 1)).backward()
        o.step()


def log_softmax_dim0_module():
    m = nn.Sequential(nn.Linear(3, 4), nn.LogSoftmax(dim=0))
    o = optim.SGD(m.parameters(), lr=0.01)
    for _ in range(3):
        o.zero_grad()
        nn.NLLLoss()(m(torch.randn(6, 3)), torch.zeros(6).long()).backward()  # <- TG207
        o.step()


def wd_scheduler_first_by_epoch():
    class Sch:
        def __init__(s, opt):
            s.optimizer = opt
            s.e = 0

        def step(s):
            s.e += 1
            for g in s.optimizer.param_groups:
                g["lr"] = 0.1 * 0.1**s.e

    m = nn.Linear(3, 1)
    o = optim.SGD(m.parameters(), lr=0.1)
    s = Sch(o)
    for _ in range(3):
        s.step()  # <- TG601
        x = torch.randn(5, 3)
        o.zero_grad()
        F.mse_loss(m(x), x[:, :1]).backward()
        o.step()


def modules_list_of_lists():
    class M(nn.Module):
        def __init__(s):
            super().__init__()
            s.out = nn.Linear(2, 1)
            s.towers = [[nn.Linear(2, 2), nn.Linear(2, 2)], [nn.Linear(2, 2)]]  # <- TG102

        def forward(s, x):
            return sum(s.out(torch.tanh(t[-1](t[0](x)))) for t in s.towers)

    m = M()
    o = optim.Adam(m.parameters())
    for _ in range(3):
        x = torch.randn(5, 2)
        o.zero_grad()
        F.mse_loss(m(x), x[:, :1]).backward()
        o.step()


def retain_backward_twice_loop():
    m = nn.Linear(2, 1)
    o = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(3):
        x = torch.randn(5, 2)
        loss = F.mse_loss(m(x), x[:, :1])
        reg = m.weight.pow(2).sum()
        o.zero_grad()
        loss.backward(retain_graph=True)
        (loss + reg).backward()  # <- TG307
        o.step()


def softmax_index():
    m = nn.Linear(4, 5)
    o = optim.SGD(m.parameters(), lr=0.1)
    for _ in range(3):
        x = torch.randn(2, 6, 4)
        p = torch.softmax(m(x), -1)
        o.zero_grad()
        F.cross_entropy(p[:, -1], torch.tensor([0, 1])).backward()  # <- TG201
        o.step()
        o.zero_grad()
        F.cross_entropy(p.permute(0, 2, 1).contiguous()[:, :, :1].squeeze(-1).float(), torch.tensor([0, 1]))  # <- TG201
