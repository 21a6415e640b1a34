"""Training pictures: what they show is what was computed, and the model is as it was."""

from __future__ import annotations

import gc
import io
import subprocess
import sys
import weakref
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_pt as torch
from tinygrad_pt import nn, optim, viz
from tinygrad_pt.datasets import XOR
from tinygrad_pt.graph import Array
from tinygrad_pt.modes import current
from tinygrad_pt.viz.plots import measures, recorders
from tinygrad_pt.viz.plots.words import WORDS

matplotlib = pytest.importorskip("matplotlib")
X, Y = XOR().tensors
COST = nn.MSELoss()


def network(seed: int = 0, width: int = 4) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(2, width), nn.BatchNorm1d(width), nn.Tanh(), nn.Dropout(0.5), nn.Linear(width, 1), nn.Sigmoid()
    )


def learn(model: nn.Module, steps: int = 8) -> Iterator[float]:
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    for _ in range(steps):
        optimizer.zero_grad()
        loss = COST(model(X), Y)
        loss.backward()
        optimizer.step()
        yield loss.item()


def trained(model: nn.Module, steps: int = 8) -> viz.Trail:
    with viz.Trail(model) as trail:
        list(learn(model, steps))
    return trail


def standing(model: nn.Module) -> Any:
    """All of a model that a picture must leave alone."""
    return (
        {path: (t.array.tobytes(), id(t), t.version[0]) for path, t in model.state_dict(keep_vars=True).items()},
        {path: None if p.grad is None else p.grad.array.tobytes() for path, p in model.named_parameters()},
        [m.training for m in model.modules()],
        torch.get_rng_state().array.tobytes(),
        torch.is_grad_enabled(),
        current().listeners,
    )


# ---------------------------------------------------------------------------------------- laws
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=30))
def test_a_confusion_counts_every_pair_once(pairs: list[tuple[int, int]]) -> None:
    predictions, targets = (np.array(side) for side in zip(*pairs, strict=True))
    table = measures.confusion_of(predictions, targets, 5)
    assert table.sum() == len(pairs)
    assert table.sum(1).tolist() == np.bincount(targets, minlength=5).tolist()
    assert table.sum(0).tolist() == np.bincount(predictions, minlength=5).tolist()
    assert table.trace() == (predictions == targets).sum()
    scores = np.eye(5)[predictions]
    assert (measures.confusion_of(scores, targets, None) == table).all()


@pytest.mark.parametrize("outputs", [1, 3])
def test_a_region_has_the_models_class_at_every_pixel(outputs: int) -> None:
    torch.manual_seed(1)
    model = nn.Linear(2, outputs)
    with torch.no_grad():
        model.bias.copy_(-model(torch.tensor([0.5, 0.5])))  # all classes meet in the middle
    targets = torch.tensor([0, 1, 0, 1]) if outputs == 1 else torch.tensor([0, 1, 2, 0])
    figure = viz.decision_region(model, X, targets, resolution=17, threshold=0.0)
    image = figure.axes[0].images[0]
    left, right, bottom, top = image.get_extent()
    pixels = image.get_array()
    assert pixels.shape == (17, 17) and len(np.unique(pixels)) > 1
    for i in range(17):
        for j in range(17):
            x = left + (j + 0.5) * (right - left) / 17
            y = bottom + (i + 0.5) * (top - bottom) / 17
            answer = model(torch.tensor([[x, y]], dtype=torch.float32))[0]
            assert pixels[i, j] == (int(answer.argmax()) if outputs > 1 else int(answer.item() > 0))


def test_a_film_of_regions_shows_the_model_at_each_step() -> None:
    model = network()
    trail = trained(model)
    region = measures.region_of(model, X.array, Y.array, trail.states, 5, 0.5)
    points = torch.tensor(np.stack(np.meshgrid(region.x, region.y), -1).reshape(-1, 2), dtype=torch.float32)
    for state, plane in zip(trail.states, region.classes, strict=True):
        other = network(7)
        other.load_state_dict({path: torch.tensor(array) for path, array in state.items()})
        assert (other.eval()(points).array.reshape(5, 5) > 0.5).tolist() == plane.tolist()


@pytest.mark.parametrize("create_graph", [False, True])
def test_norms_are_those_of_the_gradients(create_graph: bool) -> None:
    model, wanted = network(), []
    with viz.GradientNorms(model) as norms:
        for _ in range(3):
            model.zero_grad()
            COST(model(X), Y).backward(create_graph=create_graph)
            wanted.append([float(nn.utils.clip_grad_norm_(model[i].parameters(), torch.inf)) for i in (0, 1, 4)])
    assert list(norms.history) == ["0", "1", "4"]
    assert np.array(list(norms.history.values())).T == pytest.approx(np.array(wanted), rel=1e-5)
    COST(model(X), Y).backward()  # it listens no more
    assert len(norms.history["0"]) == 3


def test_norms_are_those_of_this_models_backward_passes_alone() -> None:
    model, other = network(), network()
    model[4].requires_grad_(False)
    with viz.GradientNorms(model) as norms:
        COST(other(X), Y).backward()
        torch.autograd.grad(COST(model(X), Y), model[0].weight)
        assert norms.history == {}
        COST(model(X), Y).backward()
    assert list(norms.history) == ["0", "1"]
    lines = viz.gradient_norms({"first": [1.0, 0.0, 0.5], "last": [2.0, None, 0.25]}).axes[0].get_lines()
    assert np.isnan(lines[0].get_ydata()[1]) and np.isnan(lines[1].get_ydata()[1])


@pytest.mark.parametrize("directions", ["pca", "random"])
def test_the_surface_holds_the_loss_at_the_points_of_the_path(directions: str) -> None:
    """Of a path in a plane, all of it: the loss at `centre + x·u + y·v` is that of the model which stood there."""
    model = nn.Linear(2, 1, bias=False)  # two parameters: every path lies in the plane
    trail = trained(model)
    seen = measures.surface_of(model, COST, (X, Y), trail, directions, 5, 0)
    for state, loss, place in zip(trail.states, seen.along, seen.path, strict=True):
        there = COST(X @ torch.tensor(state["weight"]).T, Y).item()
        assert loss == pytest.approx(there, rel=1e-5)
        moved = state["weight"].ravel() - trail.states[-1]["weight"].ravel()
        u, v, _ = measures.axes_of(
            np.stack([s["weight"].ravel().astype(float) for s in trail.states])
            - trail.states[-1]["weight"].ravel().astype(float),
            [trail.states[-1]["weight"].astype(float)], directions, np.random.default_rng(0),
        )  # fmt: skip
        assert place[0] * u + place[1] * v == pytest.approx(moved, abs=1e-6)
    assert seen.path[-1] == pytest.approx([0, 0], abs=1e-12)
    weight = trail.states[-1]["weight"].ravel()
    for i, b in enumerate(seen.y):
        for j, a in enumerate(seen.x):
            at = torch.tensor((weight + a * u + b * v).astype("float32")).reshape(1, 2)
            assert seen.losses[i, j] == pytest.approx(COST(X @ at.T, Y).item(), rel=1e-4)
    if directions == "pca":
        assert sum(seen.shares) == pytest.approx(1) and seen.shares[0] >= seen.shares[1]
        assert u @ v == pytest.approx(0, abs=1e-12)


def test_random_directions_are_as_long_as_the_filters_and_move_no_bias() -> None:
    conv = nn.Conv2d(2, 3, 3)
    parameters = [p.array.astype(float) for p in conv.parameters()]
    direction = measures.filtered(parameters, np.random.default_rng(0))
    moved, bias = direction[:54].reshape(3, -1), direction[54:]
    assert np.linalg.norm(moved, axis=1) == pytest.approx(np.linalg.norm(parameters[0].reshape(3, -1), axis=1))
    assert not bias.any()


def test_a_trail_is_where_the_parameters_stood() -> None:
    model = network()
    stood = [recorders.state_of(model)]
    with viz.Trail(model, most=5) as trail:
        for _ in learn(model, 22):
            stood.append(recorders.state_of(model))
    assert trail.steps == [0, 8, 16, 22]
    for step, state in zip(trail.steps, trail.states, strict=True):
        assert all((state[path] == array).all() for path, array in stood[step].items())
    with viz.Trail(model) as other:
        list(learn(network(), 2))
    assert other.steps == [0]


def test_maps_are_what_the_layer_answers_and_tiles_are_the_weights() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))
    x = torch.randn(2, 1, 6, 6)
    for layer, wanted in (("0", model[0](x)), (model[1], model[:2](x)), (None, model[0](x)), ("3", model(x))):
        _, found = measures.maps_of(model, x, layer)
        assert (found == wanted.detach().array[0]).all()
    weight = model[0].weight.array
    assert (measures.tiles_of(weight) == weight[:, 0]).all()
    key = viz.weights(model[0]).axes[1]
    assert key.get_ylim() == pytest.approx((-np.abs(weight).max(), np.abs(weight).max()))


# ---------------------------------------------------------------------------------------- the model is left alone
PICTURES: dict[str, Callable[[nn.Module, viz.Trail], Any]] = {
    "region": lambda m, t: viz.decision_region(m, X, Y, resolution=5),
    "film": lambda m, t: viz.decision_region(m, X, Y, trail=t, resolution=5).frames,
    "surface": lambda m, t: viz.loss_surface(m, COST, (X, Y), resolution=3),
    "path": lambda m, t: viz.loss_surface(m, COST, (X, Y), trail=t, resolution=3),
    "maps": lambda m, t: viz.feature_maps(m, X),
    "weights": lambda m, t: viz.weights(m[0]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_the_model_is_as_it_was(name: str) -> None:
    model = network()
    trail = trained(model)
    model[1].eval()  # its own mode, unlike the others'
    loss = COST(model(X), Y)
    before = standing(model)
    PICTURES[name](model, trail)
    assert standing(model) == before
    loss.backward()  # nothing was written: the graph of before is still good


@pytest.mark.parametrize("name", ["region", "film", "surface", "path", "maps"])
def test_the_model_is_as_it_was_when_it_fails(name: str) -> None:
    class Fails(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = network()
            self.wrong = False

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.wrong:
                torch.rand(3)
                raise ZeroDivisionError
            return self.inner(x)

    model = Fails()
    trail = trained(model)
    model.wrong = True
    before = standing(model)
    with pytest.raises(ZeroDivisionError):
        PICTURES[name](model, trail)
    assert standing(model) == before


def test_no_picture_and_no_recorder_keeps_a_model() -> None:
    model = network()
    with viz.GradientNorms(model) as norms, viz.Trail(model) as trail:
        list(learn(model))
    kept = [viz.decision_region(model, X, Y, trail=trail, resolution=5), viz.feature_maps(model, X, "0"),
            viz.loss_surface(model, COST, (X, Y), trail=trail, resolution=3, animate=True)]  # fmt: skip
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None and kept and norms.history and trail.states


# ---------------------------------------------------------------------------------------- files, words, refusals
def samples() -> dict[str, Any]:
    model = network()
    with viz.GradientNorms(model) as norms, viz.Trail(model) as trail:
        losses = list(learn(model))
    rows = {"loss": losses, "val_loss": losses, "accuracy": [0.5] * 8}
    return {
        "curves": lambda **k: viz.curves({"SGD": rows, "Adam": rows}, log=["loss"], **k),
        "norms": lambda **k: viz.gradient_norms(norms, **k),
        "region": lambda **k: viz.decision_region(model, X, Y, resolution=9, **k),
        "weights": lambda **k: viz.weights(model[0], **k),
        "maps": lambda **k: viz.feature_maps(model, X, "0", **k),
        "confusion": lambda **k: viz.confusion([0, 1, 1], [0, 0, 1], **k),
        "surface": lambda **k: viz.loss_surface(model, COST, (X, Y), trail=trail, resolution=5, **k),
    }


@pytest.fixture(scope="module")
def drawn() -> dict[str, Any]:
    return samples()


@pytest.mark.long
@pytest.mark.parametrize("name", ["curves", "norms", "region", "weights", "maps", "confusion", "surface"])
def test_files_are_what_they_say_and_alike_whatever_style_is_set(name: str, drawn: Any, tmp_path: Any) -> None:
    make = drawn[name]
    files = [make().save(tmp_path / f"a.{kind}").read_bytes() for kind in ("svg", "png", "pdf")]
    settings = {"axes.facecolor": "red", "font.size": 20, "savefig.dpi": 30}
    with matplotlib.rc_context(settings):
        again = [make().save(tmp_path / f"b.{kind}").read_bytes() for kind in ("svg", "png", "pdf")]
        assert matplotlib.rcParams["font.size"] == 20
    assert files == again
    root = ET.fromstring(files[0])
    assert root.tag.endswith("svg") and b"prefers-color-scheme:dark" in files[0]
    assert b"prefers-color-scheme" not in make(theme="light").data("svg")
    assert files[1].startswith(b"\x89PNG") and files[2].startswith(b"%PDF")
    light, dark = (matplotlib.image.imread(io.BytesIO(make(theme=t).data("png")))[0, 0, 0] for t in ("light", "dark"))
    assert light == 1.0 and dark < 0.2
    axes = make().axes[0]
    assert axes.get_title()


def words_in(figure: Any) -> str:
    figure.draw_without_rendering()
    texts = [text.get_text() for text in figure.findobj(matplotlib.text.Text)]
    return "\n".join(texts)


def test_portuguese_words_and_decimal_commas(drawn: Any) -> None:
    for name, wanted in {
        "curves": "Erro acurácia época treino validação 0,50", "norms": "gradiente passo",
        "region": "decisão classe 0,5",
        "weights": "Pesos valor entrada", "maps": "Mapas valor", "confusion": "verdadeiro previsto 66,7",
        "surface": "Superfície direção início fim",
    }.items():  # fmt: skip
        text = words_in(drawn[name](lang="pt"))
        assert [word for word in wanted.split() if word not in text] == []
        assert not any(a.isdigit() and dot == "." for a, dot in zip(text, text[1:], strict=False)), name
    assert WORDS["en"].keys() == WORDS["pt"].keys()


def test_films_are_gifs_and_pages(drawn: Any, tmp_path: Any) -> None:
    from PIL import Image

    model = network()
    film = viz.decision_region(model, X, Y, trail=trained(model, 3), resolution=9, lang="pt")
    assert repr(film) == "<Film of 4 frames>"
    with Image.open(film.save(tmp_path / "new" / "film.gif")) as image:
        assert image.n_frames == 4
    page = film.save(tmp_path / "film.html").read_text(encoding="utf-8")
    assert page.count("<img ") == 4 and "http:" not in page and "https:" not in page and "tocar" in page
    assert film.save(tmp_path / "last.png").read_bytes().startswith(b"\x89PNG")
    assert film.html == page and "srcdoc" in film._repr_html_()
    with pytest.raises(ValueError, match=r"must end in \.gif, \.html"):
        film.save(tmp_path / "film.mp4")


@pytest.mark.browser
def test_a_film_plays_in_a_browser(page: Any, tmp_path: Any) -> None:
    model = network()
    film = viz.decision_region(model, X, Y, trail=trained(model, 3), resolution=9, rate=50)
    window = page(film.save(tmp_path / "film.html"))
    shown = "[...document.images].map(image => !image.hidden)"
    assert window.evaluate(shown) == [False, False, False, True]
    window.focus("input")
    window.keyboard.press("Home")
    assert window.evaluate(shown) == [True, False, False, False]
    window.click("button")
    window.locator("img:nth-child(4)").wait_for(state="visible")
    assert window.evaluate(shown) == [False, False, False, True]


@pytest.mark.parametrize(
    "array", [np.ones(()), np.arange(5), np.ones((3, 4)), np.ones((2, 1, 3, 3)), np.ones((2, 2, 3, 3)),
              np.ones((70, 3, 2, 2)), np.ones((2, 3, 4)), np.ones((2, 3, 2, 4, 4)), np.array([[np.nan, np.inf, 1.0]]),
              np.zeros((2, 2), bool)],
)  # fmt: skip
def test_weights_of_every_shape_are_shown(array: Array) -> None:
    figure = viz.weights(torch.tensor(array))
    assert figure.data("png")
    assert figure.axes[0].get_xlabel() == {70: "+6 more"}.get(array.shape[0] if array.ndim else 0, (
        "input" if array.ndim == 2 else ""))  # fmt: skip


def test_hostile_titles_are_text(drawn: Any) -> None:
    for name, make in drawn.items():
        figure = make(title="$\\frac{x$ </svg><script>\u202e")
        assert ET.fromstring(figure.data("svg")).tag.endswith("svg"), name
        assert b"<script" not in figure.data("svg")


def stale() -> viz.Trail:
    model = network()
    with viz.Trail(model) as trail:
        pass
    return trail


@pytest.mark.parametrize(
    "kind, said, call",
    [
        (ValueError, "history is empty", lambda: viz.curves({})),
        (ValueError, "history is empty", lambda: viz.curves([])),
        (TypeError, "one number per epoch", lambda: viz.curves({"loss": "abc"})),
        (ValueError, "expected some of loss", lambda: viz.curves([1.0], log=["cost"])),
        (ValueError, "theme='blue'", lambda: viz.curves([1.0], theme="blue")),
        (ValueError, "lang='fr'", lambda: viz.curves([1.0], lang="fr")),
        (ValueError, "gradients is empty", lambda: viz.gradient_norms(viz.GradientNorms(network()))),
        (TypeError, "expected a module", lambda: viz.GradientNorms(lambda x: x)),
        (ValueError, "at least 2 states", lambda: viz.Trail(network(), most=1)),
        (ValueError, "models of 2 inputs", lambda: viz.decision_region(network(), torch.ones(4, 3), Y)),
        (ValueError, "4 points, but 3 targets", lambda: viz.decision_region(network(), X, Y[:3])),
        (ValueError, "nan or inf", lambda: viz.decision_region(network(), X * torch.nan, Y)),
        (ValueError, "should answer with", lambda: viz.decision_region(lambda x: x.sum(), X, Y)),
        (ValueError, "trail is empty", lambda: viz.decision_region(network(), X, Y, trail=viz.Trail(network()))),
        (ValueError, "2 predictions, but 1 targets", lambda: viz.confusion([0, 1], [0])),
        (ValueError, "predictions is empty", lambda: viz.confusion([], [])),
        (ValueError, "class 2 is none of the 2", lambda: viz.confusion([2], [0], ["a", "b"])),
        (ValueError, "expected classes", lambda: viz.confusion([0.5], [0])),
        (ValueError, "tensor is empty", lambda: viz.weights(torch.ones(0, 2))),
        (ValueError, "none is called weight", lambda: viz.weights(network())),
        (TypeError, "real numbers", lambda: viz.weights(torch.ones(2, dtype=torch.complex64))),
        (ValueError, "does not consist of images", lambda: viz.weights(torch.ones(2, 5), shape=(2, 2))),
        (ValueError, "no layer 'x'", lambda: viz.feature_maps(network(), X, "x")),
        (TypeError, "expected a module", lambda: viz.feature_maps(lambda x: x, X)),
        (ValueError, "no path", lambda: viz.loss_surface(network(), COST, (X, Y), animate=True)),
        (ValueError, "does not move", lambda: viz.loss_surface(network(), COST, (X, Y), trail=stale())),
        (ValueError, "another model", lambda: viz.loss_surface(nn.Linear(2, 1), COST, (X, Y), trail=stale())),
        (ValueError, "directions='up'", lambda: viz.loss_surface(network(), COST, (X, Y), directions="up")),
        (ValueError, "two directions", lambda: viz.loss_surface(nn.Linear(1, 1, bias=False), COST, (X[:, :1], Y))),
        (ValueError, "expected one number", lambda: viz.loss_surface(network(), lambda a, y: a, (X, Y))),
        (ValueError, "must end in", lambda: viz.curves([1.0]).save("curves.doc")),
    ],
)
def test_what_cannot_be_drawn_is_refused(kind: type[Exception], said: str, call: Callable[[], Any]) -> None:
    with pytest.raises(kind, match=said):
        call()


def test_matplotlib_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r'pip install "tinygrad_pt\[plots\]"'):
        viz.curves([1.0])
    with pytest.raises(ImportError, match="falta o matplotlib"):
        viz.curves([1.0], lang="pt")


def test_no_import_of_ours_brings_matplotlib_and_no_picture_brings_pyplot() -> None:
    code = (
        "import sys; from tinygrad_pt import viz; assert 'matplotlib' not in sys.modules; "
        "viz.curves([2.0, 1.0]).data('png'); assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
