"""Shape of a tree of tensors with three legs each.

The nodes are numbered so that children come before their parents; the root is the last. Legs 0 and 1 of a node lead to
its children, which are nodes or blocks of spins; leg 2 leads to its parent, and at the root to a third child. A chain
is a tree whose nodes each have a block as a child.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ..common.ordering import Block, Halves, Part

Link = tuple[int, int]
"""Node and neighbour; block k has the number -1 - k, and a missing third child the number of nodes."""


@dataclass(frozen=True)
class Layout:
    """Shape of a tree: spins of each block, two children of each node, and a third child of the root, if any."""

    blocks: tuple[Block, ...]
    children: tuple[tuple[int, int], ...]
    crown: int | None

    @classmethod
    def of(cls, halves: Halves) -> Layout:
        """Layout of the halves of a network."""
        blocks: list[Block] = []
        children: list[tuple[int, int]] = []

        def add(part: Part) -> int:
            if isinstance(part, Halves):
                pair = add(part.first), add(part.second)
                children.append(pair)
                return len(children) - 1
            blocks.append(part)
            return -len(blocks)

        first, second = (halves.second, halves.first) if isinstance(halves.first, Halves) else halves
        crown: int | None = add(first)
        last = add(second)
        if last < 0:
            children.append((-1, -2))
            crown = None
        return cls(tuple(blocks), tuple(children), crown)

    @property
    def root(self) -> int:
        return len(self.children) - 1

    @cached_property
    def parents(self) -> dict[int, int]:
        """Parent of each node and block."""
        found = {child: node for node, pair in enumerate(self.children) for child in pair}
        return found if self.crown is None else found | {self.crown: self.root}

    @cached_property
    def _neighbours(self) -> tuple[tuple[int, int, int], ...]:
        above = len(self.children) if self.crown is None else self.crown
        return tuple((*pair, self.parents.get(node, above)) for node, pair in enumerate(self.children))

    def neighbours(self, node: int) -> tuple[int, int, int]:
        """Nodes and blocks that the legs of a node lead to; the number of nodes if there is none."""
        return self._neighbours[node]

    @cached_property
    def below(self) -> dict[int, tuple[int, ...]]:
        """Spins of each block and below each node."""
        found = {-1 - k: spins for k, spins in enumerate(self.blocks)}
        for node, (a, b) in enumerate(self.children):
            found[node] = found[a] + found[b]
        if self.crown is not None:
            found[self.root] += found[self.crown]
        return found

    @cached_property
    def full_dimensions(self) -> tuple[float, ...]:
        """Dimension of the link above each node without truncation; a float, as it may be very large."""
        n = len(self.below[self.root])
        sizes = [len(self.below[node]) for node in range(len(self.children))]
        return tuple(2.0 ** min(size, n - size, 1000) for size in sizes)
