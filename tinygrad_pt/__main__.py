"""The command line: `demo` trains, prints and draws; `doctor` says what can be drawn here, or which names a script uses
that are not here; `lint` finds silent bugs; `draw` draws the graph of a formula, and `explain` writes out its chain
rule.

A command's code is imported when the command is run.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tinygrad_pt import __version__
from tinygrad_pt.language import LANGUAGES, said, settings


def demo(options: argparse.Namespace) -> int:
    """The command `demo`; 1 if the folder cannot be written into."""
    from tinygrad_pt.demo import run

    try:
        run(options.out, options.seed, options.epochs)
    except BrokenPipeError:
        raise
    except OSError as error:
        text = f"cannot write into {options.out}: {error.strerror or error}"
        print(f"tinygrad_pt: {said(text)}", file=sys.stderr)
        return 1
    return 0


def doctor(options: argparse.Namespace) -> int:
    """The command `doctor`; of a script: 0 all names are here, 1 some are not, 2 it cannot be read."""
    if options.script is not None:
        from tinygrad_pt.compat.script import report

        text, status = report(options.script)
        print(text, file=sys.stderr if status == 2 else sys.stdout)
        return status
    from tinygrad_pt import viz

    print(viz.doctor())
    return 0


def lint(options: argparse.Namespace) -> int:
    """The command `lint`: 0 nothing found, 1 something found, 2 the script failed or cannot be read."""
    from tinygrad_pt.linting import command

    try:
        if options.explain is not None:
            print("\n\n".join(command.explain(code) for code in command.known(options.explain)))
            return 0
        ignore = command.known(options.ignore)
    except ValueError as error:
        options.error(str(error))
    if options.script is None:
        options.error(said("lint needs a script"))
    return command.run(options.script, options.arguments, ignore)


def draw(options: argparse.Namespace) -> int:
    """The command `draw`: 0, or 2 for what is no formula."""
    return typed(options, "draw")


def explain(options: argparse.Namespace) -> int:
    """The command `explain`: 0, or 2 for what is no formula."""
    return typed(options, "explain")


def typed(options: argparse.Namespace, command: str) -> int:
    from tinygrad_pt.viz import command as commands

    try:
        code: int = getattr(commands, command)(options)
    except (ValueError, argparse.ArgumentTypeError) as error:
        options.error(str(error))
    return code


def number(low: int, high: int) -> Callable[[str], int]:
    """A converter of an option's text into an integer from `low` to `high`."""

    def integer(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(said(f"{value} is not between {low} and {high}"))
        return value

    return integer


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser("python -m tinygrad_pt", description=said("Networks that draw their chain rule."))
    top.add_argument("--version", action="version", version=f"tinygrad_pt {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="demo | doctor | draw | explain | lint")

    show = commands.add_parser("demo", help=said("train on XOR and on handwritten digits; write graph and curves"))
    folder = Path("tinygrad_pt-demo")
    show.add_argument("--out", type=Path, default=folder, help=said("folder for the pictures (%(default)s)"))
    show.add_argument("--seed", type=number(0, 2**64 - 1), default=0, help=said("same seed, same output (0)"))
    show.add_argument("--epochs", type=number(1, 10_000), help=said("epochs per network on the digits (15, 30)"))
    show.set_defaults(run=demo)

    text = "say what can be drawn here, and what mends the rest; of a script, which names are not here"
    check = commands.add_parser("doctor", help=said(text))
    check.add_argument("script", nargs="?", type=Path, help=said("a script of PyTorch's, which is read and not run"))
    check.set_defaults(run=doctor)

    for name, text, run in (
        ("draw", said("draw the graph of a formula"), draw),
        ("explain", said("write out the chain rule of a formula"), explain),
    ):
        formula = commands.add_parser(name, help=text)
        such = 'a formula such as "sigmoid(w*x + b)", or "net = w*x + b; sigmoid(net)"'
        formula.add_argument("formula", help=said(such))
        formula.add_argument("--at", nargs="+", default=[], metavar="NAME=NUMBER", help=said("w=0.5 x=2, or x=[1,2]"))
        formula.add_argument("--wrt", nargs="+", metavar="NAME", help=said("differentiate by these (all)"))
        formula.set_defaults(run=run, error=formula.error)
        if name == "draw":
            out = "the file: .svg, .png, .pdf, .dot, or .html for a page that steps through it (%(default)s)"
            formula.add_argument("-o", "--out", type=Path, default=Path("graph.svg"), help=said(out))

    look = commands.add_parser("lint", help=said("run a script and say which silent bugs it has"))
    look.add_argument("--explain", metavar="CODE", help=said("say what a code means, and do nothing else"))
    look.add_argument("--ignore", metavar="CODES", default="", help=said("codes not to look for: TG101,TG301"))
    look.add_argument("script", nargs="?", help=said("the script; what follows are its own arguments"))
    look.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    look.set_defaults(run=lint, error=top.error)
    for command in commands.choices.values():
        text = "the language of the answer (that of the environment)"
        command.add_argument("--lang", choices=LANGUAGES, help=said(text))
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit code: 0 done, 1 failed with a message on stderr, 2 misunderstood."""
    try:
        options = parser().parse_args(argv)
    except ValueError as error:  # about the language that the environment names
        print(f"tinygrad_pt: {error}", file=sys.stderr)
        return 2
    before = settings.lang
    settings.lang = options.lang or before
    try:
        code: int = options.run(options)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has left
        return 1
    except (OSError, RuntimeError) as error:
        print(f"tinygrad_pt: {error}", file=sys.stderr)
        return 1
    finally:
        settings.lang = before
    return code


if __name__ == "__main__":
    sys.exit(main())
