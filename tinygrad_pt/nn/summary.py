"""summary: the layers of a model in a table, with the shapes of their outputs, their parameters and their memory."""

# fmt: off
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tinygrad_pt.errors import refuse
from tinygrad_pt.language import chosen
from tinygrad_pt.listening import Listener, listen
from tinygrad_pt.modes import no_grad
from tinygrad_pt.nn.module import Module
from tinygrad_pt.random import fork_rng
from tinygrad_pt.tensor import Tensor

__all__ = ["Summary", "summary"]

WORDS = {
    "en": {
        "layer": "Layer", "shape": "Output shape", "parameters": "Parameters", "memory": "Output memory",
        "shared": "shared", "total": "Parameters", "trainable": "trainable", "frozen": "frozen", "buffers": "Buffers",
        "outputs": "Outputs of the layers", "all": "Together",
    },
    "pt": {
        "layer": "Camada", "shape": "Forma da saída", "parameters": "Parâmetros", "memory": "Memória da saída",
        "shared": "partilhada", "total": "Parâmetros", "trainable": "treináveis", "frozen": "fixos",
        "buffers": "Buffers", "outputs": "Saídas das camadas", "all": "Ao todo",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One module of a summary.

    Attributes:
        path, kind: where it stands in the model, and its class.
        shapes: of the tensors that its first call gave.
        calls: how many times it was called.
        parameters: elements of its own parameters, without those that stand above or below it.
        memory: bytes of what its calls gave, unless modules below it gave that too.
        shared: it stands in the model at a place above, too.
    """

    path: str
    kind: str
    shapes: tuple[tuple[int, ...], ...]
    calls: int
    parameters: int
    memory: int
    shared: bool


class Summary(str):
    """The table as text, which prints itself; the numbers are attributes.

    Attributes:
        lines: one for each module.
        parameters, trainable: elements of all parameters, and of those that require a gradient.
        parameter_memory, buffer_memory, output_memory: bytes.
    """

    lines: tuple[Line, ...]
    parameters: int
    trainable: int
    parameter_memory: int
    buffer_memory: int
    output_memory: int

    def __repr__(self) -> str:
        return str(self)


def summary(model: Module, input: Any = None, *, lang: str | None = None) -> Summary:
    """What a model is made of: each layer with the shape and the memory of its output, and its parameters.

    Args:
        model: any module.
        input: what it is called with: a tensor, a tuple of arguments, or a dictionary of named ones. The call is made
            in evaluation, without a graph, and changes neither modes nor random numbers. Without an input the table
            has no shapes.
        lang: "en" or "pt"; default: `viz.settings.lang`.

    A module that stands in the model twice is counted once. The memory of outputs is that of layers without layers
    inside; for training, a graph keeps about as much.

    >>> print(torch.nn.summary(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU()), torch.ones(2, 3)))
    Layer        Output shape  Parameters  Output memory
    ----------------------------------------------------
    Sequential   [2, 4]                 0
      0: Linear  [2, 4]                16           32 B
      1: ReLU    [2, 4]                 0           32 B
    ----------------------------------------------------
    Parameters: 16 (64 B), 16 trainable, 0 frozen
    Buffers: 0 B
    Outputs of the layers: 64 B
    Together: 128 B
    """
    if not isinstance(model, Module):
        text = f"summary() wants a module, not {type(model).__name__}"
        raise refuse(TypeError, text, "summary", model, mend="give the model itself: nn.summary(model, x)")
    lang = chosen(lang)
    calls = Calls()
    if input is not None:
        _call(model, input, calls)
    lines = tuple(_lines(model, calls))
    parameters, buffers = list(model.parameters()), list(model.buffers())
    found = Summary(_table(lines, parameters, buffers, lang))
    found.lines, found.output_memory = lines, sum(line.memory for line in lines)
    found.parameters = sum(p.numel() for p in parameters)
    found.trainable = sum(p.numel() for p in parameters if p.requires_grad)
    found.parameter_memory, found.buffer_memory = _bytes(parameters), _bytes(buffers)
    return found


class Calls(Listener):
    """What each module gave, call by call."""

    def __init__(self) -> None:
        self.outputs: dict[Module, list[list[Tensor]]] = {}

    def called(self, module: Module, args: tuple[Any, ...], output: Any) -> None:
        """Keep the tensors of the output."""
        self.outputs.setdefault(module, []).append(list(_tensors(output)))


def _call(model: Module, input: Any, calls: Calls) -> None:
    """Call the model in evaluation, with nothing changed afterwards."""
    training = {module: module.training for module in model.modules()}
    kept = [(b, b.detach().clone()) for b in model.buffers()]
    try:
        model.eval()
        with no_grad(), fork_rng(), listen(calls):
            if isinstance(input, Mapping):
                model(**input)
            else:
                model(*(input if isinstance(input, tuple) else (input,)))
    finally:
        for module, mode in training.items():
            module.training = mode
        with no_grad():
            for buffer, before in kept:
                if not (buffer.array == before.array).all():
                    buffer.copy_(before)


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors inside lists, tuples and dictionaries."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _tensors(inner)
    elif isinstance(value, Mapping):
        yield from _tensors(list(value.values()))


def _bytes(tensors: list[Any]) -> int:
    return sum(t.array.nbytes for t in tensors)


def _lines(model: Module, calls: Calls) -> Iterator[Line]:
    """A line for each place of a module."""
    seen: set[int] = set()
    for path, module in model.named_modules(remove_duplicate=False):
        shared = id(module) in seen
        own = [p for p in module._parameters.values() if p is not None and id(p) not in seen]
        seen |= {id(module), *map(id, own)}
        made = calls.outputs.get(module, [])
        inside = any(child is not None for child in module._modules.values())
        yield Line(
            path, module._get_name(), tuple(tuple(t.shape) for t in made[0]) if made else (), len(made),
            0 if shared else sum(p.numel() for p in own),
            0 if shared or inside else sum(_bytes(tensors) for tensors in made), shared,
        )


def _table(lines: tuple[Line, ...], parameters: list[Any], buffers: list[Any], lang: str) -> str:
    """The lines below each other, in columns, and the sums."""
    words = WORDS[lang]

    def number(n: int) -> str:
        return f"{n:,}".replace(",", "." if lang == "pt" else ",")

    def memory(n: float) -> str:
        unit = "B"
        for larger in ("KiB", "MiB", "GiB"):
            if n < 1024:
                break
            n, unit = n / 1024, larger
        text = f"{n:.0f}" if unit == "B" else f"{n:.1f}"
        return f"{text.replace('.', ',') if lang == 'pt' else text} {unit}"

    rows = [(words["layer"], words["shape"], words["parameters"], words["memory"])]
    for line in lines:
        name = f"{'  ' * (line.path.count('.') + 1)}{line.path.rpartition('.')[2]}: " if line.path else ""
        shapes = ", ".join(str(list(shape)) for shape in line.shapes[:3]) + (", …" if line.shapes[3:] else "")
        rows.append((
            f"{name}{line.kind}{' (' + words['shared'] + ')' if line.shared else ''}",
            f"{shapes}{f' × {line.calls}' if line.calls > 1 else ''}",
            "" if line.shared else number(line.parameters), memory(line.memory) if line.memory else "",
        ))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    texts = [
        f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip() for a, b, c, d in rows
    ]
    rule = "-" * (sum(widths) + 6)
    count = sum(p.numel() for p in parameters)
    learnt = sum(p.numel() for p in parameters if p.requires_grad)
    held, kept, given = _bytes(parameters), _bytes(buffers), sum(line.memory for line in lines)
    return "\n".join([
        texts[0], rule, *texts[1:], rule,
        f"{words['total']}: {number(count)} ({memory(held)}), {number(learnt)} {words['trainable']}, "
        f"{number(count - learnt)} {words['frozen']}",
        f"{words['buffers']}: {memory(kept)}",
        f"{words['outputs']}: {memory(given)}",
        f"{words['all']}: {memory(held + kept + given)}",
    ])
