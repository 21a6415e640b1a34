"""The page of `viz.play` in a real browser: what it shows is what the engine computes, for every reader."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import tinygrad_pt as torch
from tests.viz import networks
from tests.viz.samples import NASTY, hostile, snapshots
from tinygrad_pt import viz
from tinygrad_pt.testing.strategies import programs
from tinygrad_pt.viz.card import block
from tinygrad_pt.viz.model import Snapshot
from tinygrad_pt.viz.player import Player
from tinygrad_pt.viz.player.data import number, walked
from tinygrad_pt.viz.player.stage import card_lines, short, stage
from tinygrad_pt.viz.player.words import WORDS
from tinygrad_pt.viz.style import level_name

# The numbers of the page, from its cards: a card without a value reads "?", without a gradient "·".
CARDS = """() => {
    const said = (g, kind) => [...g.querySelectorAll(`.${kind} text`)].slice(1).map((t) => t.textContent);
    const card = (g) => ["values", "grads"].map((kind) => said(g, kind).filter(Boolean).join(" "));
    return Object.fromEntries([...document.querySelectorAll("#stage .node")].map((g) => [g.id, card(g)]));
}"""
EQUATION = "() => document.querySelector('#equation').textContent.replaceAll(/\\s+/g, '')"


def played(name: str, folder: Path, **options: Any) -> tuple[Path, Snapshot]:
    """A network's page, and its snapshot with all gradients."""
    loss, names = networks.ALL[name]()
    player = viz.play(loss, folder / f"{name}.html", names, **{"lang": "en", "title": name, **options})
    return folder / f"{name}.html", walked(player.snapshot)[0]


def lines(value: Any, letter: str) -> str:
    return " ".join(card_lines(value, letter, "?" if letter == "v" else "·", "en"))


def to_the_end(window: Any) -> int:
    """Press → until the backward pass is over; the number of steps."""
    steps = int(window.get_attribute("#scrub", "max"))
    if window.evaluate("() => document.querySelector('#learning') !== null"):
        steps -= 1  # the last one updates the weights
    for _ in range(steps):
        window.keyboard.press("ArrowRight")
    return steps


# ------------------------------------------------------------------------------------------ without a browser
def test_both_languages_say_the_same_things() -> None:
    assert WORDS["en"].keys() == WORDS["pt"].keys()
    for key in WORDS["en"]:
        assert WORDS["en"][key].count("{}") == WORDS["pt"][key].count("{}"), key
    scripts = "".join(path.read_text() for path in Path(viz.player.__file__).parent.glob("*.js"))
    assert set(re.findall(r"\bW\.(\w+)", scripts)) <= WORDS["en"].keys()


def test_the_lecture_network_takes_less_than_100_kilobytes() -> None:
    assert len(viz.play(networks.lecture()[0]).html.encode()) < 100_000


@pytest.mark.parametrize("name", networks.ALL)
def test_a_page_is_one_document_under_a_strict_policy(name: str, tmp_path: Path) -> None:
    page = played(name, tmp_path)[0].read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy and policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert not re.search(r"unsafe|https?:(?!//www\.w3\.org/)|\son\w+=|\sstyle=|\ssrc=|\shref=|@import|url\(", page)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|\beval\b|Function\(|document\.write", page)


@given(snapshots())
def test_any_snapshot_makes_a_page(snapshot: Snapshot) -> None:
    page = Player(snapshot).html
    data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert data and len(json.loads(data[1])["nodes"]) == len(snapshot.vertices)
    assert page.count("<script") == 2 == page.count("</script")


def test_the_second_layout_is_that_of_the_painter() -> None:
    for name in networks.ALL:
        loss, names = networks.ALL[name]()
        assert stage(walked(viz.snapshot(loss, names))[0], "en").turned is not None


def test_what_stands_in_a_page_without_a_script_is_finished(tmp_path: Path) -> None:
    page, snapshot = played("neuron", tmp_path)
    text = page.read_text().partition("<script")[0]
    for vertex in snapshot.vertices:
        for value in (vertex.value, vertex.grad):
            assert value is None or short(value.item()) in text
    assert "∂E/∂w ← ∂E/∂p1 · ∂p1/∂w = x" in text


def test_a_graph_that_has_not_been_walked_back_is_walked_back_by_its_rules() -> None:
    a, b = networks.number(2.0), networks.number(3.0)
    c = a * b + torch.tanh(a)
    before, _ = walked(viz.snapshot(c, {"a": a, "b": b, "c": c}))
    c.backward()
    after = viz.snapshot(c, {"a": a, "b": b, "c": c})
    assert [v.grad for v in before.vertices] == [v.grad for v in after.vertices]


@pytest.mark.parametrize("option", [{"theme": "blue"}, {"mode": "all"}, {"lang": "fr"}, {"rate": 0.0}, {"height": -1}])
def test_unknown_options(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        viz.play(networks.number(1.0) * 2, **option)


def test_only_pages_are_saved(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"must end in \.html"):
        viz.play(networks.number(1.0) * 2, tmp_path / "lesson.svg")
    assert list(tmp_path.iterdir()) == []


def test_numbers_keep_all_their_digits() -> None:
    for x in (np.float32(0.1), np.float32(1e-30), np.float64(1 / 3), np.float64(-1e300)):
        assert x.dtype.type(number(x)) == x


# ------------------------------------------------------------------------------------------ what it shows
@pytest.mark.browser
@pytest.mark.parametrize("name", networks.ALL)
def test_the_last_frame_is_what_the_engine_computed(name: str, page: Any, tmp_path: Path) -> None:
    path, snapshot = played(name, tmp_path)
    window = page(path)
    first = window.evaluate(CARDS)
    for vertex in snapshot.vertices:
        leaf = not vertex.op
        assert first[vertex.id] == [lines(vertex.value, "v") if leaf else "?", "·" if vertex.differentiable else ""]
    to_the_end(window)
    last = window.evaluate(CARDS)
    for vertex in snapshot.vertices:
        grad = lines(vertex.grad, "∇") if vertex.differentiable else ""
        assert last[vertex.id] == [lines(vertex.value, "v"), grad], vertex.name
    sliders = window.evaluate("() => document.querySelectorAll('.dial').length")
    assert bool(sliders) == (name != "convolved")
    assert window.is_visible("#note") == (name == "convolved")


@pytest.mark.browser
def test_heat_maps_are_empty_until_they_are_known(page: Any, tmp_path: Path) -> None:
    path, snapshot = played("classes", tmp_path)
    window = page(path)
    levels = """() => Object.fromEntries([...document.querySelectorAll("#stage .node")].map((g) => [g.id,
        ["values", "grads"].map((kind) => [...g.querySelectorAll(`.${kind} .cell`)].flatMap((c) =>
            c.getAttribute("d").match(/M/g).map(() => c.getAttribute("class").slice(7))).sort())]))"""

    def expected(value: Any) -> list[str]:
        heat = [] if value is None else block(value, "", "", "en").heat
        return sorted(level_name(level) for row in heat for level in row)

    for known in (False, True):
        found = window.evaluate(levels)
        assert any("none" in grads for _, grads in found.values()) != known
        for vertex in snapshot.vertices:
            values, grads = found[vertex.id]
            if known or not vertex.op:
                assert values == expected(vertex.value)
            assert grads == (expected(vertex.grad) if known else ["none"] * len(grads))
        to_the_end(window)


@pytest.mark.browser
def test_values_that_meet_are_added_in_the_engines_order(page: Any, tmp_path: Path) -> None:
    window = page(played("meeting", tmp_path)[0])
    shown = []
    for _ in range(to_the_end(window) + 1):
        shown.append((window.evaluate(CARDS)["n0"][1], window.evaluate(EQUATION)))
        window.keyboard.press("ArrowLeft")
    found = [value for value, _ in reversed(shown)]
    assert [a for a, b in zip(found, [*found[1:], ""], strict=True) if a != b] == ["·", "6.0000", "12.0000", "16.0000"]
    assert "←12+4·1=16" in shown[0][1] or "←12+4·1" in "".join(text for _, text in shown)


@pytest.mark.browser
def test_each_step_says_its_equation(page: Any, tmp_path: Path) -> None:
    window = page(played("neuron", tmp_path, lang="pt")[0])
    said = []
    for _ in range(to_the_end(window) + 1):
        said.append(window.evaluate(EQUATION))
        window.keyboard.press("ArrowLeft")
    assert any("o=σ(net)=σ(−0,5)≈0,3775" in text for text in said)
    assert any("·o·(1−o)" in text and "(1−0,3775)" in text for text in said)
    assert any("Ediminui0,2926paracada1quewcresce." in text for text in said)


@pytest.mark.browser
@pytest.mark.parametrize("name", ["neuron", "scalars", "lecture"])
def test_the_gradient_beside_a_slider_is_the_finite_difference(name: str, page: Any, tmp_path: Path) -> None:
    window = page(played(name, tmp_path)[0])
    to_the_end(window)
    cost = window.inner_text("#cost")
    for dial in window.query_selector_all(".dial.param")[:4]:
        slider = dial.query_selector("input[type=range]")
        slider.focus()
        for _ in range(9):
            slider.press("ArrowUp")
        shown, checked = (dial.query_selector(q).inner_text() for q in (".grad", "output"))
        assert shown.removeprefix("∇ ") == checked.removeprefix("finite difference ") != ""
    assert window.inner_text("#cost") != cost


@pytest.mark.browser
def test_updating_the_weights_is_gradient_descent(page: Any, tmp_path: Path) -> None:
    loss, names = networks.neuron()
    window = page(played("neuron", tmp_path, rate=0.5)[0])
    window.click("#many")
    w, b = names["w"], names["b"]
    optimizer = torch.optim.SGD([w, b], lr=0.5)
    for _ in range(10):
        optimizer.step()
        optimizer.zero_grad()
        E = (torch.sigmoid(w * names["x"] + b) - names["t"]) ** 2 / 2
        E.backward()
    shown = window.evaluate(CARDS)
    assert shown["n0"] == [short(w.item()), short(w.grad.item())]
    assert short(E.item()) in window.inner_text("#cost")
    window.click("#restore")
    assert window.evaluate(CARDS)["n0"][0] == "0.5000"


@pytest.mark.browser
@pytest.mark.long
@settings(max_examples=12)
@given(program=programs(depth=6))
def test_random_programs_end_in_their_gradients(program: Any, page_of: Any) -> None:
    leaves = program.inputs()
    found = program(*leaves)
    first, *others = (y.sum() for y in (found if isinstance(found, tuple) else (found,)))
    loss = sum(others, first)
    if not loss.requires_grad:
        return
    loss.backward()
    snapshot = viz.snapshot(loss, dict(zip(program.arguments, leaves, strict=True)))
    window = page_of(viz.play(loss, names=dict(zip(program.arguments, leaves, strict=True)), lang="en").html)
    window.keyboard.press("End")
    if window.evaluate("() => document.querySelector('#learning') !== null"):
        window.keyboard.press("ArrowLeft")
    assert WORDS["en"]["differs"] not in window.text_content("#note")
    shown = window.evaluate(CARDS)
    for vertex in walked(snapshot)[0].vertices:
        if vertex.grad is not None and vertex.differentiable:
            assert shown[vertex.id][1] == lines(vertex.grad, "∇")


# ------------------------------------------------------------------------------------------ every reader
@pytest.mark.browser
@pytest.mark.parametrize("name", ["scalars", "lecture", "classes"])
def test_a_telephone_shows_it_without_scrolling_sideways(name: str, page: Any, tmp_path: Path) -> None:
    window = page(played(name, tmp_path)[0], width=360, height=740, has_touch=True, is_mobile=True)
    wide = "() => document.documentElement.scrollWidth"
    for key in ("Home", "End", "ArrowLeft", "?"):
        window.keyboard.press(key)
        assert window.evaluate(wide) <= 360
    small = """() => [...document.querySelectorAll("button, select")].filter((e) => e.offsetParent
        && Math.min(e.offsetWidth, e.offsetHeight) < 40).length"""
    assert window.evaluate(small) == 0
    before = window.inner_text("#where")
    window.tap("#first")
    window.tap("#next")
    assert window.inner_text("#where") != before


@pytest.mark.browser
def test_dark_and_light_are_the_readers_choice(page: Any, tmp_path: Path) -> None:
    path = played("neuron", tmp_path)[0]
    ground = "() => getComputedStyle(document.body).backgroundColor"
    box = "() => getComputedStyle(document.querySelector('#n0 .box')).fill"
    seen = {}
    for scheme in ("light", "dark"):
        window = page(path, color_scheme=scheme)
        seen[scheme] = window.evaluate(ground), window.evaluate(box)
        window.keyboard.press("?")
        window.select_option("#theme", "light" if scheme == "dark" else "dark")
        seen[f"not {scheme}"] = window.evaluate(ground), window.evaluate(box)
    assert seen["light"] == seen["not dark"] != seen["dark"] == seen["not light"]
    assert all(a != b for a, b in zip(seen["light"], seen["dark"], strict=True))


@pytest.mark.browser
def test_a_script_is_not_needed_to_read_it(page: Any, tmp_path: Path) -> None:
    path, snapshot = played("scalars", tmp_path)
    window = page(path, java_script_enabled=False)
    texts = window.locator("#stage text").all_text_contents()
    for vertex in snapshot.vertices:
        assert lines(vertex.value, "v") in texts
        assert vertex.grad is None or lines(vertex.grad, "∇") in texts
    assert len(window.locator("#list li").all()) == sum(bool(v.op) for v in snapshot.vertices) + sum(
        e.flows for e in snapshot.edges
    )
    assert not window.locator("#play").is_visible()


@pytest.mark.browser
def test_forced_colours_leave_every_line_and_word_visible(page: Any, tmp_path: Path) -> None:
    window = page(played("neuron", tmp_path)[0], forced_colors="active")
    colours = (
        """() => [...document.querySelectorAll("#stage .box, #stage .fwd")].map((e) => getComputedStyle(e).stroke)"""
    )
    page_colour = window.evaluate("() => getComputedStyle(document.body).backgroundColor")
    found = window.evaluate(colours)
    assert found and page_colour not in found


@pytest.mark.browser
def test_motion_is_left_out_for_those_who_ask(page: Any, tmp_path: Path) -> None:
    window = page(played("neuron", tmp_path)[0], reduced_motion="reduce")
    moving = (
        "() => [...document.querySelectorAll('#stage *')].some((e) => getComputedStyle(e).transitionDuration !== '0s')"
    )
    assert not window.evaluate(moving)


@pytest.mark.browser
def test_a_keyboard_alone_reaches_everything(page: Any, tmp_path: Path) -> None:
    window = page(played("meeting", tmp_path)[0])
    reached = set()
    for _ in range(60):
        window.keyboard.press("Tab")
        reached.add(window.evaluate("() => document.activeElement.id"))
    controls = "button:not(:disabled), select, input[type=range]"
    buttons = window.evaluate(
        "(c) => [...document.querySelectorAll(c)].filter((e) => e.offsetParent).map((e) => e.id)", controls
    )
    assert set(buttons) <= reached and "n4" in reached
    window.focus("#n4")
    for key, there in (("ArrowLeft", "n2"), ("ArrowLeft", "n0"), ("ArrowRight", "n2"), ("ArrowDown", "n3")):
        window.keyboard.press(key)
        assert window.evaluate("() => document.activeElement.id") == there
    window.keyboard.press("Enter")
    assert window.evaluate(EQUATION).startswith("d=a2=22=4")
    window.keyboard.press("Escape")
    window.focus("#n0")
    window.keyboard.press("Enter")
    assert "=3·2+3·2+4·1" in window.evaluate(EQUATION) or "=4·1+3·2+3·2" in window.evaluate(EQUATION)


@pytest.mark.browser
def test_playing_advances_and_stops_by_itself(page: Any, tmp_path: Path) -> None:
    window = page(played("neuron", tmp_path)[0])
    window.keyboard.press("?")
    window.select_option("#speed", "4")
    window.focus("body")
    window.keyboard.press("Escape")
    window.keyboard.press("Space")
    assert window.get_attribute("#play", "aria-pressed") == "true"
    assert window.get_attribute("#equation", "aria-live") == "off"
    window.wait_for_selector("#play[aria-pressed=false]", timeout=30_000)
    assert window.get_attribute("#scrub", "max") == window.evaluate("() => document.querySelector('#scrub').value")
    assert window.get_attribute("#equation", "aria-live") == "polite"


@pytest.mark.browser
def test_the_other_language_changes_every_word_and_number(page: Any, tmp_path: Path) -> None:
    window = page(played("neuron", tmp_path)[0])
    to_the_end(window)
    window.select_option("#lang", "pt")
    assert window.evaluate("() => document.documentElement.lang") == "pt-BR"
    assert window.evaluate(CARDS)["n0"][0] == "0,5000"
    text = window.inner_text("main")
    for key in ("numbers", "table", "steps", "descend", "restore", "backward"):
        assert WORDS["pt"][key] in text and WORDS["en"][key] not in text


@pytest.mark.browser
def test_paper_gets_every_step(page: Any, tmp_path: Path) -> None:
    path, snapshot = played("neuron", tmp_path)
    window = page(path)
    steps = int(window.get_attribute("#scrub", "max"))
    window.emulate_media(media="print")
    window.wait_for_selector("#list li math")
    assert len(window.query_selector_all("#list li")) == steps + 1
    assert all(item.is_visible() for item in window.query_selector_all("#list li"))
    assert not window.is_visible("#play")
    assert window.evaluate(CARDS)["n0"] == ["0.5000", short(snapshot.vertices[0].grad.item())]
    assert len(window.pdf()) > 10_000
    window.emulate_media(media="screen")
    assert window.evaluate(CARDS)["n0"] == ["0.5000", "·"]


@pytest.mark.browser
def test_a_projector_is_filled(page: Any, tmp_path: Path) -> None:
    window = page(played("scalars", tmp_path)[0], width=1280, height=720)
    window.keyboard.press("p")
    high = "() => [document.documentElement.scrollHeight, document.querySelector('#stage').offsetHeight]"
    total, stage_height = window.evaluate(high)
    assert total <= 720 and stage_height > 320
    for _ in range(40):
        window.keyboard.press("ArrowRight")
        assert window.evaluate("""() => {
            const e = document.querySelector("#equation");
            return e.scrollHeight - e.clientHeight < 2 && e.scrollWidth - e.clientWidth < 2;
        }""")
    window.keyboard.press("Escape")
    assert not window.evaluate("() => document.documentElement.classList.contains('presenting')")


@pytest.mark.browser
def test_what_is_under_way_is_in_sight(page: Any, tmp_path: Path) -> None:
    window = page(played("scalars", tmp_path)[0], width=360, height=740)
    inside = """() => {
        const frame = document.querySelector("#stage").getBoundingClientRect();
        return [...document.querySelectorAll(".ring")].every((r) => {
            const b = r.getBoundingClientRect();
            return b.right > frame.left && b.left < frame.right && b.bottom > frame.top && b.top < frame.bottom;
        });
    }"""
    for _ in range(to_the_end(window)):
        assert window.evaluate(inside)
        window.keyboard.press("ArrowLeft")


@pytest.mark.browser
def test_numbers_stay_in_their_boxes_however_large_they_grow(page: Any, tmp_path: Path) -> None:
    window = page(played("neuron", tmp_path)[0])
    for x in ("-12345.678", "-1.2345e-7", "1e12", "-99.99999"):
        window.fill(".dial.param input[type=number]", x)
        window.press(".dial.param input[type=number]", "Enter")
        window.evaluate("() => document.activeElement.blur()")
        window.keyboard.press("End")
        outside = """() => [...document.querySelectorAll("#stage .node")].filter((g) => {
            const box = g.querySelector("rect").getBoundingClientRect();
            return [...g.querySelectorAll("text")].some((t) => {
                const r = t.getBoundingClientRect();
                return r.width && (r.left < box.left - 1 || r.right > box.right + 1);
            });
        }).map((g) => g.textContent)"""
        assert window.evaluate(outside) == []


# ------------------------------------------------------------------------------------------ hostile names, notebooks
@pytest.mark.browser
def test_hostile_names_run_nothing_and_break_nothing(page: Any, tmp_path: Path) -> None:
    Player(hostile()).save(tmp_path / "hostile.html")
    window = page(tmp_path / "hostile.html")
    for _ in range(60):
        window.keyboard.press("ArrowRight")
    window.evaluate("() => document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert window.evaluate("() => window.alert.toString()").count("native code")
    assert len(window.query_selector_all("#stage .node")) == len(NASTY)
    assert window.evaluate("() => document.querySelectorAll('script').length") == 2
    assert "alert(1)" in window.inner_text("#table")


@pytest.mark.browser
def test_names_written_to_run_something_run_nothing(page: Any, tmp_path: Path) -> None:
    a, b = networks.number(2.0), networks.number(3.0)
    names = {"</script><script>window.pwn=1</script>": a, "<img src=x onerror=window.pwn=1>": b}
    loss = a * b
    title = '"><svg onload=window.pwn=1>'
    window = page(viz.play(loss, tmp_path / "names.html", names, title=title).save(tmp_path / "names.html"))
    window.keyboard.press("End")
    assert window.evaluate("() => window.pwn") is None
    assert window.inner_text("h1") == title


@pytest.mark.browser
def test_names_in_latex_are_set_as_mathematics(page: Any, tmp_path: Path) -> None:
    w, x = networks.number(2.0), networks.number(3.0, False)
    window = page(viz.play(w * x, names={r"$\omega_{12}$": w, "x": x}).save(tmp_path / "names.html"))
    assert window.inner_html("#equation msub") == "<mi>ω</mi><mn>12</mn>"


@pytest.mark.browser
def test_several_outputs_are_walked_back_together(page: Any, tmp_path: Path) -> None:
    a, b = networks.number(2.0), networks.number(3.0)
    first, second = a * b, torch.tanh(a) + b
    torch.autograd.backward([first, second])
    window = page(viz.play([first, second], names={"a": a, "b": b}, lang="en").save(tmp_path / "two.html"))
    window.keyboard.press("End")
    shown = window.evaluate(CARDS)
    assert (shown["n0"][1], shown["n1"][1]) == (short(a.grad.item()), short(b.grad.item()))
    assert window.evaluate("() => document.querySelectorAll('.dial').length") == 2
    assert window.query_selector("#learning") is None


@pytest.mark.browser
def test_two_players_in_one_notebook_do_not_meet(page: Any, tmp_path: Path) -> None:
    players = [viz.play(loss, names=names, lang="en") for loss, names in (networks.neuron(), networks.meeting())]
    body = "".join(player._repr_html_() for player in players)
    (tmp_path / "notebook.html").write_text(f"<!DOCTYPE html><meta charset=utf-8><title>n</title>{body}")
    window = page(tmp_path / "notebook.html")
    frames = window.frames[1:]
    assert len(frames) == 2
    for frame in frames:
        frame.wait_for_selector("#play:visible")
    frames[0].click("#next")
    assert [frame.inner_text("#where").split(" · ")[0] for frame in frames] == ["Step 1 of 15", "Step 0 of 11"]
    heights = window.evaluate("() => [...document.querySelectorAll('iframe')].map((f) => f.offsetHeight)")
    assert heights == [780, 780]


@pytest.mark.browser
def test_a_player_that_is_not_shown_yet_steps_too(page: Any, tmp_path: Path) -> None:
    loss, names = networks.neuron()
    hidden = f"<div style='display:none'>{viz.play(loss, names=names, lang='en')._repr_html_()}</div>"
    (tmp_path / "notebook.html").write_text(f"<!DOCTYPE html><meta charset=utf-8><title>n</title>{hidden}")
    frame = page(tmp_path / "notebook.html").frames[1]
    frame.wait_for_selector("#next", state="attached")
    frame.evaluate("document.querySelector('#next').click()")
    assert "Step 1 of" in frame.evaluate("document.querySelector('#where').textContent")
