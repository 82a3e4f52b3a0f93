"""What is installed, by the metadata of the package itself."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version

from packaging.requirements import Requirement

from ..core.errors import MissingDependencyError
from ..core.installing import install_extra_command

_PACKAGE = "spinbattery"
_COMPILER = "llvmlite"
"""Numba's compiler, whose version decides with Numba's whether compiled kernels are found again."""


@dataclass(frozen=True)
class Needed:
    """A package that is needed.

    Attributes:
        requirement: the package with the versions that will do, such as ``numpy>=2.1``.
        version: the version that is installed, or None.
        suits: whether that version will do.
    """

    requirement: str
    version: str | None
    suits: bool


@dataclass(frozen=True)
class Extra:
    """An optional part.

    Attributes:
        name: the extra's name.
        packages: what it consists of.
        install: the command that installs what is missing.
    """

    name: str
    packages: tuple[Needed, ...]
    install: str

    @property
    def is_complete(self) -> bool:
        """Whether all of it is installed, in versions that will do."""
        return all(package.suits for package in self.packages)


@dataclass(frozen=True)
class Installation:
    """Versions, what spinbattery needs, and its optional parts.

    Attributes:
        versions: of Python, spinbattery, Numba's compiler and all packages that spinbattery needs, by name.
        needed: what spinbattery needs in any case.
        extras: its optional parts.
    """

    versions: dict[str, str]
    needed: tuple[Needed, ...]
    extras: tuple[Extra, ...]

    @property
    def is_complete(self) -> bool:
        """Whether all that is needed in any case is installed, in versions that will do."""
        return all(package.suits for package in self.needed)


def read_installation() -> Installation:
    """Versions and optional parts, from the metadata of the installed package.

    Raises:
        MissingDependencyError: spinbattery itself is not installed, as in a source tree that is only on the path.
    """
    own = _own()
    needed = tuple(_needed(own, ""))
    extras = [
        Extra(name, tuple(_needed(own, name)), install_extra_command(name))
        for name in own.metadata.get_all("Provides-Extra") or []
    ]
    return Installation(_versions(own, needed), needed, tuple(extras))


def read_versions() -> dict[str, str]:
    """Versions of all that takes part in a run, see :class:`Installation`.

    Raises:
        MissingDependencyError: as from :func:`read_installation`.
    """
    own = _own()
    return _versions(own, _needed(own, ""))


def _own() -> Distribution:
    try:
        return distribution(_PACKAGE)
    except PackageNotFoundError:
        raise MissingDependencyError(
            "spinbattery is not installed, so that its engines and commands are not found; run pip install -e . in its "
            "source tree."
        ) from None


def _versions(own: Distribution, needed: Iterable[Needed]) -> dict[str, str]:
    found = {_COMPILER: _version(_COMPILER)} | {Requirement(one.requirement).name: one.version for one in needed}
    known = {name: found[name] for name in sorted(found, key=str.lower)}
    own_versions = {"python": platform.python_version(), _PACKAGE: own.version}
    return own_versions | {name: version for name, version in known.items() if version is not None}


def _needed(own: Distribution, extra: str) -> Iterator[Needed]:
    """What an extra adds, extras that it names included; with no name, what is needed in any case."""
    for line in own.requires or []:
        requirement = Requirement(line)
        marker = requirement.marker
        if bool(extra) == (marker is None or marker.evaluate({"extra": ""})):
            continue  # needed in any case, which is no part of an extra
        if marker is not None and not marker.evaluate({"extra": extra}):
            continue
        if requirement.name == _PACKAGE:
            for inner in sorted(requirement.extras):
                yield from _needed(own, inner)
            continue
        found = _version(requirement.name)
        suits = found is not None and requirement.specifier.contains(found, prereleases=True)
        requirement.marker = None
        yield Needed(str(requirement), found, suits)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
