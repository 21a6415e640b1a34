"""PyTorch's longer sentences about graphs and gradients, word for word."""

NO_FLOAT = "only Tensors of floating point dtype can require gradients"
NO_HOOK = "cannot register a hook on a tensor that doesn't require gradient"
NOT_A_LEAF = (
    "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph "
    "that doesn't require differentiation use var_no_grad = var.detach()."
)
INFERENCE_GRAD = "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
NON_LEAF_GRAD = (
    "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
    "populated during autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, "
    "use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access the "
    "leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for more information."
)
GRAD_SIZE = (
    "attempting to assign a gradient of size '{}' to a tensor of size '{}'. Please ensure that the gradient and the "
    "tensor are the same size"
)
GRAD_DTYPE = (
    "attempting to assign a gradient with dtype '{}' to a tensor with grad_dtype '{}'. The gradient must match the "
    "tensor's grad_dtype (defaults to the tensor's dtype). You can set the tensor's grad_dtype attribute with a "
    "specific dtype, or None to allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor and its "
    "gradient may break downstream systems that assume they match."
)
INFERENCE_SAVED = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
    "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use "
    "it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`."
)
INFERENCE_WRITTEN = (
    "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal "
    "tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."
)
NO_VERSION = "Inference tensors do not track version counter."
LEAF_WRITTEN = "a leaf Variable that requires grad is being used in an in-place operation."
RESIZED = (
    "An output with one or more elements was resized since it had shape {}, which does not match the required output "
    "shape {}. This behavior is deprecated, and in a future PyTorch release outputs will not be resized unless they "
    "have zero elements. You can explicitly reuse an out tensor t by resizing it, inplace, to zero elements with "
    "t.resize_(0)."
)
OUT_GRAD = (
    "{}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires "
    "grad."
)
# How a view was made, if a write into it or its base cannot be recorded: the sentence that PyTorch adds.
MADE_IN_MODE = (
    " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both "
    "the view and the inplace either both inside the {0} block (if you don't want the inplace to be tracked) or both "
    "outside (if you want the inplace to be tracked)."
)
CREATIONS = {
    "no_grad": MADE_IN_MODE.format("no_grad"),
    "inference": MADE_IN_MODE.format("inference_mode"),
    "several": (
        " This view is the output of a function that returns multiple views. Such functions do not allow the output "
        "views to be modified inplace. You should replace the inplace operation by an out-of-place one."
    ),
    "custom": (
        " This view was created inside a custom Function (or because an input was returned as-is) and the autograd "
        "logic to handle view+inplace would override the custom backward associated with the custom Function, leading "
        "to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom "
        "Function."
    ),
}
DETACH_VIEW = (
    "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, "
    "and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be "
    "called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in "
    "torch/optim/optimizer.py as the solution."
)
PARTIAL_OVERLAP = (
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
    "location. Please clone() the tensor before performing the operation."
)
OVERLAP = (
    "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
    "Please clone() the tensor before performing the operation."
)
SECOND = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
    "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
    "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
    "saved tensors after calling backward."
)
MUTATED = (
    "one of the variables needed for gradient computation has been modified by an inplace operation: {} is at version "
    "{}; expected version {} instead. Hint: enable anomaly detection to find the operation that failed to compute its "
    "gradient, with torch.autograd.set_detect_anomaly(True, check_nan=False)."
)
INVALID_GRADIENT = "Function {} returned an invalid gradient at index {} - got {} but expected shape compatible with {}"
SEED_SHAPE = (
    "Mismatch in shape: grad_output[{0}] has a shape of torch.Size({1}) and output[{0}] has a shape of torch.Size({2})."
)
BATCH_SHAPE = (
    "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. The "
    "sizes of the remaining dimensions are expected to match the shape of corresponding output, but a mismatch was "
    "detected: grad_output[{0}] has a shape of torch.Size({1}) and output[{0}] has a shape of torch.Size({2}). If you "
    "only want some tensors in `grad_output` to be considered batched, consider using vmap."
)
ONLY_INPUTS = (
    "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other parts "
    "of the graph, please use torch.autograd.backward."
)
UNUSED = (
    "The differentiated Tensor at index {} appears to not have been used in the graph. Set allow_unused=True if this "
    "is the desired behavior."
)
MATERIALIZED = (
    "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
)

# ------------------------------------------------------------------------------------------ autograd.functional
NO_TENSORS = "The {0} given to {1} must be either a Tensor or a tuple of Tensors but the {2} has type {3}."
V_MISSING = "The vector v can only be None if {} a single Tensor with a single element."
V_SINGLE = "The given v should contain a single Tensor."
V_LENGTH = "v is a tuple of invalid length: should be {} but got {}."
V_SIZE = "{} has invalid size: should be torch.Size({}) but got torch.Size({})."
STRATEGY = 'Expected strategy to be either "forward-mode" or "reverse-mode".'
STRATEGY_HINT = (
    ' Hint: If your function has more outputs than inputs, "forward-mode" tends to be more performant. Otherwise, '
    'prefer to use "reverse-mode".'
)
FORWARD_MODE = (
    'torch.autograd.functional.jacobian: `{0}=True` and `strategy="forward-mode"` are not supported together (yet). '
    'Please either set `{0}=False` or `strategy="reverse-mode"`.'
)
FORWARD_VECTORIZED = (
    "Computing Jacobian using forward-AD or forward-over-reverse Hessian isonly implemented for `vectorize=True`."
)
STRICT_VECTORIZED = (
    "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. Please either "
    "set `strict=False` or `vectorize=False`."
)
# These are refused with `strict=True`; the last {} of each is the number of an output or an input.
NO_GRAPH = (
    "Output {} of the user-provided function does not require gradients. The outputs must be computed in a "
    "differentiable manner from the input when running in strict mode."
)
INDEPENDENT = "{} of the user-provided function is independent of input {{}}. This is not allowed in strict mode."
CONSTANT = (
    "{} of the user-provided function is independent of input {{}}. This is not allowed in strict mode when "
    "create_graph=True."
)
CONSTANT_GRADIENT = (
    "The gradient with respect to input {} is independent of the inputs of the user-provided function. This is not "
    "allowed in strict mode."
)
CONSTANT_ENTRY = (
    "The gradient with respect to the input is independent of entry {} in the grad_outputs when using the double "
    "backward trick to compute forward mode gradients. This is not allowed in strict mode."
)
CONSTANT_HESSIAN = (
    "The hessian of the user-provided function is independent of entry {} in the grad_jacobian. This is not allowed in "
    "strict mode as it prevents from using the double backward trick to replace forward mode AD."
)
LINEAR = (
    "While computing the hessian, found that the jacobian of the user-provided function with respect to input {} is "
    "independent of the input. This is not allowed in strict mode. You should ensure that your function is twice "
    "differentiable and that the jacobian depends on the inputs (this would be violated by a linear function for "
    "example)."
)

# ------------------------------------------------------------------------------------------ autograd.Function
NO_FORWARD = "You must implement the forward function for custom autograd.Function."
NO_BACKWARD = (
    "You must implement either the backward or vjp method for your custom autograd.Function to use it with backward "
    "mode AD."
)
LEGACY = (
    "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function "
    "with static forward method. (Example: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
)
DIRTY_LOST = (
    "Some elements marked as dirty during the forward method were not returned as output. The inputs that are modified "
    "inplace must all be outputs of the Function."
)
INSTANTIATED = (
    "{} should not be instantiated. Methods on autograd functions are all static, so you should invoke them on the "
    "class itself. Instantiating an autograd function will raise an error in a future version of PyTorch."
)
TWO_BACKWARDS = (
    "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement one of "
    "them."
)
NOT_A_VARIABLE = (
    "function {}Backward returned a gradient different than None at position {}, but the corresponding forward input "
    "was not a Variable"
)
WRONG_COUNT = "function {}Backward returned an incorrect number of gradients (expected {}, got {})"

# ------------------------------------------------------------------------------------------ the command doctor
DOCTOR = {
    "en": {
        "missing": "{} is not in this package",
        "perhaps": "perhaps {0}: if .{1} is meant of a tensor, it is not in this package",
        "none": "All of PyTorch's names that the script uses are here.",
        "sum": "Names that are not here: {}. Perhaps: {}.",
        "where": "docs/names.md lists what is here; so does dir(torch).",
        "unreadable": "tinygrad_pt: cannot read {}: {}",
    },
    "pt": {
        "missing": "{} não está neste pacote",
        "perhaps": "talvez {0}: se .{1} for de um tensor, não está neste pacote",
        "none": "Todos os nomes do PyTorch que o programa usa estão aqui.",
        "sum": "Nomes que não estão aqui: {}. Talvez: {}.",
        "where": "docs/names.md lista o que há aqui; dir(torch) também.",
        "unreadable": "tinygrad_pt: não foi possível ler {}: {}",
    },
}
