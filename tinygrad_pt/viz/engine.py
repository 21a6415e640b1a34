"""`render` asks Graphviz, where it is installed, in a child process; its errors say what mends an absence."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from functools import cache

from tinygrad_pt.errors import refuse
from tinygrad_pt.language import said

TIMEOUT = 30.0
OUTPUT_CAP = 64 << 20
PROBE = "digraph { a [label=<<TABLE><TR><TD>a</TD></TR></TABLE>>] a -> b [label=<x>] }"
FORMATS = ("svg", "png", "pdf")
_STARTS = {"svg": b"<svg", "png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF"}
# Engines print these and still return a picture, one with something missing.
_LOSS = re.compile(r"\blost\b|\berror\b|\btrouble in\b|syntax|not well-formed|out of memory", re.IGNORECASE)
_PYGRAPHVIZ = """
import sys, pygraphviz
if sys.argv[1] == "-V":
    print("pygraphviz", pygraphviz.__version__, file=sys.stderr)
else:
    graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
    sys.stdout.buffer.write(graph.draw(format=sys.argv[1][2:], prog="dot"))
"""
REMEDY = (
    'pip install "tinygrad_pt[dot]"   (any system; or: apt-get install graphviz, brew install graphviz,'
    " winget install graphviz)"
)


class EngineError(RuntimeError):
    """No engine could make the picture; the message says why and what mends it."""


@dataclass(frozen=True)
class Engine:
    """A way to run Graphviz: its name, the command before `-Tformat`, and what it calls itself."""

    name: str
    command: tuple[str, ...]
    version: str


def engines() -> tuple[Engine, ...]:
    """The engines that work here, best first, each tried once per process on a graph of two nodes.

    Searched: the program that `TINYGRAD_PT_DOT` names, `dot` on PATH, and pygraphviz ≥ 2.
    """
    return _search(os.environ.get("TINYGRAD_PT_DOT", ""), os.environ.get("PATH", ""))


@cache
def _search(named: str, path: str) -> tuple[Engine, ...]:
    found: list[Engine] = []
    for program in (named, shutil.which("dot", path=path) or ""):
        if program and all(program != engine.command[0] for engine in found):
            found.extend(_probe("dot", (program,)))
    if importlib.util.find_spec("pygraphviz"):
        found.extend(_probe("pygraphviz", (sys.executable, "-P", "-c", _PYGRAPHVIZ)))
    return tuple(found)


@cache
def _probe(name: str, command: tuple[str, ...]) -> tuple[Engine, ...]:
    try:
        _, said = run((*command, "-V"), b"")
        version = " ".join(re.findall(r"(?:version|pygraphviz) [\w.]+", said)[:1])
        number = re.search(r"\d+", version)
        if name == "pygraphviz" and number and int(number[0]) < 2:
            return ()  # older ones bring no Graphviz of their own
        _ask(Engine(name, command, version), PROBE, "svg")
    except EngineError:
        return ()
    return (Engine(name, command, version),)


NAMES = ("auto", "builtin", "dot", "pygraphviz")


def expect_engine(engine: str) -> None:
    """Raise ValueError unless this is one of `NAMES` or the path of a program."""
    if isinstance(engine, (str, os.PathLike)) and (engine in NAMES or os.path.dirname(engine)):
        return
    raise refuse(ValueError, f"engine={engine!r}: expected one of {', '.join(NAMES)}, or the path of a program")


def _choose(engine: str) -> tuple[Engine, ...]:
    if engine == "builtin":
        return ()
    if engine == "auto":
        return engines()
    if engine in ("dot", "pygraphviz"):
        return tuple(one for one in engines() if one.name == engine)
    return _probe("dot", (engine,))


def render(source: str, format: str, engine: str = "auto") -> bytes:
    """DOT text as a picture (`"svg"`, `"png"` or `"pdf"`), by the first engine that draws all of it.

    `engine` is `"auto"`, `"dot"`, `"pygraphviz"` or the path of a program. The engine runs in a child
    process, without a shell and with a time limit: it can crash or hang without harm to this process.
    Raises EngineError where none can, and ValueError for an unknown format or engine.
    """
    if format not in FORMATS:
        raise refuse(ValueError, f"format {format!r}: expected one of {', '.join(FORMATS)}")
    expect_engine(engine)
    troubles = []
    for one in _choose(engine):
        try:
            return _ask(one, source, format)
        except EngineError as error:
            troubles.append(f"{one.name}: {error}")
    reason = "; ".join(troubles) or said(f"no Graphviz was found (engine={engine!r})")
    raise EngineError(said(f"cannot make {format.upper()}: {reason}. The mend: {REMEDY}"))


def _ask(engine: Engine, source: str, format: str) -> bytes:
    output, said = run((*engine.command, f"-T{format}"), source.encode())
    loss = next((line for line in said.splitlines() if _LOSS.search(line) and "ontconfig" not in line), None)
    if loss:
        raise EngineError(loss[:200])
    if _STARTS[format] not in output[:2000]:
        raise EngineError(f"the output is no {format.upper()}")
    return dateless(output) if format == "pdf" else output


def dateless(pdf: bytes) -> bytes:
    """A PDF without the time of its making, so that the same drawing gives the same file."""
    return re.sub(rb"/(CreationDate|ModDate) \(D:\d{14}", rb"/\1 (D:20000101000000", pdf)


def run(argv: tuple[str, ...], source: bytes) -> tuple[bytes, str]:
    """Output and complaints of a child process; EngineError if it fails, hangs or writes without end."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as complaint:
        given.write(source)
        given.seek(0)
        environment = {**os.environ, "SOURCE_DATE_EPOCH": "946684800"}
        try:
            child = subprocess.Popen(
                argv, stdin=given, stdout=subprocess.PIPE, stderr=complaint,
                env=environment, start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            raise EngineError(f"{argv[0]} does not start: {error}") from None
        late = threading.Event()
        timer = threading.Timer(TIMEOUT, _kill, (child, late))
        timer.start()
        output = b""
        try:
            assert child.stdout is not None
            with child.stdout as stream:
                output = stream.read(OUTPUT_CAP + 1)
                if len(output) > OUTPUT_CAP:
                    _kill(child)
            code = child.wait()
        except BaseException:
            _kill(child)
            child.wait()
            raise
        finally:
            timer.cancel()
        complaint.seek(0)
        said = complaint.read(65536).decode("utf-8", "replace")
    if late.is_set():
        raise EngineError(f"gave no answer in {TIMEOUT:g} s")
    if len(output) > OUTPUT_CAP:
        raise EngineError(f"wrote more than {OUTPUT_CAP >> 20} MB")
    if code:
        raise EngineError(f"ended with code {code}: {said.strip()[-200:] or 'no word'}")
    return output, said


def _kill(child: subprocess.Popen[bytes], late: threading.Event | None = None) -> None:
    if late:
        late.set()
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
