"""What PyTorch 2.13 prints for some three hundred expressions, and what this package must print too.

A line is `expression -> repr of its value`, or of `r` after its statements, or `expression !! type: first line of the
error`. Recorded from PyTorch once; PyTorch is not needed here.
"""

# ruff: noqa: E501

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import tinygrad_pt as torch
from tinygrad_pt import nn

LINES = r"""
T(1) -> tensor(1)
T(1.0) -> tensor(1.)
T(True) -> tensor(True)
T([1,2.]) -> tensor([1., 2.])
T(1+2j) -> tensor(1.+2.j)
torch.arange(3) -> tensor([0, 1, 2])
torch.arange(3.) -> tensor([0., 1., 2.])
torch.zeros(2) -> tensor([0., 0.])
torch.full((2,),1) -> tensor([1, 1])
torch.full((2,),1.) -> tensor([1., 1.])
torch.from_numpy(np.zeros(2)) -> tensor([0., 0.], dtype=torch.float64)
T(np.zeros(2)) -> tensor([0., 0.], dtype=torch.float64)
torch.as_tensor(np.zeros(2)) -> tensor([0., 0.], dtype=torch.float64)
torch.Tensor([1,2]) -> tensor([1., 2.])
torch.Tensor(2,3).shape -> torch.Size([2, 3])
T(np.float64(1.5)) -> tensor(1.5000, dtype=torch.float64)
T([np.float64(1.5)]) -> tensor([1.5000], dtype=torch.float64)
torch.linspace(0,1,3) -> tensor([0.0000, 0.5000, 1.0000])
torch.randint(0,3,(2,)).dtype -> torch.int64
torch.randperm(3).dtype -> torch.int64
torch.eye(2).dtype -> torch.float32
torch.empty(0) -> tensor([])
T([]) -> tensor([])
(i+1.5).dtype -> torch.float32
(i+1).dtype -> torch.int64
(f+d).dtype -> torch.float64
(f+T(1.,dtype=torch.float64)).dtype -> torch.float32
(i+T(1.5)).dtype -> torch.float32
(i/i).dtype -> torch.float32
(i//i) -> tensor([1, 1])
(T([-7])//2) -> tensor([-4])
(T([-7])%3) -> tensor([2])
torch.fmod(T([-7]),3) -> tensor([-1])
(b+b) -> tensor([ True, False])
(b+1).dtype -> torch.int64
(f**2).dtype -> torch.float32
(i**-1) !! RuntimeError: Integers to negative integer powers are not allowed.
(i**2.0).dtype -> torch.float32
(f*h).dtype -> torch.float32
(i.sum()).dtype -> torch.int64
b.sum() -> tensor(1)
T([1,2],dtype=torch.uint8).sum().dtype -> torch.int64
i.mean() !! RuntimeError: mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: Long
i.float().mean() -> tensor(1.5000)
f.argmax().dtype -> torch.int64
(f>1) -> tensor([False,  True])
(f>1).dtype -> torch.bool
f+np.float64(1) -> tensor([2., 3.])
np.float64(1)+f -> tensor([2., 3.])
1/i -> tensor([1.0000, 0.5000])
i.sqrt().dtype -> torch.float32
torch.result_type(f,T(1.,dtype=torch.float64)) -> torch.float32
i.prod().dtype -> torch.int64
i.cumsum(0).dtype -> torch.int64
f.to(torch.int) -> tensor([1, 2], dtype=torch.int32)
i.float().dtype -> torch.float32
f.long().dtype -> torch.int64
f.type() -> 'torch.FloatTensor'
torch.sqrt(T(4)) -> tensor(2.)
-b !! RuntimeError: Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the `~` or `logical_not()` operator instead.
~b -> tensor([False,  True])
~f !! TypeError: ~ (operator.invert) is only implemented on integer and Boolean-type tensors
b-b !! RuntimeError: Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator instead.
T(1.) -> tensor(1.)
T([1.,2.5]) -> tensor([1.0000, 2.5000])
T([1.,2.],requires_grad=True) -> tensor([1., 2.], requires_grad=True)
T([1.,2.],requires_grad=True)*2 -> tensor([2., 4.], grad_fn=<MulBackward0>)
T([1.,2.],requires_grad=True).sum() -> tensor(3., grad_fn=<SumBackward0>)
T([1e-10,1.]) -> tensor([1.0000e-10, 1.0000e+00])
T([1e5,1.]) -> tensor([1.0000e+05, 1.0000e+00])
T([1.,float('nan'),float('inf')]) -> tensor([1., nan, inf])
torch.zeros(2,0) -> tensor([], size=(2, 0))
T([1.],dtype=torch.float64) -> tensor([1.], dtype=torch.float64)
T([1],dtype=torch.int32) -> tensor([1], dtype=torch.int32)
T([0.1,0.12345678]) -> tensor([0.1000, 0.1235])
T([1000000.,2.]) -> tensor([1.0000e+06, 2.0000e+00])
T([[1.5]]) -> tensor([[1.5000]])
T(3.14159265) -> tensor(3.1416)
T([True]) -> tensor([True])
str(T(2.)) -> 'tensor(2.)'
f'{T(2.5)}' -> '2.5'
f'{T(2.567):.2f}' -> '2.57'
f'{T([2.567]):.2f}' !! TypeError: unsupported format string passed to Tensor.__format__
T([1.,2.]).shape -> torch.Size([2])
torch.zeros(2,3).size() -> torch.Size([2, 3])
torch.zeros(2,3).size(1) -> 3
torch.zeros(2,3).numel() -> 6
T([1.,2.],requires_grad=True).detach() -> tensor([1., 2.])
torch.float32 -> torch.float32
T([-0.]) -> tensor([-0.])
T([123456.789]) -> tensor([123456.7891])
f.item() !! RuntimeError: a Tensor with 2 elements cannot be converted to Scalar
T([[2.]]).item() -> 2.0
T(2).item() -> 2
float(T([2.])) -> 2.0
int(T(2.7)) -> 2
bool(f) !! RuntimeError: Boolean value of Tensor with more than one value is ambiguous
bool(T([])) !! RuntimeError: Boolean value of Tensor with no values is ambiguous
bool(T(0.)) -> False
g.numpy() !! RuntimeError: Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.
g.detach().numpy() -> array([1., 2.], dtype=float32)
np.asarray(g) !! RuntimeError: Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.
np.asarray(f) -> array([1., 2.], dtype=float32)
f.tolist() -> [1.0, 2.0]
T(1.).tolist() -> 1.0
len(T(1.)) !! TypeError: len() of a 0-d tensor
list(T([1,2])) -> [tensor(1), tensor(2)]
T(1.)[0] !! IndexError: invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number
[x for x in T(1.)] !! TypeError: iteration over a 0-d tensor
f[5] !! IndexError: index 5 is out of bounds for dimension 0 with size 2
f[T([5])] !! IndexError: index 5 is out of bounds for dimension 0 with size 2
hash(f)==id(f) -> True
f==f -> tensor([True, True])
f in [f] -> True
1. in f -> True
__import__('copy').deepcopy(g) -> tensor([1., 2.], requires_grad=True)
f.__array__() -> array([1., 2.], dtype=float32)
range(3)[T(1)] -> 1
[1,2,3][T(1)] -> 2
T([1,2],requires_grad=True) !! RuntimeError: Only Tensors of floating point and complex dtype can require gradients
x=T([1,2]); x.requires_grad_() !! RuntimeError: only Tensors of floating point dtype can require gradients
x=T([1.]); r=(x.requires_grad,x.is_leaf,x.grad_fn,x.grad) -> (False, True, None, None)
x=T([1.],requires_grad=True); y=x*2; y.requires_grad=False !! RuntimeError: you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach().
x=T([1.],requires_grad=True); y=x*2; y.sum().backward(); r=y.grad -> None
x=T([1.],requires_grad=True); y=x*2; y.retain_grad(); y.sum().backward(); r=y.grad,x.grad -> (tensor([1.]), tensor([2.]))
x=T([1.]); x.retain_grad() !! RuntimeError: can't retain_grad on Tensor that has requires_grad=False
x=T([1.],requires_grad=True); (x>0).requires_grad -> None
x=T([1.,2.],requires_grad=True); r=(x>0).requires_grad, x.argmax().requires_grad, x.detach().requires_grad, x.data.requires_grad, x.clone().requires_grad, x.long().requires_grad -> (False, False, False, False, True, False)
T([1.,2.],requires_grad=True).backward() !! RuntimeError: grad can be implicitly created only for scalar outputs
x=T([1.,2.],requires_grad=True); (x*2).backward() !! RuntimeError: grad can be implicitly created only for scalar outputs
x=T([1.,2.]); x.sum().backward() !! RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn
x=T([1.,2.],requires_grad=True); y=(x*x).sum(); y.backward(retain_graph=True); y.backward(); r=x.grad -> tensor([4., 8.])
x=T([1.,2.],requires_grad=True); y=x*x; y.backward(T([1.,2.,3.])) !! RuntimeError: Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has a shape of torch.Size([2]).
x=T([1.,2.],requires_grad=True); y=x*x; y.backward(T([1.,10.])); r=x.grad -> tensor([ 2., 40.])
x=T([1.,2.],requires_grad=True); z=T([1.],requires_grad=True); r=torch.autograd.grad((x*x).sum(),[x,z]) !! RuntimeError: The differentiated Tensor at index 1 appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.
x=T([1.,2.],requires_grad=True); z=T([1.],requires_grad=True); r=torch.autograd.grad((x*x).sum(),[x,z],allow_unused=True) -> (tensor([2., 4.]), None)
x=T([1.,2.],requires_grad=True); z=T([1.],requires_grad=True); r=torch.autograd.grad((x*x).sum(),[x,z],materialize_grads=True) -> (tensor([2., 4.]), tensor([0.]))
x=T([1.,2.],requires_grad=True); y=x*x; r=y.grad -> None
x=T([1.,2.],requires_grad=True); y=(x*x).sum(); y.backward(inputs=[x]); r=x.grad -> tensor([2., 4.])
x=T([1.,2.],requires_grad=True); x.grad=T([1.,2.,3.]) !! RuntimeError: attempting to assign a gradient of size '[3]' to a tensor of size '[2]'. Please ensure that the gradient and the tensor are the same size
x=T([1.,2.],requires_grad=True); x.grad=[1,2] !! TypeError: assigned grad expected to be a Tensor or None but got grad of type list
x=T([1.,2.],requires_grad=True); (x.sum()).backward(); g1=x.grad; (x.sum()).backward(); r=(g1 is x.grad, x.grad) -> (True, tensor([2., 2.]))
x=T([1.,2.],requires_grad=True); x.add_(1) !! RuntimeError: a leaf Variable that requires grad is being used in an in-place operation.
x=T([1.,2.],requires_grad=True); x[0]=5 !! RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation.
x=T([1.,2.],requires_grad=True); x+=1 !! RuntimeError: a leaf Variable that requires grad is being used in an in-place operation.
x=T([1.,2.],requires_grad=True); v=x[0]; v.add_(1) !! RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation.
x=T([1.,2.],requires_grad=True); v=x.view(2); v.add_(1) !! RuntimeError: a view of a leaf Variable that requires grad is being used in an in-place operation.
x=T([1.,2.],requires_grad=True); y=x*2; z=y+y; y.add_(1); z.sum().backward(); r=x.grad -> tensor([4., 4.])
x=T([1.,2.],requires_grad=True); w=T([3.,4.]); z=x*w; w[0]=9; z.sum().backward() !! RuntimeError: one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [2]] is at version 1; expected version 0 instead. Hint: enable anomaly detection to find the operation that failed to compute its gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False).
x=T([1.,2.],requires_grad=True); w=T([3.,4.]); z=x*w; w.data[0]=9; z.sum().backward(); r=x.grad -> tensor([9., 4.])
x=torch.zeros(3); y=T([1.,2.],requires_grad=True); x[:2]=y; x.sum().backward(); r=(y.grad, x) -> (tensor([1., 1.]), tensor([1., 2., 0.], grad_fn=<CopySlices>))
x=torch.arange(3); x[0]=1.7; r=x -> tensor([1, 1, 2])
x=torch.arange(3); x+=1.5 !! RuntimeError: result type Float can't be cast to the desired output type Long
x=torch.arange(3); x/=2 !! RuntimeError: result type Float can't be cast to the desired output type Long
x=torch.zeros(2); x+=torch.ones(3) !! RuntimeError: The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0
x=torch.zeros(1); x+=torch.ones(3) !! RuntimeError: output with shape [1] doesn't match the broadcast shape [3]
x=torch.zeros(2)._version; r=x -> 0
x=torch.zeros(2); v=x[0]; v.fill_(3); r=(x,x._version,v._version,v._is_view(),v._base is x) -> (tensor([3., 0.]), 1, 1, True, True)
x=T([1.,2.],requires_grad=True); a,b=(x*2).unbind(); a.add_(1) !! RuntimeError: Output 0 of Unbind is a view and is being modified inplace. This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.
x=T([1.,2.],requires_grad=True); a,b=(x*2).chunk(2); a.add_(1); r=a !! RuntimeError: Output 0 of Split is a view and is being modified inplace. This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.
x=T([1.,2.],requires_grad=True); y=(x*2).expand(3,2); y.add_(1) !! RuntimeError: unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.
x=torch.zeros(1,2).expand(3,2); x.add_(1) !! RuntimeError: unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before performing the operation.
x=torch.zeros(3,2).t(); x.view(6) !! RuntimeError: view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.
x=torch.zeros(3,2).t(); r=x.reshape(6).shape, x.is_contiguous(), x.stride() -> (torch.Size([6]), False, (1, 2))
x=torch.arange(6); x.view(4) !! RuntimeError: shape '[4]' is invalid for input of size 6
x=torch.arange(6); x.reshape(-1,4) !! RuntimeError: shape '[-1, 4]' is invalid for input of size 6
x=torch.arange(6); x.view(-1,-1) !! RuntimeError: only one dimension can be inferred
r=torch.optim.SGD([],lr=.1) !! ValueError: optimizer got an empty parameter list
r=torch.optim.SGD(p,lr=.1) !! TypeError: params argument given to the optimizer should be an iterable of Tensors or dicts, but got torch.FloatTensor
r=torch.optim.SGD([p*2],lr=.1) !! ValueError: can't optimize a non-leaf Tensor
r=torch.optim.SGD([p],lr=-1) !! ValueError: Invalid learning rate: -1
r=torch.optim.SGD([{'params':[p]},{'params':[p]}],lr=.1) !! ValueError: some parameters appear in more than one parameter group
o=torch.optim.Adam([p]); o.step(); r=o.state_dict() -> {'state': {}, 'param_groups': [{'lr': 0.001, 'betas': (0.9, 0.999), 'eps': 1e-08, 'weight_decay': 0, 'amsgrad': False, 'maximize': False, 'foreach': None, 'capturable': False, 'differentiable': False, 'fused': None, 'decoupled_weight_decay': False, 'params': [0]}]}
o=torch.optim.SGD([p],lr=.1); o.zero_grad(); r=p.grad -> None
p.grad=T([1.,1.]); o=torch.optim.SGD([p],lr=.1); o.zero_grad(set_to_none=False); r=p.grad -> tensor([0., 0.])
r=torch.optim.SGD([p],lr=.1,nesterov=True) !! ValueError: Nesterov momentum requires a momentum and zero dampening
o=torch.optim.SGD([p],lr=.1); o.load_state_dict(torch.optim.SGD([p,q],lr=.1).state_dict()) !! ValueError: loaded state dict contains a parameter group that doesn't match the size of optimizer's group
o=torch.optim.SGD([p],lr=.1); r=o.step(lambda: T(3.)) -> tensor(3.)
r=nn.utils.clip_grad_norm_([p],1.) -> tensor(0.)
p.grad=T([3.,4.]); r=nn.utils.clip_grad_norm_([p],1.),p.grad -> (tensor(5.), tensor([0.6000, 0.8000]))
p.grad=T([float('nan'),4.]); r=nn.utils.clip_grad_norm_([p],1.,error_if_nonfinite=True) !! RuntimeError: The total norm of order 2.0 for gradients from `parameters` is non-finite, so it cannot be clipped. To disable this error and scale the gradients by the non-finite norm anyway, set `error_if_nonfinite=False`
r=m.load_state_dict({}) !! RuntimeError: Error(s) in loading state_dict for Sequential:
r=m.load_state_dict({'0.weight':torch.zeros(3,3),'x':torch.zeros(1),'0.bias':torch.zeros(3),'1.weight':torch.zeros(1,3),'1.bias':torch.zeros(1)}) !! RuntimeError: Error(s) in loading state_dict for Sequential:
r=m.load_state_dict({'0.weight':torch.zeros(3,2)},strict=False) -> _IncompatibleKeys(missing_keys=['0.bias', '1.weight', '1.bias'], unexpected_keys=[])
r=m.load_state_dict({'0.weight':torch.zeros(3,3)},strict=False) !! RuntimeError: Error(s) in loading state_dict for Sequential:
r=m.load_state_dict(m.state_dict()) -> <All keys matched successfully>
m.foo !! AttributeError: 'Sequential' object has no attribute 'foo'
m.weight=3; r=m.weight -> 3
l=nn.Linear(1,1); l.weight=torch.zeros(1,1) !! TypeError: cannot assign 'torch.FloatTensor' as parameter 'weight' (torch.nn.Parameter or None expected)
l=nn.Linear(1,1); l.register_buffer('b',torch.zeros(1),persistent=False); r=list(l.state_dict()),dict(l.named_buffers()) -> (['weight', 'bias'], {'b': tensor([0.])})
l=nn.Linear(1,1); l.register_buffer('weight',torch.zeros(1)) !! KeyError: "attribute 'weight' already exists"
l=nn.Linear(1,1); l.register_parameter('w',torch.zeros(1)) !! TypeError: cannot assign 'torch.FloatTensor' object to parameter 'w' (torch.nn.Parameter or None required)
r=[n for n,_ in nn.Sequential(nn.Linear(1,1),nn.Sequential(nn.ReLU())).named_modules()] -> ['', '0', '1', '1.0']
a=nn.Linear(1,1); r=len(list(nn.Sequential(a,a).parameters())), list(nn.Sequential(a,a).state_dict()) -> (2, ['0.weight', '0.bias', '1.weight', '1.bias'])
r=m.train() is m, m.eval().training, m.zero_grad(), m.requires_grad_(False) is m -> (True, False, None, True)
r=m.get_submodule('0'), m.get_parameter('0.weight').shape -> (Linear(in_features=2, out_features=3, bias=True), torch.Size([3, 2]))
r=nn.Linear(2,2).double().weight.dtype -> torch.float64
r=nn.Parameter(T([1,2])) !! RuntimeError: Only Tensors of floating point and complex dtype can require gradients
r=nn.Sequential(nn.Linear(2,3),nn.ReLU(),nn.Linear(4,1))(torch.zeros(5,2)) !! RuntimeError: mat1 and mat2 shapes cannot be multiplied (5x3 and 4x1)
torch.manual_seed(0); r=torch.rand(3), torch.randn(3), torch.randperm(5), torch.randint(0,10,(5,)) -> (tensor([0.4963, 0.7682, 0.0885]), tensor([0.3643, 0.1344, 0.1642]), tensor([1, 0, 2, 3, 4]), tensor([6, 6, 8, 4, 3]))
torch.manual_seed(0); r=torch.randn(20)[:4] -> tensor([-1.1258, -1.1524, -0.2506, -0.4339])
g=torch.Generator().manual_seed(0); r=torch.rand(3,generator=g) -> tensor([0.4963, 0.7682, 0.0885])
F.cross_entropy(x,y).dtype -> torch.float32
r=F.cross_entropy(x,y,reduction='none').shape -> torch.Size([3])
r=F.cross_entropy(x,y,reduction='max') !! ValueError: max is not a valid value for reduction
r=F.cross_entropy(x,T([1,0,4])) !! IndexError: Target 4 is out of bounds.
r=F.cross_entropy(x,T([1.,0.,3.])) !! RuntimeError: expected target dtype to be Long or Byte, but got Float
r=F.cross_entropy(x,T([1,0])) !! ValueError: Expected input batch_size (3) to match target batch_size (2).
r=F.cross_entropy(x,y.int()) !! RuntimeError: expected target dtype to be Long or Byte, but got Int
r=F.cross_entropy(x,T([1,-100,3]))-(F.cross_entropy(x,y,reduction='none')[[0,2]].mean()) -> tensor(0.)
r=F.cross_entropy(x,T([-100,-100,-100])) -> tensor(nan)
r=F.cross_entropy(x,T([-100,-100,-100]),reduction='sum') -> tensor(0.)
p=F.one_hot(y,4); r=F.cross_entropy(x,p) !! RuntimeError: Expected floating point type for target with class probabilities, got Long
p=torch.full((3,4),.25); r=F.cross_entropy(x,p,ignore_index=1) !! RuntimeError: ignore_index is not supported for floating point target
w=T([1.,2.,3.,4.]); p=F.one_hot(y,4).float(); l=F.cross_entropy(x,y,reduction='none'); r=F.cross_entropy(x,p,weight=w)-(l*w[y]).sum()/3 -> tensor(0.)
r=F.cross_entropy(x,y,label_smoothing=1.5) !! RuntimeError: label_smoothing must be between 0.0 and 1.0. Got: 1.5
r=F.cross_entropy(torch.randn(2,5,4,4),torch.randint(0,5,(2,4,4))).shape -> torch.Size([])
r=F.cross_entropy(torch.randn(5),T(2)).shape -> torch.Size([])
r=F.nll_loss(x,y,reduction='none')+x[range(3),y] -> tensor([0., 0., 0.])
r=F.mse_loss(torch.zeros(3),torch.zeros(3,1)) -> tensor(0.)
r=F.mse_loss(torch.zeros(3),torch.zeros(2)) !! RuntimeError: The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0
r=F.binary_cross_entropy(T([0.,1.]),T([1.,0.])) -> tensor(100.)
r=F.binary_cross_entropy(T([1.5]),T([1.])) !! RuntimeError: all elements of input should be between 0 and 1
r=F.binary_cross_entropy(T([.5]),T([1])) !! RuntimeError: Found dtype Long but expected Float
r=F.binary_cross_entropy(T([.5,.5]),T([[1.],[0.]])) !! ValueError: Using a target size (torch.Size([2, 1])) that is different to the input size (torch.Size([2])) is deprecated. Please ensure they have the same size.
r=F.binary_cross_entropy_with_logits(T([1000.,-1000.]),T([0.,1.])) -> tensor(1000.)
r=F.binary_cross_entropy_with_logits(T([1.]),T([1])) !! RuntimeError: result type Float can't be cast to the desired output type Long
r=F.kl_div(torch.zeros(2,3),torch.full((2,3),1/3)) -> tensor(-0.3662)
r=nn.MSELoss(reduction='foo')(T([1.]),T([2.])) !! ValueError: foo is not a valid value for reduction
r=nn.MSELoss(size_average=False) -> MSELoss()
r=F.smooth_l1_loss(T([0.,3.]),T([0.5,0.]),reduction='none') -> tensor([0.1250, 2.5000])
r=F.huber_loss(T([0.,3.]),T([0.5,0.]),reduction='none',delta=2.) -> tensor([0.1250, 4.0000])
r=F.softmax(T([1.,2.])) -> tensor([0.2689, 0.7311])
r=F.softmax(T([1,2]),0) !! NotImplementedError: "softmax_lastdim_kernel_impl" not implemented for 'Long'
r=torch.softmax(T([float('-inf'),float('-inf')]),0) -> tensor([nan, nan])
x.sum(dim=1,keepdim=True).shape -> torch.Size([3, 1])
x.sum(axis=1,keepdims=True).shape -> torch.Size([3, 1])
x.max() -> tensor(1.5410)
x.max(1).indices -> tensor([0, 3, 3])
x.min(0,keepdim=True).values.shape -> torch.Size([1, 4])
torch.max(x,x+1).shape -> torch.Size([3, 4])
x.sum((0,1)) -> tensor(-3.1417)
x.mean(-1).shape -> torch.Size([3])
x.std(dim=0,unbiased=False).shape -> torch.Size([4])
x.norm() -> tensor(3.5493)
x.argmax(dim=1,keepdim=True).shape -> torch.Size([3, 1])
x.softmax(dim=-1).sum(-1) -> tensor([1., 1., 1.])
torch.cat([x,x],dim=0).shape -> torch.Size([6, 4])
torch.stack([x,x],axis=0).shape -> torch.Size([2, 3, 4])
torch.cat([x,torch.zeros(3,5)],1).shape -> torch.Size([3, 9])
torch.cat([x,torch.zeros(2,5)],1).shape !! RuntimeError: Sizes of tensors must match except in dimension 1. Expected size 3 but got size 2 for tensor number 1 in the list.
x.sum(2) !! IndexError: Dimension out of range (expected to be in range of [-2, 1], but got 2)
x.transpose(0,1).shape -> torch.Size([4, 3])
x.permute(1,0).shape -> torch.Size([4, 3])
x.T.shape -> torch.Size([4, 3])
torch.zeros(2,3,4).mT.shape -> torch.Size([2, 4, 3])
x.squeeze(0).shape -> torch.Size([3, 4])
x.unsqueeze(1).shape -> torch.Size([3, 1, 4])
x.flatten().shape -> torch.Size([12])
x.median() -> tensor(-0.4033)
T([1.,2.,3.,4.]).median() -> tensor(2.)
x.clamp(min=0).shape -> torch.Size([3, 4])
torch.where(x>0,x,0.).shape -> torch.Size([3, 4])
x.any(), x.all(1) -> (tensor(True), tensor([True, True, True]))
x.cumsum(1).shape -> torch.Size([3, 4])
x.expand(2,-1,-1).shape -> torch.Size([2, 3, 4])
x.repeat(2,1).shape -> torch.Size([6, 4])
x.split(2,dim=1)[0].shape -> torch.Size([3, 2])
x.chunk(3,dim=1)[2].shape !! IndexError: tuple index out of range
x.gather(1,T([[0],[1],[2]])).shape -> torch.Size([3, 1])
x.masked_fill(x>0,0.).shape -> torch.Size([3, 4])
x[x>0].shape -> torch.Size([5])
x[:,None].shape -> torch.Size([3, 1, 4])
x[...,0].shape -> torch.Size([3])
x[::-1] !! ValueError: step must be greater than zero
x[T([0,2])].shape -> torch.Size([2, 4])
x[[0,2]].shape -> torch.Size([2, 4])
x[T([True,False,True])].shape -> torch.Size([2, 4])
x.view(-1).shape -> torch.Size([12])
torch.matmul(torch.zeros(2,3),torch.zeros(4,5)) !! RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)
torch.zeros(2,3)@torch.zeros(4) !! RuntimeError: size mismatch, got input (2), mat (2x3), vec (4)
torch.mm(torch.zeros(2,3),torch.zeros(4,5)) !! RuntimeError: mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)
torch.zeros(3)+torch.zeros(4) !! RuntimeError: The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 0
nn.Linear(3,2)(torch.zeros(5,4)) !! RuntimeError: mat1 and mat2 shapes cannot be multiplied (5x4 and 3x2)
nn.Linear(3,2)(torch.zeros(5,3,dtype=torch.float64)) !! RuntimeError: mat1 and mat2 must have the same dtype, but got Double and Float
nn.Linear(3,2)(torch.zeros(5,3,dtype=torch.long)) !! RuntimeError: mat1 and mat2 must have the same dtype, but got Long and Float
x.reshape(5,5) !! RuntimeError: shape '[5, 5]' is invalid for input of size 12
x.backward() !! RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn
torch.einsum('ij,jk',x,x) !! RuntimeError: einsum(): subscript j has size 3 for operand 1 which does not broadcast with previously seen size 4
F.one_hot(T([0.,2.])) !! RuntimeError: one_hot is only applicable to index tensor of type LongTensor.
nn.Dropout(1.5) !! ValueError: dropout probability has to be between 0 and 1, but got 1.5
F.dropout(torch.ones(4),p=0.5,training=False) -> tensor([1., 1., 1., 1.])
x=T([1.,2.],requires_grad=True); x.register_hook(lambda g: g*10); x.sum().backward(); r=x.grad -> tensor([10., 10.])
x=T([1.]); x.register_hook(lambda g: g) !! RuntimeError: cannot register a hook on a tensor that doesn't require gradient
x=T([-1.],requires_grad=True); x.sqrt().sum().backward(); r=x.grad -> tensor([nan])
r=T([1.],requires_grad=True).__dlpack__() !! BufferError: Can't export tensors that require gradient, use tensor.detach()
r=T([1.]).__array_namespace__() !! AttributeError: 'Tensor' object has no attribute '__array_namespace__'
x=T([0.],requires_grad=True); (F.relu(x)).sum().backward(); r=x.grad -> tensor([0.])
x=T([0.],requires_grad=True); (x.abs()).sum().backward(); r=x.grad -> tensor([0.])
x=T([0.],requires_grad=True); (x.clamp(min=0)).sum().backward(); r=x.grad -> tensor([1.])
x=T([0.],requires_grad=True); (x.clamp(0,1)).sum().backward(); r=x.grad -> tensor([1.])
x=T([0.],requires_grad=True); (torch.maximum(x,torch.zeros(1))).sum().backward(); r=x.grad -> tensor([0.5000])
x=T([0.],requires_grad=True); (x.sqrt()).sum().backward(); r=x.grad -> tensor([inf])
x=T([0.],requires_grad=True); (x.norm()).sum().backward(); r=x.grad -> tensor([0.])
x=T([0.],requires_grad=True); (x.sign()).sum().backward(); r=x.grad -> tensor([0.])
x=T([0.],requires_grad=True); (F.leaky_relu(x)).sum().backward(); r=x.grad -> tensor([0.0100])
x=T([0.],requires_grad=True); (F.hardtanh(x,0,1)).sum().backward(); r=x.grad -> tensor([0.])
x=T([0.],requires_grad=True); (F.elu(x)).sum().backward(); r=x.grad -> tensor([1.])
x=T([0.],requires_grad=True); (torch.max(x,torch.zeros(1))).sum().backward(); r=x.grad -> tensor([0.5000])
x=T([0.],requires_grad=True); (x**0).sum().backward(); r=x.grad -> tensor([0.])
x=T([0.],requires_grad=True); (x**2).sum().backward(); r=x.grad -> tensor([0.])
x=T([0.],requires_grad=True); (x**0.5).sum().backward(); r=x.grad -> tensor([inf])
x=T([0.],requires_grad=True); (torch.pow(x,x)).sum().backward(); r=x.grad -> tensor([0.])
x=T([0.],requires_grad=True); (F.relu6(x)).sum().backward(); r=x.grad -> tensor([0.])
x=T([0.],requires_grad=True); (torch.where(x>0,x,-x)).sum().backward(); r=x.grad -> tensor([-1.])
x=T([0.],requires_grad=True); (F.softplus(x)).sum().backward(); r=x.grad -> tensor([0.5000])
x=T([0.],requires_grad=True); (x.prod()).sum().backward(); r=x.grad -> tensor([1.])
x=T([0.],requires_grad=True); (F.gelu(x)).sum().backward(); r=x.grad -> tensor([0.5000])
x=T([0.],requires_grad=True); (x.floor()).sum().backward(); r=x.grad -> tensor([0.])
x=T([0.],requires_grad=True); (x.round()).sum().backward(); r=x.grad -> tensor([0.])
x=T([1.,1.,0.],requires_grad=True); x.max().backward(); r=x.grad -> tensor([0.5000, 0.5000, 0.0000])
x=T([1.,1.,0.],requires_grad=True); x.max(0).values.backward(); r=x.grad -> tensor([1., 0., 0.])
x=T([1.,1.,0.],requires_grad=True); x.amax(0).backward(); r=x.grad -> tensor([0.5000, 0.5000, 0.0000])
x=T([1.,3.,2.,2.],requires_grad=True); x.median().backward(); r=x.grad -> tensor([0.0000, 0.0000, 0.5000, 0.5000])
x=T([0.,2.,3.],requires_grad=True); x.prod().backward(); r=x.grad -> tensor([6., 0., 0.])
x=T([1.,2.],requires_grad=True); torch.maximum(x,x.detach().clone()).sum().backward(); r=x.grad -> tensor([0.5000, 0.5000])
"""
ROWS = [line for line in LINES.strip().splitlines() if line]


def names() -> dict[str, Any]:
    """What the lines speak of, made anew for each."""
    torch.manual_seed(0)
    return {
        "torch": torch, "nn": nn, "F": nn.functional, "np": np, "T": torch.tensor, "x": torch.randn(3, 4),
        "y": torch.tensor([1, 0, 3]), "p": nn.Parameter(torch.tensor([1.0, 2.0])), "q": nn.Parameter(torch.tensor([3.0])),
        "m": nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)), "i": torch.tensor([1, 2]), "f": torch.tensor([1.0, 2.0]),
        "d": torch.tensor([1.0, 2.0], dtype=torch.float64), "b": torch.tensor([True, False]),
        "h": torch.tensor([1.0, 2.0], dtype=torch.float16), "g": torch.tensor([1.0, 2.0], requires_grad=True),
    }  # fmt: skip


def answer(code: str) -> str:
    """The right half of a line, as this package gives it."""
    scope = names()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return f"-> {eval(code, scope)!r}"
            except SyntaxError:
                exec("\n".join(code.split("; ")), scope)
                return f"-> {scope.get('r')!r}"
    except Exception as error:
        return f"!! {type(error).__name__}: {str(error).splitlines()[0]}"


@pytest.mark.parametrize("line", ROWS)
def test_line(line: str) -> None:
    code, arrow, expected = line.partition(" -> ") if " -> " in line else line.partition(" !! ")
    assert answer(code) == f"{arrow.strip()} {expected}"
