"""`spinbattery doctor`: the state of this installation."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from ..core.installing import install_command
from . import options as o
from .console import print_json, progress_bar

if TYPE_CHECKING:
    from ..diagnosis.kernels import Kernels
    from ..diagnosis.report import Diagnosis, Machine


def doctor(as_json: o.AsJson = False, quiet: o.Quiet = False) -> None:
    """Examine this installation: versions, machine, compiled kernels, optional parts, and a self-test of every engine.

    Exit code 1 where a self-test fails or a package is missing or too old.
    """
    from ..diagnosis.report import diagnose

    with progress_bar(quiet, "start it again for a whole report.") as progress:
        found = diagnose(progress)
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found)
    if not found.healthy:
        raise typer.Exit(1)


def _print(found: Diagnosis) -> None:
    installation, machine, kernels = found.installation, found.machine, found.kernels
    print("versions: " + ", ".join(f"{name} {version}" for name, version in installation.versions.items()))
    for package in installation.needed:
        if not package.suits:
            print(
                f"    needed: {package.requirement}, but {package.version or 'nothing'} is installed; "
                f"run {install_command(package.requirement)}"
            )
    print(f"machine: {machine.system}, {machine.cores} of {machine.all_cores} cores, {_memory(machine)}")
    print(f"compiled kernels: {where_they_are(kernels)}; {kernels.compiled} were compiled now")
    if kernels.advice:
        print(f"    {kernels.advice}")
    print("optional parts:")
    for extra in installation.extras:
        missing = [package.requirement for package in extra.packages if not package.suits]
        print(f"    {extra.name}: " + (f"missing {', '.join(missing)}; {extra.install}" if missing else "installed"))
    print("self-test of the engines:")
    for test in found.engines:
        print(
            f"    {test.name} ({test.package}): {test.verdict.value}, {test.seconds:.1f} s, "
            f"and {test.preparing_seconds:.1f} s for imports and compilation"
        )
        for text in (test.message, test.advice):
            if text:
                print(f"        {text}")


def _memory(machine: Machine) -> str:
    if machine.memory_bytes is None or machine.all_memory_bytes is None:
        return "memory unknown"
    return f"{machine.memory_bytes / 1e9:.1f} of {machine.all_memory_bytes / 1e9:.1f} GB of memory"


def where_they_are(kernels: Kernels) -> str:
    """How many compiled kernels are kept, and the folder, or the one that theirs are in."""
    if not kernels.folders:
        return "none is kept"
    return f"{kernels.kept} are kept in {os.path.commonpath(kernels.folders)}, {kernels.n_bytes / 1e6:.1f} MB"
