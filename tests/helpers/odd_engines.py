"""Engines for the self-test: one that is right, and some that are not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from spinbattery.core.errors import MissingDependencyError
from spinbattery.engines.dense.product import Product


@dataclass(frozen=True)
class Twisted(Product):
    """Solves a problem with a field that is one per cent too large."""

    name: ClassVar[str] = "twisted"

    def solve(self, problem, times, progress, checkpoint):
        protocol = replace(problem.protocol, h=1.01 * problem.protocol.h)
        return super().solve(replace(problem, protocol=protocol), times, progress, checkpoint)


@dataclass(frozen=True)
class Raising(Product):
    name: ClassVar[str] = "raising"

    def solve(self, problem, times, progress, checkpoint):
        raise ZeroDivisionError("no such luck")


@dataclass(frozen=True)
class Lacking(Product):
    name: ClassVar[str] = "lacking"

    def solve(self, problem, times, progress, checkpoint):
        raise MissingDependencyError("the lacking engine needs something; install something.")


@dataclass(frozen=True)
class Choosy(Product):
    name: ClassVar[str] = "choosy"

    def refusal(self, problem):
        return "nothing is good enough."


class NoEngine:
    """Of a package that offers anything."""
