"""The linter itself: switched on and off, nested, in threads, around exceptions; and the command."""

from __future__ import annotations

import gc
import inspect
import os
import re
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tinygrad_pt as torch
import tinygrad_pt.nn.functional as F
from tests.blocks import run
from tinygrad_pt import autograd, linting, nn, optim
from tinygrad_pt.__main__ import main
from tinygrad_pt.lines import Line
from tinygrad_pt.linting import CODES, RULES, Finding, LintError, Rule, linter, losses
from tinygrad_pt.linting.command import explain, table
from tinygrad_pt.modes import Mode, current
from tinygrad_pt.utils.data import DataLoader, TensorDataset

BUG = """
import sys
import tinygrad_pt as torch
from tinygrad_pt import nn, optim


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(2, 2)]
        self.out = nn.Linear(2, 1)

    def forward(self, x):
        return self.out(self.layers[0](x))


if __name__ == "__main__":
    net = Net()
    optimizer = optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        net(torch.ones(4, 2)).mean().backward()
        optimizer.step()
    print("arguments:", *sys.argv[1:])
"""


def softmax_twice() -> Any:
    return F.cross_entropy(torch.zeros(2, 3, requires_grad=True).softmax(1), torch.tensor([0, 1]))


def places() -> dict[str, Any]:
    """Everything in all loaded files of the package, and in its classes: the linter must replace none of it."""
    found: dict[str, Any] = {}
    for name, module in sorted(sys.modules.items()):
        if name.split(".")[0] != "tinygrad_pt":
            continue
        for key, value in vars(module).items():
            found[f"{name}.{key}"] = value
            if isinstance(value, type) and value.__module__ == name:
                found |= {f"{name}.{key}.{inner}": one for inner, one in vars(value).items()}
    return {name: value for name, value in found.items() if callable(value) or isinstance(value, property)}


def same(before: dict[str, Any]) -> bool:
    now = places()
    return now.keys() == before.keys() and all(now[name] is value for name, value in before.items())


def fields() -> list[Any]:
    return [getattr(current(), name) for name in Mode.__slots__]


def test_a_linter_is_a_listener_and_replaces_nothing() -> None:
    class Own(optim.SGD):
        def step(self, closure: Any = None) -> Any:
            return super().step(closure)

    lint = torch.lint  # a name that the package fetches when it is first asked for, and then keeps
    before, mode, own = places(), fields(), dict(vars(Own))
    with lint():
        softmax_twice()
        Own([nn.Parameter(torch.ones(1))]).step()
        assert same(before) and dict(vars(Own)) == own and len(current().listeners) == 1
    assert same(before) and fields() == mode
    with pytest.raises(KeyError), torch.lint():
        raise KeyError("the user's own")
    assert same(before) and fields() == mode


def test_findings_of_a_program_that_fails_are_kept() -> None:
    findings: list[Finding] = []
    with pytest.raises(ZeroDivisionError):
        with torch.lint(on=findings.append) as same:
            softmax_twice()
            raise ZeroDivisionError
    assert [f.code for f in findings] == [f.code for f in same] == ["TG201"]


def test_one_line_is_told_once() -> None:
    with torch.lint() as findings:
        for _ in range(3):
            softmax_twice()
        line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
        F.cross_entropy(torch.zeros(1, 2, requires_grad=True).sigmoid(), torch.tensor([0]))
    assert [(f.code, f.line.number if f.line else 0) for f in findings] == [
        ("TG201", softmax_twice.__code__.co_firstlineno + 1), ("TG201", line),
    ]  # fmt: skip
    assert str(findings[1]).startswith(f"{__file__}:{line}: TG201 cross_entropy applies") and "  mend: " in str(
        findings[1]
    )


def test_linters_nest_and_each_hears_what_happens_inside_it() -> None:
    with torch.lint() as outer:
        with torch.lint() as inner:
            softmax_twice()
        F.binary_cross_entropy_with_logits(torch.zeros(2, requires_grad=True).sigmoid(), torch.ones(2))
    assert [f.code for f in inner] == ["TG201"]
    assert [f.code for f in outer] == ["TG201", "TG202"]


def test_the_outer_goes_on_when_the_inner_ends() -> None:
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with torch.lint() as outer:
        with torch.lint():
            pass
        for _ in range(2):
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
    assert [f.code for f in outer] == ["TG301"]


def test_another_thread_is_not_listened_to_and_may_lint_itself() -> None:
    found: dict[str, list[str]] = {}

    def work() -> None:
        softmax_twice()
        with torch.lint() as findings:
            softmax_twice()
        found["thread"] = [f.code for f in findings]

    with torch.lint() as findings:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert findings == []
        softmax_twice()
    assert found == {"thread": ["TG201"]} and [f.code for f in findings] == ["TG201"]


def test_a_thread_that_ends_first_does_not_switch_the_other_off() -> None:
    ready, go = threading.Event(), threading.Event()
    before = places()

    def work() -> None:
        with torch.lint():
            ready.set()
            go.wait()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with torch.lint() as findings:
        go.set()
        thread.join()
        for _ in range(2):
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
    assert [f.code for f in findings] == ["TG301"] and same(before)


def test_numbers_are_the_same_with_and_without() -> None:
    def train() -> list[float]:
        torch.manual_seed(3)
        model = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.3), nn.Linear(6, 2))
        optimizer = optim.Adam(model.parameters(), lr=0.01)
        losses = []
        for _ in range(5):
            x = torch.randn(8, 4)
            loss = F.cross_entropy(model(x), (x[:, 0] > 0).long())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    plain = train()
    with torch.lint() as findings:
        watched = train()
    assert watched == plain and findings == []


def test_iterators_are_handed_on() -> None:
    p = nn.Parameter(torch.ones(2))
    with torch.lint():
        with pytest.warns(UserWarning, match="empty generator"):
            nn.utils.clip_grad_norm_((q for q in ()), 1.0)
        p.grad = torch.full((2,), 3.0)
        nn.utils.clip_grad_value_((q for q in [p]), 1.0)
        autograd.backward(loss for loss in [p.sum(), p.sum()])
        (g,) = autograd.grad((y for y in [(p * p).sum()]), p)
    assert p.grad.tolist() == [3.0, 3.0] and g.tolist() == [2.0, 2.0]


def test_an_optimizer_with_hooks_of_an_earlier_day_is_heard() -> None:
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    steps: list[int] = []
    optimizer.register_step_post_hook(lambda *_: steps.append(1))
    with torch.lint() as findings:
        for _ in range(2):
            model(torch.ones(1, 2)).sum().backward()
            optimizer.step()
    assert [f.code for f in findings] == ["TG301"] and len(steps) == 2
    optimizer.step()
    assert len(steps) == 3


def test_raising_where_the_bug_is() -> None:
    before = places()
    with pytest.raises(LintError, match="TG201") as raised, torch.lint(on="raise"):
        softmax_twice()
        raise AssertionError("not reached")
    assert raised.value.finding.code == "TG201" and same(before)


def test_what_the_users_function_raises_is_raised() -> None:
    def refuse(finding: Finding) -> None:
        raise PermissionError(finding.code)

    with pytest.raises(PermissionError, match="TG201"), torch.lint(on=refuse):
        softmax_twice()


def test_printing(capsys: Any) -> None:
    with torch.lint(on=print):
        softmax_twice()
        assert "TG201" in capsys.readouterr().out


def test_codes_can_be_left_out_and_lines_silenced() -> None:
    with torch.lint(ignore=["TG201"]) as findings:
        softmax_twice()
    assert findings == []
    logits, y = torch.zeros(2, 3, requires_grad=True), torch.tensor([0, 1])
    with torch.lint() as findings:
        F.cross_entropy(logits.softmax(1), y)  # lint: ignore[TG201]
        F.cross_entropy(logits.softmax(1), y)  # lint: ignore
        F.cross_entropy(logits.softmax(1), y)  # lint: ignore[TG101, TG201] both
        F.cross_entropy(logits.softmax(1), y)  # lint: ignore[TG101]
    assert len(findings) == 1


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="no code 'TG000'"):
        torch.lint(ignore="TG000")
    with pytest.raises(TypeError, match="on must be"):
        torch.lint(on=3)  # type: ignore[arg-type]
    once = torch.lint()
    with once, pytest.raises(RuntimeError, match="in use"):
        once.__enter__()


def test_a_rule_that_falls_over_does_not_take_the_program_with_it() -> None:
    class Clumsy(Rule):
        code = "TG999"
        ops = ("exp",)

        def applied(self, *what: Any) -> None:
            raise KeyError("oops")

        def end(self) -> None:
            raise KeyError("again")

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with torch.lint(rules=[Clumsy, *RULES]) as findings:
            assert torch.zeros(1).exp().exp().item() == pytest.approx(2.718, abs=1e-3)
            softmax_twice()
    assert [f.code for f in findings] == ["TG201"]
    assert [str(w.message).split(":")[1] for w in caught] == [" the rule TG999 failed and is off from here on"] * 2


def test_findings_know_their_text_and_a_place_without_a_line() -> None:
    assert str(Finding("TG101", "a", "b", None)) == "<unknown>:0: TG101 a  mend: b"
    assert not Finding("TG101", "a", "b", None).silenced
    assert not Finding("TG101", "a", "b", Line("<stdin>", 1, "<module>")).silenced


def test_every_rule_says_what_it_is() -> None:
    assert list(CODES) == sorted(CODES) and len(CODES) == len(RULES)
    for rule in RULES:
        assert rule.title and rule.mend and rule.__doc__ and rule.__doc__.strip()[-1] in ".:)"
        assert explain(rule.code).startswith(f"{rule.code}: {rule.title}\n\n")


def test_two_rules_with_one_code_fail_when_they_are_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    class Again(Rule):
        """Nothing."""

        code = "TG201"

    Again.__module__ = losses.__name__
    monkeypatch.setattr(losses, "Again", Again, raising=False)
    with pytest.raises(TypeError, match="two rules have the code TG201: Squashed and Again"):
        linter.by_code(losses)


def test_every_file_with_rules_is_read() -> None:
    found = [kind for kind in subclasses(Rule) if kind.code and kind.__module__.startswith("tinygrad_pt.")]
    assert {kind.code for kind in found} == set(CODES)
    folder = Path(linting.__file__).parent
    files = {path.stem for path in folder.glob("*.py") if re.search(r'^    code = "TG', path.read_text(), re.MULTILINE)}
    assert files == {rule.__module__.rpartition(".")[2] for rule in RULES}


def subclasses(kind: type[Rule]) -> list[type[Rule]]:
    return [one for inner in kind.__subclasses__() for one in (inner, *subclasses(inner))]


def test_modules_around_the_linter_are_not_its_business() -> None:
    class Trainer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
            self.optimizer = optim.SGD(self.model[0].parameters(), lr=0.1)

        def forward(self, x: Any) -> Any:
            with torch.lint() as findings:
                for _ in range(2):
                    self.optimizer.zero_grad()
                    self.model(x).sum().backward()
                    self.optimizer.step()
            return findings

    found = Trainer()(torch.ones(1, 2))
    assert [f.code for f in found] == ["TG103"] and "of Sequential gets gradients" in found[0].sentence


def test_a_step_of_a_class_of_ones_own_is_one_step_and_a_clearing_one_clearing() -> None:
    class Own(optim.SGD):
        def step(self, closure: Any = None) -> Any:
            return super().step(closure)

        def zero_grad(self, set_to_none: bool = True) -> None:
            super().zero_grad(set_to_none)

    watching = torch.lint()
    with watching:
        optimizer = Own([nn.Parameter(torch.ones(1))])
        optimizer.step()
        optimizer.zero_grad()
    (record,) = watching.session.optimizers.values()
    assert record.steps == 1 and record.clearings == 1


def test_the_page_prints_the_table_and_does_what_it_says(tmp_path: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "lint.md"
    text = page.read_text(encoding="utf-8")
    lacking = [row for row in table().splitlines() if row not in text]
    assert not lacking, f"docs/lint.md lacks these rows, which `tinygrad_pt.linting.command.table()` prints: {lacking}"
    run("docs/lint.md", tmp_path)


def test_lint_is_a_function_of_the_package_and_named_in_it() -> None:
    assert torch.lint is linting.lint and "lint" in dir(torch)


# ------------------------------------------------------------------------------------------ the command
@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(BUG)
    return path


def test_the_command_runs_the_script_and_prints_what_it_found(script: Path, capsys: Any) -> None:
    argv, path, own = list(sys.argv), list(sys.path), sys.modules["__main__"]
    assert main(["lint", str(script), "--lr", "3"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "arguments: --lr 3"
    assert [line.split(" ")[:2] for line in said[1:]] == [[f"{script}:10:", "TG102"], [f"{script}:22:", "TG301"]]
    assert (sys.argv, sys.path, sys.modules["__main__"]) == (argv, path, own)


def test_a_script_is_compiled_by_its_own_rules(tmp_path: Path) -> None:
    path = tmp_path / "plain.py"
    path.write_text("def f(a: int): ...\nassert f.__annotations__ == {'a': int}\n")
    assert main(["lint", str(path)]) == 0


def test_the_command_leaves_codes_out(script: Path, capsys: Any) -> None:
    assert main(["lint", "--ignore", "TG102,TG301", str(script)]) == 0
    assert capsys.readouterr().out == "arguments:\n"


def test_a_script_that_fails_is_reported_as_python_would(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "broken.py"
    path.write_text("def f():\n    return 1 / 0\nf()\n")
    assert main(["lint", str(path)]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "Traceback (most recent call last):" and said[-1] == "ZeroDivisionError: division by zero"
    assert "linting" not in "".join(said)
    path.write_text("this is no Python")
    assert main(["lint", str(path)]) == 2 and "SyntaxError" in capsys.readouterr().err
    for code, result in (("", 0), ("0", 0), ("3", 2), ("'no data'", 2)):
        path.write_text(f"import sys\nsys.exit({code})\n")
        assert main(["lint", str(path)]) == result
    assert capsys.readouterr().err == "no data\n"


def test_the_command_misused(tmp_path: Path, capsys: Any) -> None:
    assert main(["lint", str(tmp_path / "none.py")]) == 2
    assert "cannot read" in capsys.readouterr().err
    for wrong in (["lint"], ["lint", "--explain", "TG000"], ["lint", "--ignore", "TG000", "x.py"]):
        with pytest.raises(SystemExit) as left:
            main(wrong)
        assert left.value.code == 2


def test_the_command_explains(capsys: Any) -> None:
    assert main(["lint", "--explain", "TG201"]) == 0
    assert capsys.readouterr().out.startswith("TG201: softmax, log_softmax or sigmoid before cross_entropy\n")


def test_the_command_from_outside(script: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_pt", "lint", str(script)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and done.stderr == "" and "TG301" in done.stdout


@pytest.fixture
def interrupts() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, as in a program on a terminal; a job in the background inherits SIG_IGN."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupted_script_is_told_what_was_found(tmp_path: Path, capsys: Any, interrupts: None) -> None:
    script = tmp_path / "long.py"
    script.write_text(
        "import signal\nimport tinygrad_pt as torch\nimport tinygrad_pt.nn.functional as F\n"
        "F.cross_entropy(torch.zeros(2, 3, requires_grad=True).softmax(1), torch.tensor([0, 1]))\n"
        "signal.raise_signal(signal.SIGINT)\n"
    )
    assert main(["lint", str(script)]) == 2
    told = capsys.readouterr()
    assert "long.py:4: TG201" in told.out and "KeyboardInterrupt" in told.err


CLOSING = {
    "object": "sys.stdout.close()",
    "descriptor": "os.close(1)",
    "replaced": "sys.stdout = io.StringIO()",
    "both": "sys.stdout.close(); sys.stderr.close()",
}


@pytest.mark.parametrize("how", CLOSING)
def test_a_script_may_close_its_output(tmp_path: Path, how: str) -> None:
    script = tmp_path / "quiet.py"
    script.write_text(
        "import io, os, sys\nimport tinygrad_pt as torch\nimport tinygrad_pt.nn.functional as F\n"
        "F.cross_entropy(torch.zeros(2, 3, requires_grad=True).softmax(1), torch.tensor([0, 1]))\n"
        f"print('its own', flush=True)\n{CLOSING[how]}\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-m", "tinygrad_pt", "lint", str(script)],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    own, found = done.stdout.splitlines()
    assert own == "its own" and found.startswith(f"{script}:4: TG201")


def test_no_cycles_are_left_behind() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Dropout(), nn.Linear(3, 2))
    optimizer = optim.Adam(model.parameters())
    loader = DataLoader(TensorDataset(torch.randn(4, 2), torch.tensor([0, 1, 0, 1])), batch_size=2)

    def watch() -> None:
        with torch.lint() as findings:
            for x, y in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(x), y).backward()
                optimizer.step()
            model.eval()
            model(x).argmax(1)
            model.train()
        assert findings == []

    watch()
    gc.collect()
    enabled = gc.isenabled()
    gc.disable()
    try:
        watch()
        assert gc.collect() == 0
    finally:
        if enabled:
            gc.enable()


def test_codes_are_given_in_one_string_or_several() -> None:
    assert torch.lint(ignore="TG201,TG301").session.ignore == {"TG201", "TG301"}
    assert torch.lint(ignore=["TG201", "TG301 TG303"]).session.ignore == {"TG201", "TG301", "TG303"}
    with pytest.raises(TypeError, match="codes are strings"):
        torch.lint(ignore=5)  # type: ignore[arg-type]


def test_leaving_what_was_not_entered_takes_nothing_out() -> None:
    before = places()
    torch.lint().__exit__(None, None, None)
    with torch.lint() as findings:
        softmax_twice()
    assert len(findings) == 1 and same(before)
