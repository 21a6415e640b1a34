"""Where a fault shows: the lines that run when it does, so that the tests of those lines are tried."""

from __future__ import annotations

from functools import cache
from typing import Any

import parso

from tests.mutation.mutants import Mutant, read


@cache
def tree_of(file: str) -> Any:
    return parso.parse(read(file))


def lines_that_run(mutant: Mutant) -> list[range]:
    """Stretches of lines, the nearest first; what runs when the module is imported may show anywhere in it."""
    tree = tree_of(mutant.file)
    node, called = tree.get_leaf_for_position(mutant.start, include_prefixes=True), False
    statement = None
    stretches = [range(mutant.start[0], mutant.end[0] + 1)]
    while node.parent is not None:
        parent = node.parent
        if statement is None and parent.type in ("file_input", "suite"):
            statement = node
        if parent.type in ("funcdef", "lambdef") and node is parent.children[-1]:  # its body: runs when called
            called = True
            if parent.type == "lambdef" and statement is None:
                statement = parent
            stretches.append(range(parent.start_pos[0], parent.end_pos[0] + 1))
            break
        if parent.type in ("file_input", "suite"):
            stretches.append(range(node.start_pos[0], node.end_pos[0] + 1))
        node = parent
    if not called:
        stretches.append(range(1, tree.end_pos[0] + 1))
    return stretches
