"""How a name of PyTorch's is found that no file here has, and what is answered to one that is not here at all.

`namespace` makes the `__getattr__` of a module: it loads what is loaded late, and answers with `absent` to any other
name. PATHS are PyTorch's module paths that are no files here: `import torch.nn.modules.conv` finds `nn`. `Absent`
stands in the class of tensors for each of PyTorch's methods that is not here.
"""

from __future__ import annotations

import dis
import importlib
import importlib.machinery
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from types import FrameType, ModuleType
from typing import Any

from tinygrad_pt import leaves
from tinygrad_pt.errors import refuse

PACKAGE = __package__
IMPORT_FROM = dis.opmap["IMPORT_FROM"]
WHERE = "docs/names.md lists what is here; so does dir({})"

# The files of torch.nn.modules, whose names are those of nn, and of a file of nn that is called the same.
MODULES = (
    "activation adaptive batchnorm channelshuffle container conv distance dropout flatten fold instancenorm linear "
    "loss module normalization padding pixelshuffle pooling rnn sparse transformer upsampling utils"
).split()
PATHS: dict[str, tuple[str, ...]] = {
    **{f"nn.modules.{name}": (f"nn.{name}", "compat.layers", "nn") for name in MODULES},
    "nn.modules": ("compat.layers", "nn"),
    "nn.parallel": ("compat.parallel",), "nn.parallel.data_parallel": ("compat.parallel",),
    "nn.parallel.distributed": ("compat.parallel",),
    "accelerator": ("compat.accelerator",), "mps": ("compat.mps",), "xpu": ("compat.xpu",), "cuda": ("compat.cuda",),
    "cuda.amp": ("compat.amp",), "cuda.amp.autocast_mode": ("compat.amp",), "cuda.amp.grad_scaler": ("compat.amp",),
    "cuda.random": ("compat.cuda",), "cuda.nvtx": ("compat.profiler",),
    "amp": ("compat.amp",), "amp.autocast_mode": ("compat.amp",), "amp.grad_scaler": ("compat.amp",),
    "cpu": ("compat.cpu",), "cpu.amp": ("compat.amp",),
    "backends": ("compat.backends",),
    **{f"backends.{name}": (f"compat.backends:{name}",) for name in ("cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp",
                                                                     "opt_einsum", "quantized")},
    "jit": ("compat.jit",), "_jit_internal": ("compat.jit",), "compiler": ("compat.jit",), "_dynamo": ("compat.jit",),
    "overrides": ("compat.overrides",), "sparse": ("compat.sparse",), "types": ("compat.types",),
    "profiler": ("compat.profiler",), "autograd.profiler": ("compat.profiler",),
    "autograd.variable": ("compat.variable",), "autograd.grad_mode": ("modes",),
    "autograd.anomaly_mode": ("autograd",),
    "version": ("compat.version",), "_C": ("compat.internals",), "_tensor": ("tensor",), "functional": ("functions",),
    "storage": ("functions.storage",),
    "utils.data._utils": (), "utils.data._utils.collate": ("utils.data.collate",),
    "nn.attention": ("compat.attention",),
    "distributed": ("compat.distributed",), "nn.common_types": ("compat.types",), "nn.grad": (), "utils.backcompat": (),
}  # fmt: skip


def module_of(space: str) -> str:
    """The name of the module of a namespace: `tinygrad_pt.nn` of `nn`, `tinygrad_pt` of ``."""
    return f"{PACKAGE}.{space}" if space else PACKAGE


def namespace(space: str, late: Mapping[str, str] | None = None) -> Callable[[str], Any]:
    """The `__getattr__` of a module: `late` tells where the names are that are loaded when they are first asked for."""
    places = late or {}
    module = module_of(space)

    def __getattr__(name: str) -> Any:
        path = f"{space}.{name}" if space else name
        if name in places:
            value = leaves.fetch(places[name])
        elif path in PATHS:
            value = importlib.import_module(f"{PACKAGE}.{path}")
        elif name.startswith("__"):
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        else:
            raise absent(space, name, sys._getframe(1))
        setattr(sys.modules[module], name, value)
        return value

    return __getattr__


def absent(space: str, name: str, asking: FrameType | None = None) -> Exception:
    """The error about a name that is not here: what to use instead, and where the list of names stands.

    It is an ImportError if the frame that asks runs `from … import name`, else an AttributeError, without the
    attributes from which Python guesses another name.
    """
    path = ".".join(filter(None, ("torch", space, name)))
    where = {"list": WHERE.format(".".join(filter(None, ("torch", space))))}
    mend = leaves.fetch("compat.instead:instead")(space, name)
    kind = ImportError if asking is not None and imports(asking) else AttributeError
    error = refuse(kind, f"{path} is not in this package", None, facts=where, mend=mend)
    if isinstance(error, AttributeError):
        error.name = error.obj = None
    return error


def imports(frame: FrameType) -> bool:
    """Whether the frame is inside a statement `from … import …`."""
    return frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] == IMPORT_FROM


@cache
def recorded() -> dict[str, tuple[str, ...]]:
    """PyTorch's public names by namespace, as `pytorch.txt` lists them."""
    with open(os.path.join(os.path.dirname(__file__), "pytorch.txt"), encoding="ascii") as file:
        text = file.read()
    parts = (part.partition(":") for part in text.split("\n\n"))
    return {space: tuple(names.split()) for space, _, names in parts}


class Absent:
    """In a class, one of PyTorch's attributes that is not here: to read it is the error that says so."""

    def __init__(self, space: str, name: str) -> None:
        self.space, self.name = space, name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        raise absent(self.space, self.name)


def mark_absent(cls: type, space: str, names: Iterable[str]) -> None:
    """Put an `Absent` in the place of each name that the class has not."""
    for name in names:
        if not hasattr(cls, name):
            setattr(cls, name, Absent(space, name))


def absent_from(cls: type) -> set[str]:
    """The names that stand in a class only to say that they are not here."""
    found = {name: value for kind in reversed(cls.__mro__) for name, value in vars(kind).items()}
    return {name for name, value in found.items() if isinstance(value, Absent)}


# ------------------------------------------------------------------------------------------ module paths
class Alias(ModuleType):
    """A module path of PyTorch's that is no file here. Its names are those of other modules, in this order."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{PACKAGE}.{path}", f"PyTorch's path torch.{path}; see tinygrad_pt.names.PATHS.")
        self.__path__: list[str] = []
        self._path = path

    def __getattr__(self, name: str) -> Any:
        path = f"{self._path}.{name}"
        if path in PATHS:
            return importlib.import_module(f"{PACKAGE}.{path}")
        if name.startswith("__") and name != "__all__":
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        if name == "__all__":
            return dir(self)
        for source in self._sources():
            public = getattr(source, "__all__", None)
            if public is None or name in public or name.startswith("_"):
                try:
                    return getattr(source, name)
                except AttributeError:
                    continue
        raise absent(self._path, name, sys._getframe(1))

    def __setattr__(self, name: str, value: Any) -> None:
        places = (
            PATHS.get(getattr(self, "_path", ""), ()) if name[0] != "_" and not isinstance(value, ModuleType) else ()
        )
        for place in places:
            if ":" in place:  # an object with settings, such as backends.cudnn
                return setattr(leaves.fetch(place), name, value)
        super().__setattr__(name, value)

    def _sources(self) -> Iterable[Any]:
        for place in PATHS[self._path]:
            path, _, name = place.partition(":")
            module = module_at(path)  # None: a file of nn that is called otherwise
            if module is not None:
                yield getattr(module, name) if name else module

    def __dir__(self) -> list[str]:
        names = {name for source in self._sources() for name in getattr(source, "__all__", ()) or vars(source)}
        inner = {path.rpartition(".")[2] for path in PATHS if path.rpartition(".")[0] == self._path}
        return sorted(inner | {name for name in names if not name.startswith("_")})


asking_whether: ContextVar[bool] = ContextVar("asking_whether", default=False)


def module_at(space: str) -> ModuleType | None:
    """The module of a namespace; None if there is none."""
    token = asking_whether.set(True)
    try:
        return importlib.import_module(module_of(space))
    except ModuleNotFoundError as error:
        if error.name != module_of(space) and not module_of(space).startswith(f"{error.name}."):
            raise
        return None
    finally:
        asking_whether.reset(token)


class Finder:  # importlib.abc, whose classes say no more, would cost a twentieth of the import
    """Python's import asks it last: it knows the module paths of PATHS, and answers to others that are not here."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        package, _, inner = fullname.partition(".")
        if package != PACKAGE or not inner:
            return None
        if inner in PATHS:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)  # type: ignore[arg-type]
        file = os.path.join(os.path.dirname(__file__), *inner.split("."))
        if asking_whether.get() or os.path.isdir(file) or os.path.isfile(f"{file}.py"):
            return None  # what is here is found by others, also where each finder is asked by itself, as pytest does
        space, _, name = inner.rpartition(".")
        where = WHERE.format(".".join(filter(None, ("torch", space))))
        mend = leaves.fetch("compat.instead:instead")(space, name)
        text = f"torch.{inner} is not in this package"
        error = refuse(ModuleNotFoundError, text, None, facts={"list": where}, mend=mend)
        error.name = fullname  # type: ignore[attr-defined]
        raise error

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return Alias(spec.name.partition(".")[2])

    def exec_module(self, module: ModuleType) -> None:
        pass


if not any(type(finder).__qualname__ == "Finder" and type(finder).__module__ == __name__ for finder in sys.meta_path):
    sys.meta_path.append(Finder())
