"""REINFORCE on a corridor: actions sampled from a softmax, returns normalised."""

from collections import deque
from itertools import count

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class Corridor:
    """Walk right five cells to win; each step costs."""

    def reset(self):
        self.at, self.steps = 0, 0
        return self.state()

    def state(self):
        s = torch.zeros(6)
        s[self.at] = 1.0
        return s.numpy()

    def step(self, action):
        self.at = max(0, self.at + (1 if action == 1 else -1))
        self.steps += 1
        done = self.at == 5 or self.steps == 20
        return self.state(), 1.0 if self.at == 5 else -0.1, done


class Policy(nn.Module):
    def __init__(self):
        super(Policy, self).__init__()
        self.affine1 = nn.Linear(6, 32)
        self.dropout = nn.Dropout(p=0.1)
        self.affine2 = nn.Linear(32, 2)
        self.saved_log_probs, self.rewards = [], []

    def forward(self, x):
        x = F.relu(self.dropout(self.affine1(x)))
        return F.softmax(self.affine2(x), dim=1)


torch.manual_seed(543)
env, policy = Corridor(), Policy()
optimizer = optim.Adam(policy.parameters(), lr=1e-2)
eps = torch.finfo(torch.float32).eps
lengths = deque(maxlen=10)


def select_action(state):
    state = torch.from_numpy(state).float().unsqueeze(0)
    probs = policy(state)
    action = probs.multinomial(1).item()
    policy.saved_log_probs.append(torch.log(probs[0, action]))
    return action


def finish_episode():
    R, policy_loss, returns = 0, [], deque()
    for r in policy.rewards[::-1]:
        R = r + 0.99 * R
        returns.appendleft(R)
    returns = torch.tensor(returns)
    if len(returns) > 1:
        returns = (returns - returns.mean()) / (returns.std() + eps)
    for log_prob, R in zip(policy.saved_log_probs, returns):
        policy_loss.append(-log_prob * R)
    optimizer.zero_grad()
    policy_loss = torch.stack(policy_loss).sum()
    policy_loss.backward()
    optimizer.step()
    del policy.rewards[:]
    del policy.saved_log_probs[:]
    return policy_loss.item()


for episode in range(1, 41):
    state = env.reset()
    for t in count(1):
        state, reward, done = env.step(select_action(state))
        policy.rewards.append(reward)
        if done:
            break
    lengths.append(t)
    loss = finish_episode()
    if episode % 10 == 0:
        print(f"Episode {episode}\tLast length: {t}\tAverage: {sum(lengths) / len(lengths):.2f}\tloss {loss:.4f}")
