"""Modes as decorators: they hold in the body of a function each time that it runs, and nowhere else."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import listening
from tinygrad_pt.modes import current

SWITCHES: dict[str, tuple[Callable[[], Any], bool]] = {  # how it is written, and what it makes of the mode
    "no_grad()": (lambda: torch.no_grad(), False),
    "no_grad": (lambda: torch.no_grad, False),
    "enable_grad()": (lambda: torch.enable_grad(), True),
    "enable_grad": (lambda: torch.enable_grad, True),
    "inference_mode()": (lambda: torch.inference_mode(), False),
    "inference_mode": (lambda: torch.inference_mode, False),
    "inference_mode(False)": (lambda: torch.inference_mode(False), True),
    "set_grad_enabled(False)": (lambda: torch.set_grad_enabled(False), False),
    "set_grad_enabled(True)": (lambda: torch.set_grad_enabled(True), True),
}
grad = torch.is_grad_enabled


@pytest.fixture(params=[True, False], ids=["outside on", "outside off"])
def outside(request: Any) -> Iterator[bool]:
    with torch.set_grad_enabled(request.param):
        yield request.param


@pytest.fixture(params=SWITCHES)
def switch(request: Any) -> tuple[Callable[[], Any], bool]:
    return SWITCHES[request.param]


def test_a_function(switch: Any, outside: bool) -> None:
    make, inside = switch

    @make()
    def f(x: int, *, y: int = 2) -> tuple[bool, int]:
        """Text."""
        return grad(), x + y

    assert grad() is outside
    assert f(1, y=3) == (inside, 4) and f(1) == (inside, 3)
    assert grad() is outside and (f.__name__, f.__doc__) == ("f", "Text.")


def test_a_generator(switch: Any, outside: bool) -> None:
    make, inside = switch
    seen: list[Any] = []

    @make()
    def g(n: int) -> Any:
        for i in range(n):
            try:
                seen.append(grad())
                seen.append((yield i))
            except KeyError as error:
                seen.append((grad(), error.args[0]))
                yield "caught"
            finally:
                seen.append(grad())
        return "done"

    assert inspect.isgeneratorfunction(g) and grad() is outside
    body = g(3)
    assert next(body) == 0 and grad() is outside
    assert body.send("a") == 1 and grad() is outside
    assert body.throw(KeyError("k")) == "caught" and grad() is outside
    assert next(body) == 2 and grad() is outside
    with pytest.raises(StopIteration) as end:
        next(body)
    assert end.value.value == "done" and grad() is outside
    assert seen == [inside, "a", inside, inside, (inside, "k"), inside, inside, None, inside]
    del seen[:]
    body = g(3)
    next(body)
    body.close()
    assert seen == [inside, inside] and grad() is outside
    with pytest.raises(ValueError, match="not caught"):
        next(body := g(1))
        body.throw(ValueError("not caught"))
    assert grad() is outside


def test_what_the_body_changes_ends_with_each_piece(outside: bool) -> None:
    @torch.no_grad()
    def g() -> Any:
        with torch.enable_grad():
            yield grad()
            yield grad()
        yield grad()

    found = []
    for value in g():
        found.append(value)
        assert grad() is outside
    assert found == [True, False, False]


def test_a_generator_inside_a_generator(outside: bool) -> None:
    @torch.enable_grad()
    def inner() -> Any:
        got = yield grad()
        return got, grad()

    @torch.no_grad()
    def outer() -> Any:
        yield grad()
        answer = yield from inner()
        yield answer
        yield grad()

    body = outer()
    assert [next(body), next(body), body.send(5), next(body)] == [False, True, (5, True), False]
    assert grad() is outside


def test_coroutines_that_take_turns(switch: Any, outside: bool) -> None:
    make, inside = switch
    seen: list[bool] = []

    @make()
    async def f(x: int) -> int:
        seen.append(grad())
        await asyncio.sleep(0)
        seen.append(grad())
        try:
            await asyncio.sleep(0)
            raise KeyError
        except KeyError:
            seen.append(grad())
        return x

    async def main() -> list[int]:
        assert grad() is outside
        a, b = f(1), f(2)
        step = a.send(None)  # type: ignore[func-returns-value]
        assert step is None and grad() is outside  # driven by hand, its mode does not leak either
        a.close()
        found = await asyncio.gather(f(1), b, f(3))
        assert await f(4) == 4 and grad() is outside
        return found

    assert inspect.iscoroutinefunction(f)
    assert asyncio.run(main()) == [1, 2, 3] and grad() is outside
    assert seen == [inside] * 13


def test_async_generators(switch: Any, outside: bool) -> None:
    make, inside = switch
    seen: list[Any] = []

    @make()
    async def g() -> Any:
        for i in range(3):
            try:
                seen.append(grad())
                await asyncio.sleep(0)
                seen.append((grad(), (yield i)))
            except KeyError:
                seen.append(grad())
                yield "caught"
            finally:
                seen.append(grad())

    async def main() -> None:
        async for _ in g():
            assert grad() is outside
        assert seen == [inside, (inside, None), inside] * 3
        del seen[:]
        body = g()
        assert await anext(body) == 0 and await body.asend("a") == 1 and grad() is outside
        assert await body.athrow(KeyError()) == "caught" and grad() is outside
        assert await anext(body) == 2
        await body.aclose()
        assert grad() is outside
        assert seen == [inside, (inside, "a"), inside, inside, inside, inside, inside, inside]

    assert inspect.isasyncgenfunction(g)
    asyncio.run(main())


def test_methods_of_every_kind(switch: Any, outside: bool) -> None:
    make, inside = switch

    class C:
        @make()
        def plain(self) -> Any:
            return self, grad()

        @classmethod
        @make()
        def below(cls) -> Any:
            return cls, grad()

        @make()
        @classmethod
        def above(cls) -> Any:
            return cls, grad()

        @make()
        @staticmethod
        def static(x: int) -> Any:
            return x, grad()

        @property
        @make()
        def value(self) -> bool:
            return bool(grad())

    c = C()
    assert c.plain() == (c, inside) and C.below() == (C, inside) and c.above() == (C, inside)
    assert c.static(1) == (1, inside) == C.static(1) and c.value is inside and grad() is outside


def test_classes_are_deprecated(outside: bool) -> None:
    with pytest.warns(FutureWarning, match="Decorating classes is deprecated"):

        @torch.no_grad()
        class C:
            def __init__(self) -> None:
                self.made = grad()

            def later(self) -> bool:
                return bool(grad())

    c = C()
    assert c.made is False and c.later() is outside


def test_recursion_and_exceptions(switch: Any, outside: bool) -> None:
    make, inside = switch

    @make()
    def depth(n: int) -> list[bool]:
        return [grad(), *(depth(n - 1) if n else [])]

    @make()
    def fail() -> None:
        raise ValueError

    assert depth(3) == [inside] * 4
    with pytest.raises(ValueError, match="^$"):
        fail()
    assert grad() is outside


def test_one_switch_in_many_threads() -> None:
    @torch.no_grad()
    def off() -> bool:
        barrier.wait()
        return bool(grad())

    barrier, found = threading.Barrier(4), []
    threads = [threading.Thread(target=lambda: found.append((off(), grad()))) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == [(False, True)] * 4


def test_a_block_that_ends_out_of_order_restores_what_it_changed() -> None:
    block, heard = torch.no_grad(), listening.Listener()
    block.__enter__()
    listening.attend(heard)
    block.__exit__()
    assert grad() and current().listeners == (heard,)
    listening.forget(heard)
    assert grad() and not current().listeners


def test_inference_mode_is_stronger_than_enable_grad() -> None:
    w = torch.ones(2, requires_grad=True)
    with torch.inference_mode(), torch.enable_grad():
        y = w * 2
    assert not y.requires_grad and y.is_inference()
    with torch.inference_mode(), torch.inference_mode(False):
        assert (w * 2).requires_grad and grad()


def test_a_view_is_an_inference_tensor_if_its_base_is_one() -> None:
    normal = torch.ones(4)
    with torch.inference_mode():
        own = torch.ones(4)
        inside = [
            normal[:2],
            normal.view(2, 2),
            normal.chunk(2)[0],
            normal.unbind()[0],
            normal.view(2, 2).T,
            normal.detach(),
        ]
        assert normal[[0]].is_inference() and normal.clone().is_inference()
    assert not any(v.is_inference() for v in inside)
    assert (inside[0] * torch.ones(2, requires_grad=True)).requires_grad
    outside = [own[:2], own.view(2, 2), own.chunk(2)[1], own.detach()]
    assert all(v.is_inference() for v in outside) and not (own * 2).is_inference()
    for v in (own, *outside):
        with pytest.raises(RuntimeError, match="Inplace update to inference tensor outside InferenceMode"):
            v.add_(1)
        with pytest.raises(RuntimeError, match="do not track version counter"):
            _ = v._version


def test_set_grad_enabled_as_a_block_entered_later() -> None:
    block = torch.set_grad_enabled(False)
    assert not grad()
    torch.set_grad_enabled(True)
    with block:
        assert not grad()
        with block:
            assert not grad()
        assert grad()
    assert grad()


# ------------------------------------------------------------------------------------------ leaving the graph
def test_numpy_reads_what_requires_grad_where_gradients_are_off() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2
    for t in (x, y):
        for read in (lambda t: t.numpy(), np.asarray, np.array):
            with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad"):
                read(t)
            with torch.no_grad():
                assert read(t).tolist() == t.tolist()
            with torch.inference_mode():
                assert read(t).tolist() == t.tolist()
        assert t.numpy(force=True).tolist() == t.tolist()
        with torch.no_grad(), pytest.raises(BufferError, match="Can't export tensors that require gradient"):
            np.from_dlpack(t)


# ------------------------------------------------------------------------------------------ shapes
def test_shapes_stay_shapes() -> None:
    s = torch.Size([1, 2])
    for found, text in (
        (s + (3,), "torch.Size([1, 2, 3])"),
        ((3,) + s, "torch.Size([3, 1, 2])"),
        (s + s, "torch.Size([1, 2, 1, 2])"),
        (s + (), "torch.Size([1, 2])"),
        (2 * s, "torch.Size([1, 2, 1, 2])"),
        (s[1:] + (7,), "torch.Size([2, 7])"),
        (sum([s, s], torch.Size()), "torch.Size([1, 2, 1, 2])"),
        (pickle.loads(pickle.dumps(s)), "torch.Size([1, 2])"),
        (torch.ones(2, 3).shape[:1] + (torch.tensor(4),), "torch.Size([2, 4])"),
        (torch.Size([True, np.int64(3)]), "torch.Size([1, 3])"),
    ):
        assert type(found) is torch.Size and repr(found) == text
        assert all(type(n) is int for n in found)
    for wrong in (lambda: s + [3], lambda: s + 3, lambda: s + (1.5,), lambda: torch.Size(["a"]), lambda: s * 1.5):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(TypeError, match=r"takes an iterable of 'int' \(item 1 is 'float'\)"):
        torch.Size([1, 2.5])
    assert s == (1, 2) and hash(s) == hash((1, 2)) and s.numel() == 2


# ------------------------------------------------------------------------------------------ results in given memory
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("mul", lambda x, y, out: torch.mul(x, y, out=out)),
        ("add", lambda x, y, out: torch.add(x, y, out=out)),
        ("sub", lambda x, y, out: torch.sub(x, y, out=out)),
        ("exp", lambda x, y, out: torch.exp(x, out=out)),
        ("normalize", lambda x, y, out: torch.nn.functional.normalize(x, dim=0, out=out)),
    ],
)
def test_results_in_given_memory_have_no_gradient(name: str, call: Any) -> None:
    w, c = torch.ones(2, requires_grad=True), torch.ones(2)
    for x, out in ((w, torch.zeros(2)), (w * 1, torch.zeros(2)), (c, w), (c, w * 1)):
        with pytest.raises(
            RuntimeError, match=rf"^{name}\(\): functions with out=... arguments don't support automatic"
        ):
            call(x, c, out)
    found = torch.zeros(2)
    with torch.no_grad():
        assert call(w, w, found) is found and not found.requires_grad
    assert torch.equal(found, call(c, c, torch.zeros(2)))
