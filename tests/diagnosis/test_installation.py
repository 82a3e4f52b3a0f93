"""Versions and optional parts come from the metadata of the package."""

from __future__ import annotations

import re
from importlib import metadata

import pytest

from spinbattery.core.errors import MissingDependencyError
from spinbattery.core.installing import install_extra_command
from spinbattery.diagnosis import installation
from spinbattery.diagnosis.installation import read_installation, read_versions


class Metadata(metadata.Distribution):
    """A distribution named spinbattery with other requirements."""

    def read_text(self, filename):
        lines = [
            "Metadata-Version: 2.1",
            "Name: spinbattery",
            "Version: 7.1",
            "Requires-Dist: numpy>=2",
            "Requires-Dist: scipy>=9999",
            "Requires-Dist: winonly; sys_platform == 'nowhere'",
            "Provides-Extra: more",
            "Requires-Dist: no-such-package>=3; extra == 'more'",
            "Provides-Extra: all",
            "Requires-Dist: spinbattery[more]; extra == 'all'",
            "Requires-Dist: pytest>=1; extra == 'all'",
        ]
        return "\n".join(lines) + "\n" if filename == "METADATA" else None

    def locate_file(self, path):
        raise NotImplementedError


def test_the_installed_package_has_its_versions_and_extras():
    found = read_installation()
    assert {"qutip", "qpu", "cluster", "qtea", "test"} <= {extra.name for extra in found.extras}
    needed = [re.match(r"[\w.-]+", line)[0] for line in metadata.requires("spinbattery") if "extra ==" not in line]
    assert set(found.versions) == {"python", "spinbattery", "llvmlite", *needed}
    assert {"numba", "dwave-graphs", "igraph", "pandas"} <= set(needed)
    assert read_versions() == found.versions
    assert found.versions["numpy"] == metadata.version("numpy")
    assert found.is_complete


def test_what_is_missing_or_too_old_is_listed_with_its_install_command(monkeypatch):
    monkeypatch.setattr(installation, "distribution", lambda name: Metadata())
    found = read_installation()
    assert found.versions["spinbattery"] == "7.1"
    assert [(package.requirement, package.suits) for package in found.needed] == [
        ("numpy>=2", True), ("scipy>=9999", False)
    ]  # fmt: skip
    assert not found.is_complete
    more, everything = found.extras
    assert (more.name, more.is_complete, more.install) == ("more", False, install_extra_command("more"))
    assert [(package.requirement, package.version) for package in more.packages] == [("no-such-package>=3", None)]
    assert [package.requirement for package in everything.packages] == ["no-such-package>=3", "pytest>=1"]
    assert [package.suits for package in everything.packages] == [False, True]


def test_a_source_tree_that_is_only_on_the_path_is_refused(monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(installation, "distribution", missing)
    with pytest.raises(MissingDependencyError, match="pip install -e"):
        read_installation()
