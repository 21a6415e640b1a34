"""A picture optimised through a frozen network: Gram matrices, content and total variation."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(25)
cnn = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU()
).eval()
for p in cnn.parameters():
    p.requires_grad_(False)


def gram_matrix(input):
    a, b, c, d = input.size()
    features = input.view(a * b, c * d)
    return torch.mm(features, features.t()).div(a * b * c * d)


class Normalization(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.mean, self.std = torch.tensor(mean).view(-1, 1, 1), torch.tensor(std).view(-1, 1, 1)

    def forward(self, img):
        return (img - self.mean) / self.std


normalise = Normalization([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
content, style = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 4, 4)
style = F.interpolate(style, size=(16, 16), mode="nearest")
features = {}


def keep(name):
    def hook(module, inputs, output):
        features[name] = output

    return hook


cnn[1].register_forward_hook(keep("shallow"))
handle = cnn[4].register_forward_hook(keep("deep"))
cnn(normalise(style))
target_style = {k: gram_matrix(v).detach() for k, v in features.items()}
cnn(normalise(content))
target_content = features["deep"].detach()
input_img = content.clone().requires_grad_(True)
optimizer = torch.optim.Adam([input_img], lr=0.02)
for step in range(6):
    with torch.no_grad():
        input_img.clamp_(0, 1)
    optimizer.zero_grad()
    cnn(normalise(input_img))
    style_score = sum(F.mse_loss(gram_matrix(features[k]), target_style[k]) for k in features)
    content_score = F.mse_loss(features["deep"], target_content)
    tv = (input_img[..., 1:] - input_img[..., :-1]).abs().mean()
    loss = 1000 * style_score + content_score + 0.01 * tv
    loss.backward()
    optimizer.step()
    if step % 2 == 1:
        print(f"Style Loss : {1e6 * style_score.item():.4f} Content Loss: {1e3 * content_score.item():.4f}")
handle.remove()
