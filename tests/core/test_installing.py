"""Commands that install what is missing repeat how spinbattery was installed."""

from __future__ import annotations

import importlib.metadata
import json
import shlex
import sys

import pytest

from spinbattery.core.installing import install_command, install_extra_command

PIP = [sys.executable, "-m", "pip", "install"]


@pytest.fixture
def installed_from(monkeypatch):
    def set_origin(origin):
        class Found:
            def read_text(self, name):
                assert name == "direct_url.json"
                return None if origin is None else json.dumps(origin)

        monkeypatch.setattr(importlib.metadata, "distribution", lambda name: Found())

    return set_origin


def test_from_an_index(installed_from):
    installed_from(None)
    assert shlex.split(install_extra_command("qutip")) == [*PIP, "spinbattery[qutip]"]
    assert shlex.split(install_command("numpy>=2")) == [*PIP, "numpy>=2"]


def test_from_a_folder_that_is_gone_or_a_repository_the_index_is_left(installed_from, tmp_path):
    for url in ((tmp_path / "gone").as_uri(), "https://example.org/spinbattery.git"):
        installed_from({"url": url})
        assert shlex.split(install_extra_command("qutip")) == [*PIP, "spinbattery[qutip]"]


@pytest.mark.parametrize("is_editable", [True, False])
def test_from_a_clone_with_its_constraints(installed_from, tmp_path, is_editable):
    clone = tmp_path / "my clone"
    clone.mkdir()
    installed_from({"url": clone.as_uri(), "dir_info": {"editable": True} if is_editable else {}})
    local = [*(["-e"] if is_editable else []), f"{clone}[qutip]"]
    assert shlex.split(install_extra_command("qutip")) == [*PIP, *local]
    (clone / "constraints.txt").write_text("numpy==2.1\n")
    pinned = ["-c", str(clone / "constraints.txt")]
    assert shlex.split(install_extra_command("qutip")) == [*PIP, *pinned, *local]
    assert shlex.split(install_command("numpy>=2")) == [*PIP, *pinned, "numpy>=2"]


def test_where_it_is_not_installed(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    assert shlex.split(install_extra_command("qutip")) == [*PIP, "spinbattery[qutip]"]
