"""Programs without silent bugs: training loops of all shapes, many of them near misses of a rule."""

import copy

import numpy as np

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tinygrad_pt import nn, optim
from tinygrad_pt.datasets import XOR, Digits
from tinygrad_pt.models import MLP
from tinygrad_pt.utils.data import DataLoader, TensorDataset


def the_plainest_loop():
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    for _ in range(12):
        x = torch.randn(10, 3)
        loss = F.mse_loss(model(x), x[:, :1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def digits_with_dropout_and_an_evaluation_per_epoch():
    train, test = Digits(), Digits(train=False)
    model = MLP([64, 24, 10], activation=nn.ReLU, dropout=0.2)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
    optimizer = optim.Adam(model.parameters(), lr=0.003)
    for epoch in range(2):
        model.train()
        total = 0.0
        for x, y in DataLoader(train, batch_size=64, shuffle=True):
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        model.eval()
        with torch.no_grad():
            right = int((model(test.inputs).argmax(1) == test.targets).sum())
        print(f"epoch {epoch}: {total / len(train):.3f}, {right} / {len(test)}")


def xor_as_in_the_lecture():
    inputs, targets = XOR().tensors
    network = MLP([2, 3, 1], activation=nn.Sigmoid, output=nn.Sigmoid)
    optimizer = optim.SGD(network.parameters(), lr=5.0)
    for _ in range(100):
        loss = ((network(inputs) - targets) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def gradients_of_four_batches_added_up():
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    optimizer.zero_grad()
    for i in range(16):
        x = torch.randn(4, 4)
        loss = F.cross_entropy(model(x), (x[:, 0] > 0).long()) / 4
        loss.backward()
        if (i + 1) % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()


def zeroed_after_the_step_and_in_place():
    model = nn.Linear(5, 5)
    optimizer = optim.RMSprop(model.parameters(), lr=1e-3)
    for _ in range(10):
        x = torch.randn(6, 5)
        F.smooth_l1_loss(model(x), x.roll(1, 1)).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=False)


def cleared_by_the_model():
    model = nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 1))
    optimizer = optim.Adagrad(model.parameters(), lr=0.05)
    for _ in range(10):
        x = torch.randn(8, 2)
        model.zero_grad()
        F.mse_loss(model(x).squeeze(1), x[:, 0] * x[:, 1]).backward()
        optimizer.step()


def cleared_one_by_one():
    model = nn.Linear(2, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(10):
        for p in model.parameters():
            p.grad = None
        x = torch.randn(8, 2)
        F.cross_entropy(model(x), (x[:, 0] > x[:, 1]).long()).backward()
        optimizer.step()


def gradients_zeroed_through_data():
    w = torch.randn(3, 1, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.05)
    for _ in range(10):
        x = torch.randn(9, 3)
        (x @ w - x.sum(1, keepdim=True)).pow(2).mean().backward()
        optimizer.step()
        w.grad.data.zero_()


def by_hand_under_no_grad():
    w, b = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    x = torch.linspace(0, 1, 10)
    for _ in range(20):
        loss = ((w * x + b - (2 * x + 1)) ** 2).mean()
        loss.backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
            b -= 0.1 * b.grad
            w.grad.zero_()
            b.grad.zero_()


def by_hand_through_data():
    w = torch.randn(4, requires_grad=True)
    for _ in range(10):
        x = torch.randn(10, 4)
        loss = ((x * w).sum(1) - x[:, 0]).square().mean()
        loss.backward()
        w.data -= 0.05 * w.grad.data
        w.grad = None


def by_hand_with_autograd_grad():
    model = nn.Linear(3, 1)
    params = list(model.parameters())
    for _ in range(10):
        x = torch.randn(7, 3)
        loss = F.mse_loss(model(x), x[:, 2:])
        grads = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for p, g in zip(params, grads, strict=True):
                p -= 0.1 * g


def momentum_kept_in_the_gradient():
    w = nn.Parameter(torch.ones(3))
    optimizer = optim.SGD([w], lr=0.01)
    for _ in range(10):
        (w**2).sum().backward()
        optimizer.step()
        w.grad *= 0.9  # the old gradient, faded: heavy ball in three lines


def gan_with_two_optimizers():
    generator = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 2))
    critic = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Linear(8, 1))
    g, d = optim.Adam(generator.parameters(), lr=1e-3), optim.Adam(critic.parameters(), lr=1e-3)
    bce = nn.BCEWithLogitsLoss()
    for _ in range(12):
        real, fake = torch.randn(6, 2) + 2, generator(torch.randn(6, 3))
        d.zero_grad()
        loss_d = bce(critic(real), torch.ones(6, 1)) + bce(critic(fake.detach()), torch.zeros(6, 1))
        loss_d.backward()
        d.step()
        g.zero_grad()
        loss_g = bce(critic(fake), torch.ones(6, 1))  # leaves gradients in the critic: cleared before its next use
        loss_g.backward()
        g.step()
        print(f"{(loss_d + loss_g).item():.3f}")


def wasserstein_gan_with_clipped_weights():
    generator, critic = nn.Linear(2, 2), nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 1))
    g, d = optim.RMSprop(generator.parameters(), lr=1e-3), optim.RMSprop(critic.parameters(), lr=1e-3)
    for step in range(15):
        with torch.no_grad():
            fake = generator(torch.randn(8, 2))
        loss = critic(fake).mean() - critic(torch.randn(8, 2) * 0.5).mean()
        d.zero_grad()
        loss.backward()
        d.step()
        for p in critic.parameters():
            p.data.clamp_(-0.1, 0.1)
        if step % 5 == 4:
            g.zero_grad()
            (-critic(generator(torch.randn(8, 2))).mean()).backward()
            g.step()


def least_squares_gan_with_scalar_targets():
    generator, critic = nn.Linear(2, 2), nn.Linear(2, 1)
    g, d = optim.SGD(generator.parameters(), lr=0.01), optim.SGD(critic.parameters(), lr=0.01)
    one, zero = torch.ones(1), torch.zeros(1)
    for _ in range(10):
        fake = generator(torch.randn(4, 2))
        d.zero_grad()
        (F.mse_loss(critic(torch.randn(4, 2)), one) + F.mse_loss(critic(fake.detach()), zero)).backward()
        d.step()
        g.zero_grad()
        F.mse_loss(critic(fake), one).backward()
        g.step()


def frozen_layers_given_to_the_optimizer():
    backbone, head = nn.Sequential(nn.Linear(5, 6), nn.Tanh()), nn.Linear(6, 3)
    backbone.requires_grad_(False)
    model = nn.Sequential(backbone, head)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(12):
        x = torch.randn(9, 5)
        optimizer.zero_grad()
        F.cross_entropy(model(x), torch.argmax(x[:, :3], 1)).backward()
        optimizer.step()


def features_without_gradients_and_a_trained_head():
    backbone, head = nn.Sequential(nn.Linear(5, 6), nn.ReLU()), nn.Linear(6, 2)
    optimizer = optim.Adam(head.parameters(), lr=0.01)
    backbone.eval()
    for _ in range(12):
        x = torch.randn(9, 5)
        with torch.no_grad():
            features = backbone(x)
        loss = F.cross_entropy(head(features), (x[:, 0] > 0).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def unfrozen_layer_by_layer():
    model = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2))
    model.requires_grad_(False)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for stage in (4, 2):
        model[stage].requires_grad_(True)
        for _ in range(8):
            x = torch.randn(8, 4)
            optimizer.zero_grad()
            F.cross_entropy(model(x), (x[:, 0] > 0).long()).backward()
            optimizer.step()


def a_group_added_later():
    body, head = nn.Linear(4, 6), nn.Linear(6, 2)
    optimizer = optim.SGD(head.parameters(), lr=0.1)
    for epoch in range(3):
        if epoch == 1:
            optimizer.add_param_group({"params": body.parameters(), "lr": 0.01})
        for _ in range(4):
            x = torch.randn(8, 4)
            optimizer.zero_grad()
            F.cross_entropy(head(torch.relu(body(x))), (x[:, 1] > 0).long()).backward()
            optimizer.step()


def one_optimizer_per_part():
    class AutoEncoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = nn.Linear(6, 2), nn.Linear(2, 6)

        def forward(self, x):
            return self.decoder(torch.tanh(self.encoder(x)))

    model = AutoEncoder()
    optimizers = [optim.Adam(model.encoder.parameters()), optim.SGD(model.decoder.parameters(), lr=0.05)]
    for _ in range(11):
        x = torch.rand(10, 6)
        for optimizer in optimizers:
            optimizer.zero_grad()
        F.mse_loss(model(x), x).backward()
        for optimizer in optimizers:
            optimizer.step()


def a_new_head_before_the_optimizer():
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 10))
    model[2] = nn.Linear(8, 4)
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    for _ in range(11):
        x, y = torch.randn(12, 6), torch.randint(0, 4, (12,))
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()


def a_model_and_an_optimizer_per_fold():
    for _ in range(3):
        model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        for _ in range(4):
            x = torch.randn(10, 2)
            optimizer.zero_grad()
            F.mse_loss(model(x), x[:, :1]).backward()
            optimizer.step()
        model.eval()


def a_closure_that_clears():
    class Descent(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self, closure):
            for _ in range(3):
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
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), x.sum(1, keepdim=True))
        loss.backward()
        return loss

    for _ in range(4):
        print(optimizer.step(closure).item())


def a_closure_for_an_optimizer_that_needs_none():
    model = nn.Linear(3, 1)
    optimizer = optim.Adam(model.parameters())
    for _ in range(5):
        x = torch.randn(5, 3)

        def closure(x=x):
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), x[:, :1])
            loss.backward()
            return loss

        optimizer.step(closure)


def sharpness_aware_in_two_passes():
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    for _ in range(6):
        x = torch.randn(8, 3)
        y = x[:, :1]
        optimizer.zero_grad()
        F.mse_loss(model(x), y).backward()
        with torch.no_grad():
            moves = [0.05 * p.grad / (p.grad.norm() + 1e-12) for p in model.parameters()]
            for p, move in zip(model.parameters(), moves, strict=True):
                p += move
        optimizer.zero_grad()
        F.mse_loss(model(x), y).backward()
        with torch.no_grad():
            for p, move in zip(model.parameters(), moves, strict=True):
                p -= move
        optimizer.step()


def clipped_gradients_and_a_logged_norm():
    model = nn.Linear(6, 6)
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    norms = []
    for _ in range(15):
        x = torch.randn(8, 6)
        optimizer.zero_grad()
        F.mse_loss(model(x), x).backward()
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), 0.1))
        optimizer.step()
    print(max(float(n) for n in norms))


def losses_logged_as_numbers():
    model = nn.Linear(4, 2)
    optimizer = optim.Adam(model.parameters())
    history, running = [], 0.0
    for _ in range(15):
        x = torch.randn(6, 4)
        loss = F.cross_entropy(model(x), (x[:, 0] > 0).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.detach())
        running += loss.item()
    print(running / len(history), torch.stack(history).mean())


def the_last_few_losses_of_a_window():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    total = torch.zeros(())
    for _ in range(15):
        x = torch.randn(6, 2)
        loss = F.mse_loss(model(x), x[:, :1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            total += loss
        total = 0.9 * total
    print(total)


def a_full_gradient_from_a_sum_over_batches():
    data = torch.randn(24, 3)
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    for _ in range(3):
        total = 0.0
        for x in data.split(8):
            total += F.mse_loss(model(x), x[:, :1], reduction="sum")
        optimizer.zero_grad()
        total.backward()
        optimizer.step()


def two_losses_one_after_the_other():
    body, left, right = nn.Linear(4, 5), nn.Linear(5, 1), nn.Linear(5, 3)
    params = [*body.parameters(), *left.parameters(), *right.parameters()]
    optimizer = optim.Adam(params, lr=1e-3)
    for _ in range(11):
        x = torch.randn(7, 4)
        h = torch.tanh(body(x))
        optimizer.zero_grad()
        F.mse_loss(left(h), x[:, :1]).backward(retain_graph=True)
        F.cross_entropy(right(h), torch.argmax(x[:, :3], 1)).backward()
        optimizer.step()


def backward_twice_to_show_that_gradients_add_up():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    print(x.grad)
    y.backward()
    print(x.grad)
    leaf = torch.tensor(3.0, requires_grad=True)
    leaf.backward()
    print(leaf.grad)


def rows_of_a_jacobian():
    w = nn.Parameter(torch.randn(3, 2))
    optimizer = optim.SGD([w], lr=0.01)
    x = torch.randn(2)
    for _ in range(3):
        y = torch.tanh(w @ x)
        optimizer.zero_grad()
        for i in range(3):
            seed = torch.zeros(3)
            seed[i] = 1.0
            y.backward(seed, retain_graph=True)
        optimizer.step()


def a_gradient_penalty():
    critic = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1))
    optimizer = optim.Adam(critic.parameters(), lr=1e-3)
    for _ in range(10):
        x = torch.randn(5, 2, requires_grad=True)
        score = critic(x)
        (slope,) = torch.autograd.grad(score.sum(), x, create_graph=True)
        loss = score.mean() + 10 * ((slope.norm(dim=1) - 1) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def averaged_weights_under_no_grad():
    model = nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Dropout(0.1), nn.Linear(6, 1))
    average = copy.deepcopy(model).requires_grad_(False).eval()
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    for _ in range(12):
        x = torch.randn(10, 3)
        optimizer.zero_grad()
        F.mse_loss(model(x), x[:, :1]).backward()
        optimizer.step()
        with torch.no_grad():
            for a, p in zip(average.parameters(), model.parameters(), strict=True):
                a.mul_(0.9).add_(0.1 * p)
            print(F.mse_loss(average(x), x[:, :1]).item())


def a_target_network_and_its_values():
    critic = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
    target = copy.deepcopy(critic)
    optimizer = optim.Adam(critic.parameters(), lr=1e-3)
    for step in range(12):
        state, after = torch.randn(6, 4), torch.randn(6, 4)
        action, reward = torch.randint(0, 2, (6, 1)), torch.rand(6)
        with torch.no_grad():
            wanted = reward + 0.9 * target(after).max(1)[0]
        value = critic(state).gather(1, action).squeeze(1)
        loss = F.smooth_l1_loss(value, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 4 == 3:
            target.load_state_dict(critic.state_dict())


def policy_gradient():
    policy = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2))
    optimizer = optim.Adam(policy.parameters(), lr=0.01)
    for _ in range(6):
        logps, rewards = [], []
        state = torch.randn(3)
        for _ in range(5):
            logp = F.log_softmax(policy(state), dim=-1)
            action = torch.multinomial(logp.exp().detach(), 1).item()
            logps.append(logp[action])
            rewards.append(float(action))
            state = state + 0.1 * torch.randn(3)
        returns = torch.tensor(np.cumsum(rewards[::-1])[::-1].copy(), dtype=torch.float32)
        loss = -(torch.stack(logps) * (returns - returns.mean())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def an_adversarial_example():
    model = nn.Linear(4, 2)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(10):
        x, y = torch.randn(6, 4), torch.randint(0, 2, (6,))
        x.requires_grad_(True)
        F.cross_entropy(model(x), y).backward()
        harder = (x + 0.1 * x.grad.sign()).detach()
        optimizer.zero_grad()
        F.cross_entropy(model(harder), y).backward()
        optimizer.step()


def a_picture_optimized_instead_of_weights():
    network = nn.Sequential(nn.Linear(9, 6), nn.ReLU(), nn.Linear(6, 3))
    picture = torch.zeros(1, 9, requires_grad=True)
    optimizer = optim.Adam([picture], lr=0.1)
    for _ in range(15):
        optimizer.zero_grad()
        (-network(picture)[0, 1] + 0.01 * picture.pow(2).sum()).backward()
        optimizer.step()


def dreams_of_a_network_in_training_data():
    loader = DataLoader(TensorDataset(torch.randn(30, 3), torch.randn(30, 1)), batch_size=7)
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.05, weight_decay=1e-3)
    best, patience = float("inf"), 0
    for _ in range(5):
        for x, y in loader:
            loss = nn.MSELoss()(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if loss.item() < best:
            best, patience = loss.item(), 0
            kept = copy.deepcopy(model.state_dict())
        else:
            patience += 1
    model.load_state_dict(kept)


def the_first_step_waits_for_a_gradient():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    optimizer.step()  # as some loops do, to begin their schedules
    for _ in range(5):
        x = torch.randn(6, 2)
        optimizer.zero_grad()
        F.mse_loss(model(x), x[:, :1]).backward()
        optimizer.step()


def gradients_looked_at_and_never_used():
    model = nn.Linear(4, 2)
    norms = []
    for _ in range(6):
        x = torch.randn(10, 4)
        model.zero_grad()
        F.cross_entropy(model(x), (x[:, 0] > 0).long()).backward()
        norms.append(model.weight.grad.norm().item())


def a_hidden_state_cut_between_chunks():
    cell, out = nn.Linear(2 + 4, 4), nn.Linear(4, 1)
    optimizer = optim.Adam([*cell.parameters(), *out.parameters()], lr=0.01)
    h = torch.zeros(3, 4)
    for _ in range(6):
        chunk = torch.randn(4, 3, 2)
        h = h.detach()
        loss = 0.0
        for x in chunk:
            h = torch.tanh(cell(torch.cat([x, h], 1)))
            loss = loss + F.mse_loss(out(h), x[:, :1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def gradients_assigned_by_hand():
    model = nn.Linear(3, 2)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    params = list(model.parameters())
    for _ in range(12):
        x = torch.randn(7, 3)
        grads = torch.autograd.grad(F.cross_entropy(model(x), (x[:, 0] > 0).long()), params)
        for p, g in zip(params, grads, strict=True):
            p.grad = g
        optimizer.step()


def clipped_after_each_of_two_backwards():
    model = nn.Linear(4, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        optimizer.zero_grad()
        for _ in range(2):
            x = torch.randn(6, 4)
            F.mse_loss(model(x), x[:, :1]).backward()
            nn.utils.clip_grad_value_(model.parameters(), 0.5)
        optimizer.step()


def the_accuracy_of_the_training_batch():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))
    optimizer = optim.Adam(model.parameters())
    for _ in range(6):
        x = torch.randn(8, 4)
        y = (x[:, 0] > 0).long()
        answers = model(x)
        loss = F.cross_entropy(answers, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            print((answers.argmax(1) == y).float().mean().item())


def evaluation_summed_under_no_grad():
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2))
    optimizer = optim.Adam(model.parameters())
    for _ in range(2):
        model.train()
        x = torch.randn(8, 4)
        optimizer.zero_grad()
        F.cross_entropy(model(x), (x[:, 0] > 0).long()).backward()
        optimizer.step()
        model.eval()
        total = torch.zeros(())
        with torch.no_grad():
            for _ in range(6):
                x = torch.randn(8, 4)
                total += F.cross_entropy(model(x), (x[:, 0] > 0).long())
        print(total / 6)


def a_penalty_over_all_parameters():
    model = nn.Sequential(*[nn.Linear(3, 3) for _ in range(6)])
    optimizer = optim.SGD(model.parameters(), lr=0.01)
    for _ in range(4):
        x = torch.randn(5, 3)
        penalty = 0.0
        for p in model.parameters():
            penalty = penalty + p.pow(2).sum()
        loss = F.mse_loss(model(x), x) + 1e-3 * penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    size = 0.0
    for p in model.parameters():
        size = size + p.abs().sum()
    print(size.item())


def clipped_and_stepped_by_hand():
    model = nn.Linear(3, 1)
    for _ in range(5):
        x = torch.randn(6, 3)
        F.mse_loss(model(x), x[:, :1]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        with torch.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad
                p.grad = None


def norms_of_gradients_on_the_side():
    model, probe = nn.Linear(3, 1), nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(5):
        x = torch.randn(6, 3)
        optimizer.zero_grad()
        F.mse_loss(model(x), x[:, :1]).backward()
        optimizer.step()
        probe.zero_grad()
        F.mse_loss(probe(x), x[:, :1]).backward()
        print(float(nn.utils.clip_grad_norm_(probe.parameters(), float("inf"))))


def hard_pseudo_labels_with_dropout_on():
    model = nn.Sequential(nn.Linear(3, 10), nn.ReLU(), nn.Dropout(0.2), nn.Linear(10, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(6):
        x, y, unlabelled = torch.randn(8, 3), torch.randint(0, 3, (8,)), torch.randn(8, 3)
        with torch.no_grad():
            guess = model(unlabelled).argmax(1)
        loss = F.cross_entropy(model(x), y) + 0.1 * F.cross_entropy(model(unlabelled + 0.1), guess)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def a_loss_per_example_and_a_backward_for_each():
    model = nn.Linear(3, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    for _ in range(6):
        x = torch.randn(12, 3)
        losses = [F.mse_loss(model(row), row[:1]) for row in x]
        optimizer.zero_grad()
        for loss in losses:
            loss.backward()
        optimizer.step()
