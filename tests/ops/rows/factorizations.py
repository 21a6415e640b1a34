"""Rows of the inverse, the determinant and the factorizations; their laws as matrices stand in tests/functions/test_linalg.py.

Elements a whole gap apart make small matrices that are far from singular. Ops that read one triangle of a symmetric
matrix have a gradient that is symmetric too, so that only numbers can be checked element by element.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.rows.row import *  # noqa: F403

apart = Domain(gap=1.0)
SQUARE = cases([((2, 2),), ((1, 1),), ((2, 1, 1),)])


def stacked(*factors: Any) -> Any:
    return np.concatenate(factors, -2)


def _svd(a: Any) -> Any:
    u, s, v = np.linalg.svd(a, full_matrices=False)
    return stacked(u, s[..., None, :], v.swapaxes(-1, -2))


def _qr(a: Any) -> Any:
    q, r = np.linalg.qr(a)
    return stacked(q, r.swapaxes(-1, -2))


def _lu(a: Any) -> Any:
    y = np.array(a)
    if a.shape[-1] == 2:
        y[..., 1, 0] /= y[..., 0, 0]
        y[..., 1, 1] -= y[..., 1, 0] * y[..., 0, 1]
    return y


def _adjugate_t(a: Any) -> Any:
    if a.shape[-1] == 1:
        return np.ones_like(a)
    return np.array([[a[1, 1], -a[1, 0]], [-a[0, 1], a[0, 0]]])


def _series(a: Any) -> Any:
    y = term = np.broadcast_to(np.eye(a.shape[-1]), a.shape)
    for k in range(1, 40):
        term = term @ a / k
        y = y + term
    return y


ZERO = np.zeros((2, 2))

FACTORIZATIONS = (
    "inverse solution det cofactors log_abs_det eigh svd cholesky qr lu pinv matrix_exp".split()
)  # LAPACK has no float16, nor more digits than float64

row("inverse", np.linalg.inv, apart, SQUARE)
row("solution", np.linalg.solve, apart, cases([((2, 2), (2, 2)), ((1, 1), (2, 1, 2)), ((2, 1, 1), (1, 1))]))
row("det", np.linalg.det, apart, SQUARE, at(ZERO, 0, ZERO),
    at([[1.0, 2], [2, 4]], 0, [[4, -2], [-2, 1]]))  # fmt: skip
row("cofactors", _adjugate_t, apart, cases([((2, 2),), ((1, 1),)]), at([[1.0, 2], [2, 4]], [[4, -2], [-2, 1]]))
row("log_abs_det", lambda a: np.log(np.abs(np.linalg.det(a))), apart, SQUARE, at(ZERO, -inf))
row("eigh", lambda a, uplo: stacked(a, np.ones_like(a)), nonzero, cases([((1, 1),), ((2, 1, 1),)], dict(uplo="L")))
row("svd", _svd, apart, cases([((2, 2),), ((2, 1),), ((1, 2),)]))
row("cholesky", np.sqrt, positive, cases([((1, 1),), ((2, 1, 1),)]))
row("qr", _qr, apart, cases([((2, 2),), ((2, 1),)]))
row("lu", _lu, apart, SQUARE)
row("pinv", lambda a, **_: np.linalg.pinv(a), apart,
    cases([((2, 2),), ((2, 1),), ((1, 2),)], dict(atol=0.0, rtol=1e-12, hermitian=False)))  # fmt: skip
row("matrix_exp", _series, fraction, SQUARE, at(ZERO, np.eye(2)))
