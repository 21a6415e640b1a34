"""Reading and writing by index beside PyTorch 2.13: odd indices, numbers in place of vectors, masks, and refusals."""

# ruff: noqa: E501

from __future__ import annotations

import warnings
from typing import Any

import pytest

import tinygrad_pt

torch = pytest.importorskip("torch")

READS = r"""
torch.gather(z,0,i0)
torch.gather(z,0,i1)
torch.gather(z,-1,i0)
torch.gather(z,0,T(1))
torch.gather(z,0,i2)
torch.gather(v,0,i0)
torch.gather(v,0,T([]).long())
torch.gather(a,1,T([]).long())
torch.gather(a,0,T([[0,1,0,1]]))
z.scatter(0,i0,5.)
z.scatter(0,i0,T(5.))
z.scatter(0,i1,5.)
z.scatter(0,i1,T([5.]))
v.scatter(0,i0,5.)
v.scatter(0,i0,T(5.))
z.scatter_add(0,i0,T(5.))
z.scatter_add(0,i1,T([5.]))
v.scatter_add(0,i0,T(5.))
v.scatter(0,i1,2.,reduce='add')
v.scatter(0,i1,2.,reduce='multiply')
v.scatter(0,i2,T([2.,3.]),reduce='add')
v.scatter(0,i2,T([2.,3.]),reduce='multiply')
v.scatter(0,i2,T([2.,3.]),reduce='foo')
v.scatter_(0,i1,2.,reduce='add')
z.index_add(0,i0,T(3.))
z.index_add(0,i1,T([3.]))
z.index_add(0,i1,T(3.))
z.index_add(0,i2,T([3.,4.]))
v.index_add(0,i1,T(3.))
v.index_add(0,i2,T([3.,4.]))
v.index_add(0,i0,T([3.]))
v.index_add(0,i0,T(3.))
a.index_add(0,i1,T([[1.,2.]]))
a.index_add(0,i1,T([1.,2.,3.]))
a.index_add(1,i2,T([[1.,2.],[3.,4.]]))
a.index_add(1,i2,torch.ones(3,2))
a.index_add(0,T([2]),torch.ones(1,3))
a.index_add(0,T([-1]),torch.ones(1,3))
a.index_add(0,T([0.]),torch.ones(1,3))
a.index_add(0,i1,torch.ones(1,3).double())
a.index_add(0,i2,torch.ones(1,3))
a.index_add(0,T([[0]]),torch.ones(1,3))
z.unfold(0,1,1)
z.unfold(0,0,1)
z.unfold(0,2,1)
z.unfold(-1,1,2)
v.unfold(0,5,1)
v.unfold(0,2,0)
v.unfold(0,-1,1)
v.unfold(1,2,1)
v.unfold(0,0,1).shape
a.unfold(1,2,1)
torch.take_along_dim(a,T([[0],[1]]),1)
torch.take_along_dim(a,T([[0]]),1)
torch.take_along_dim(a,T([0,5]))
torch.take_along_dim(a,T([[0,5],[1,2]]))
torch.take_along_dim(a,T([[0,1,2]]),0)
torch.take_along_dim(a,T([0,1]),0)
torch.take_along_dim(z,i0)
torch.take_along_dim(z,i0,0)
torch.take_along_dim(a,T([[0.]]),1)
torch.take_along_dim(a,T([[9]]),1)
torch.take_along_dim(a,T([[0,1],[0,1],[0,1]]),1)
torch.take_along_dim(a,T([[-1]]),1)
a.take_along_dim(T([3]))
a.masked_scatter(a>2,torch.ones(6))
a.masked_scatter(T([True,False,True]),torch.arange(10.,20))
a.masked_scatter(a>2,torch.ones(1))
a.masked_scatter(a>2,torch.ones(6).double())
a.masked_scatter((a>2).long(),torch.ones(6))
z.masked_scatter(T(True),T([7.,8.]))
z.masked_scatter(T([True,False]),T([7.,8.]))
a.clone().masked_scatter_(a>2,torch.ones(6))
v.requires_grad_().scatter(0,i1,2.).requires_grad
v.detach().scatter(0,i1,v.requires_grad_()[:1]).requires_grad
a[False,[0,1]]
a[True,[0,1]].shape
a[T(False),[0,1]]
a[T(True)].shape
a[False].shape
a[True].shape
a[None,True].shape
a[True,True].shape
a[True,None,0].shape
a[[True,False]]
a[[[True,False,True],[False,True,False]]]
a[T([True,False])]
a[T([True,False,True])]
a[:,T([True,False,True])]
a[T([1,0],dtype=torch.uint8)]
a[T([[1,0,1],[0,0,1]],dtype=torch.uint8)]
a[T([],dtype=torch.long)].shape
a[[]].shape
a[:,[]].shape
a[[],[]].shape
a[T([])].shape
a[None,[0,1]].shape
a[[0,1],None].shape
a[[0,1],None,[0,1]].shape
a[None,...,None].shape
a[...,...].shape
a[...,0,...].shape
a[0,...,...,0].shape
a[range(2)]
a[:,range(1,3)]
a[(0,1)]
a[[0,1]]
a[[0,1],[1,2]]
a[[[0,1],[1,0]]].shape
a[[[0,1]]].shape
a[((0,1),(1,2))]
a[[slice(0,1)]].shape
a[[None,0]].shape
a[T([0,1]),T([[0],[1]])].shape
a[T(1)].shape
a[T([1])].shape
a[T([1],dtype=torch.int8)]
a[T([1],dtype=torch.int16)]
a[T([1],dtype=torch.int32)]
a[T([1.])]
a[1.]
a['x']
a[object()]
a[2]
a[-3]
a[0,0,0]
a[T([5])]
a[[0,5]]
a[T([0,1]),T([0,1,2])]
a[0:5:0]
a[::-1]
a[0:1.5]
a[T([True,False,True,True])]
a[T([[True]])]
z[0]
z[...]
z[None]
z[()]
z[True]
z[False].shape
z[T(0)]
z[[0]]
z[:]
z[[]]
v[T(2)]
v[T(2),None].shape
v[[0,1],...].shape
v[...,[0,1]].shape
v[[0,1],...,None].shape
a[1,[0,2]]
a[[0,2],1]
a[[0,1],1]
a[:,0,None].shape
a[1:,[0,1]].shape
a[0,:,None].shape
a[a>2]
a[a>2,None].shape
a[(a>2).nonzero(as_tuple=True)]
a[...,a[0]>0]
a[None,a>2].shape
a[True,a>2].shape
a[True,0].shape
a[0,True].shape
a[T(True),0].shape
a[0,T(True)].shape
a[[0],True].shape
"""
WRITES = r"""
a[False]=5.
a[True]=5.
a[False,[0,1]]=7.
a[True,[0,1]]=7.
a[T(True)]=torch.ones(3)
a[[]]=5.
a[a>100]=5.
a[a>2]=torch.ones(3)
a[a>2]=torch.ones(2)
a[a>2]=torch.ones(1,3)
a[None,0]=3.
a[[0,1],None]=3.
a[...,...]=3.
a[...,0,...]=3.
a[range(2)]=3.
a[:,range(1)]=3.
a[0]=torch.ones(2)
a[0]=torch.ones(1,1,3)
a[0]=torch.ones(2,3)
a[0,0]=T([1.])
a[0,0]=T([1.,2.])
a[[0,0]]=T([[1.],[2.]])
a[0]=None
a[0]='x'
a[5]=1.
a[T([5])]=1.
a[1.]=1.
a[0]=1j
a[0]=T([1,2,3])
a[[0]]=T([1,2,3])
a[a>2]=T(1)
a[a>2]=T([1,1,1])
a[::-1]=1.
a[0]=2**70
a[0]=True
z[...]=3.
z[()]=3.
z[None]=3.
z[True]=3.
z[0]=3.
z[:]=3.
z[T(True)]=3.
z[False]=3.
"""
GRADIENTS = r"""
torch.gather(z, 0, i1)
torch.gather(v, 0, i0)
z.scatter(0, i1, w[:1])
v.scatter(0, i0, w[0])
v.scatter(0, i2, 3.)
z.scatter_add(0, i1, w[:1])
v.scatter_add(0, i0, w[1])
v.index_add(0, i0, w[:1])
v.scatter(0, T([]).long(), 3.)
torch.take_along_dim(a, T([[-1], [1]]), 1)
torch.take_along_dim(a, T([0, 5, 5]))
a.masked_scatter(a > 2, w)
a.masked_scatter(T([True, False, True]), torch.cat([w, w]))
z.masked_scatter(T(True), w)
v[:3].masked_scatter(T([True, False, True]), w)
a.unfold(1, 2, 1) * 2
z.unfold(0, 1, 1)
a[:, [0, 2, 0]]
a[[0, 1], None, [2, 2]]
"""


def outcome(library: Any, snippet: str, gradients: bool = False) -> Any:
    """The value of an expression, or the tensors after a statement; or the error, by type and first line."""
    scope: dict[str, Any] = {"torch": library, "T": library.tensor}
    scope["a"], scope["v"] = library.arange(6.0).reshape(2, 3), library.arange(4.0)
    scope["z"], scope["w"] = library.tensor(2.0), library.tensor([7.0, 8.0, 9.0])
    scope["i0"], scope["i1"], scope["i2"] = map(library.tensor, (0, [0], [0, 0]))
    leaves = [scope[name].requires_grad_() for name in "avzw"] if gradients else []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            try:
                code = compile(snippet, "<snippet>", "eval")
            except SyntaxError:
                exec(snippet, scope)
                return scope["a"].tolist(), scope["z"].tolist()
            r = eval(code, scope)
            if leaves:
                found = library.autograd.grad((r * r).sum(), leaves, allow_unused=True)
                return r.tolist(), [None if g is None else g.tolist() for g in found]
        except Exception as error:
            return type(error).__name__, str(error).splitlines()[0]
    return r.tolist() if hasattr(r, "tolist") else r


@pytest.mark.parametrize("snippets", [READS, WRITES], ids=["reads", "writes"])
def test_indices_give_what_pytorch_gives(snippets: str) -> None:
    found = [(s, outcome(torch, s), outcome(tinygrad_pt, s)) for s in snippets.strip().splitlines()]
    wrong = [f"{s}\n  torch: {t}\n  ours:  {o}" for s, t, o in found if t != o]
    assert not wrong, "\n".join(wrong)


def test_and_its_gradients() -> None:
    found = [(s, outcome(torch, s, True), outcome(tinygrad_pt, s, True)) for s in GRADIENTS.strip().splitlines()]
    wrong = [f"{s}\n  torch: {t}\n  ours:  {o}" for s, t, o in found if t != o]
    assert not wrong, "\n".join(wrong)
