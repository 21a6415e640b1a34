"""PyTorch's own database of ops, modules and optimizers as a standing test of this package.

`python -m tests.conformance` prints what agrees. It needs PyTorch 2.13, whose wheel carries the database, and
`expecttest`, which the database imports.
"""
