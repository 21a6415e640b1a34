"""An actor and a critic on a bandit with contexts; generalised returns, entropy bonus."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class ActorCritic(nn.Module):
    def __init__(self, num_inputs, num_actions):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(num_inputs, 32), nn.Tanh())
        self.actor, self.critic = nn.Linear(32, num_actions), nn.Linear(32, 1)
        nn.init.orthogonal_(self.actor.weight, 0.01)
        nn.init.constant_(self.actor.bias, 0)

    def forward(self, x):
        h = self.body(x)
        return self.critic(h), self.actor(h)


np.random.seed(0)
torch.manual_seed(23)
model = ActorCritic(4, 3)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for update in range(8):
    obs = torch.as_tensor(np.random.randn(32, 4), dtype=torch.float32)
    values, logits = model(obs)
    log_probs, probs = F.log_softmax(logits, dim=-1), F.softmax(logits, dim=-1)
    actions = torch.multinomial(probs, 1)
    rewards = (actions.squeeze(1) == obs[:, :3].argmax(1)).float().numpy()
    advantage = torch.from_numpy(rewards).unsqueeze(1) - values
    entropy = -(log_probs * probs).sum(-1, keepdim=True)
    policy_loss = -(log_probs.gather(1, actions) * advantage.detach()).mean()
    loss = policy_loss + 0.5 * advantage.pow(2).mean() - 0.01 * entropy.mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    optimizer.step()
    if update % 2 == 1:
        print("update %d reward %.3f loss %.4f entropy %.4f" % (update, rewards.mean(), loss.item(), entropy.mean()))
