"""Which language a name is from: a recurrent network written out, letter by letter."""

import random
import string

import torch
import torch.nn as nn

NAMES = {
    "Portuguese": ["Silva", "Santos", "Oliveira", "Pereira", "Almeida", "Carvalho"],
    "English": ["Smith", "Walker", "Turner", "Baker", "Wright", "Hughes"],
    "Japanese": ["Tanaka", "Suzuki", "Yamamoto", "Kobayashi", "Nakamura", "Saito"],
}
categories = list(NAMES)
letters = string.ascii_letters
n_letters = len(letters)


def line_to_tensor(line):
    tensor = torch.zeros(len(line), 1, n_letters)
    for i, letter in enumerate(line):
        tensor[i][0][letters.find(letter)] = 1
    return tensor


class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super().__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size + hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)

    def forward(self, input, hidden):
        combined = torch.cat((input, hidden), 1)
        hidden = torch.tanh(self.i2h(combined))
        output = self.h2o(hidden)
        return self.softmax(output), hidden

    def init_hidden(self):
        return torch.zeros(1, self.hidden_size)


random.seed(0)
torch.manual_seed(10)
rnn = RNN(n_letters, 32, len(categories))
criterion = nn.NLLLoss()
learning_rate = 0.05
current_loss = 0.0
for it in range(1, 201):
    category = random.choice(categories)
    line = random.choice(NAMES[category])
    category_tensor = torch.tensor([categories.index(category)], dtype=torch.long)
    line_tensor = line_to_tensor(line)
    hidden = rnn.init_hidden()
    rnn.zero_grad()
    for i in range(line_tensor.size()[0]):
        output, hidden = rnn(line_tensor[i], hidden)
    loss = criterion(output, category_tensor)
    loss.backward()
    for p in rnn.parameters():
        p.data.add_(p.grad.data, alpha=-learning_rate)
    current_loss += loss.item()
    if it % 50 == 0:
        top_n, top_i = output.topk(1)
        guess = categories[top_i[0].item()]
        print("%d %.4f %s / %s" % (it, current_loss / 50, line, guess))
        current_loss = 0
