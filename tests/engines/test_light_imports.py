"""Engines are imported for their options alone: heavy packages come with a run."""

from __future__ import annotations

import subprocess
import sys

from spinbattery.engines.registry import engines

HEAVY = ("numba", "llvmlite", "scipy", "xarray", "networkx", "pandas", "dimod")


def test_classes_of_engines_are_imported_without_heavy_packages():
    modules = sorted(
        {engine.__module__ for engine in engines().values() if engine.__module__.startswith("spinbattery.")}
    )
    code = f"import sys, {', '.join(modules)}\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []


def test_the_self_test_of_spins_alone_needs_no_scipy():
    code = (
        "import sys\nfrom spinbattery.engines.dense.product import Product\n"
        "for engine, known in Product.self_tests():\n"
        "    if known.problem.is_local:\n        engine.run(known.problem)\n"
        "print(*[name for name in sys.modules if name.split('.')[0] == 'scipy'])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
