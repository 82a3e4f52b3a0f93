"""The engine of docs/extending.md, installed from outside, is found everywhere with no line of ours changed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"

SCRIPT = r"""
import json, sys, warnings
from importlib.metadata import entry_points
from pathlib import Path
from typer.testing import CliRunner
import spinbattery as sb
from spinbattery.cli.main import app
from spinbattery.core.errors import FitError
from spinbattery.diagnosis.self_test import check_engine

warnings.simplefilter("error")

def call(*arguments):
    result = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "400", "TERMINAL_WIDTH": "400"})
    assert result.exit_code == 0, (arguments, result.output, result.exception)
    return result.output

here = Path(sys.argv[1])
found = {}
record = sb.charge("ring:4", sb.cooperative(20.0), engine="toy", times=[5.0, 10.0])
found["python"] = [record.magnetization, record.variance, record.precision]
charge = ("charge", "--network", "ring:4", "--duration", "20ns", "--quiet")
found["help"] = call("charge", "--help")
found["charge"] = json.loads(call(*charge, "--engine", "toy", "--miss", "0.2", "--store", str(here / "a"), "--json"))
found["list"] = json.loads(call("store", "list", str(here / "a"), "--where", "miss=0.2", "--json"))
found["none"] = json.loads(call("store", "list", str(here / "a"), "--where", "miss=0.3", "--json"))
(here / "sweep.toml").write_text('''
networks = ["ring:3", "ring:4", "ring:5"]
[[protocols]]
name = "cooperative"
duration = "20ns"
[[engines]]
name = "toy"
miss = 0.2
[[engines]]
name = "toy"
miss = 0.3
''')
call("sweep", str(here / "sweep.toml"), "--store", str(here / "b"), "--workers", "1", "--quiet")
store = sb.Store(here / "b")
data = store.select()
found["coordinate"] = sorted(set(data["miss"].values.tolist()))
found["filtered"] = len(store.select(miss=slice(0.25, None)).run)
found["alpha"] = sb.fit_scaling(store.select(miss=0.2)).alpha
try:
    sb.fit_scaling(data)
except FitError as error:
    found["mixed"] = str(error)
found["table"] = json.loads(call("engines", "--json"))
found["self-test"] = check_engine(entry_points(group="spinbattery.engines")["toy"]).verdict.value
wrong = CliRunner().invoke(app, [*charge, "--engine", "statevector", "--miss", "0.2"])
found["wrong"] = str(wrong.exception)
print("FOUND" + json.dumps(found))
"""


ODD = """
from toy_battery import *
from spinbattery import Engine
from spinbattery.records.solution import Convergence

class Clash(Toy):
    name = "clash"
    points: int = field(default=3, metadata=option("Has the name of a flag.", column=Column("INTEGER", "points")))
    field: float = field(default=1.0, metadata=option("Has the name of a column.", column=Column("REAL", "field")))

Clash = dataclass(frozen=True)(Clash)

class Doubtful(Toy):
    name = "doubtful"

    def solve(self, *arguments):
        from dataclasses import replace
        return replace(super().solve(*arguments), verdict=Convergence(magnetization=True, precision=False))

class NoEngine:
    pass

broken = 1 / 0
"""

ODD_SCRIPT = r"""
import json, warnings
from typer.testing import CliRunner
from spinbattery.cli.main import app

charge = ["charge", "--network", "ring:4", "--duration", "20ns", "--quiet", "--json"]
with warnings.catch_warnings(record=True) as doubts:
    warnings.simplefilter("always")
    results = [CliRunner().invoke(app, [*charge, "--engine", name]) for name in ("auto", "clash", "doubtful")]
data = [json.loads(result.stdout) if result.exit_code == 0 else str(result.exception) for result in results]
print("FOUND" + json.dumps([data, [str(doubt.message) for doubt in doubts]]))
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


def install(folder: Path, name: str, points: dict[str, str]) -> None:
    """The metadata of a package, as pip writes it."""
    metadata = folder / f"{name}-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    lines = "\n".join(f"{name} = {value}" for name, value in points.items())
    (metadata / "entry_points.txt").write_text(f"[spinbattery.engines]\n{lines}\n")


def run_with(folder: Path, script: str, *arguments: str):
    """What a script finds in a process in which the packages of a folder are installed."""
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    run = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    return json.loads(run.stdout.split("FOUND", 1)[1])


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the page's package is installed."""
    folder = tmp_path_factory.mktemp("toy")
    (code,) = (block for block in blocks("python") if block.startswith("# toy_battery.py"))
    (folder / "toy_battery.py").write_text(code)
    project = tomllib.loads(next(block for block in blocks("toml") if block.startswith("# pyproject.toml")))["project"]
    install(folder, "toy_battery", project["entry-points"]["spinbattery.engines"])
    return folder


@pytest.fixture(scope="module")
def found(packages: Path, tmp_path_factory: pytest.TempPathFactory):
    return run_with(packages, SCRIPT, str(tmp_path_factory.mktemp("work")))


def test_in_python(found):
    mean, variance, precision = found["python"]
    assert mean == pytest.approx(0.8, abs=1e-12)
    assert variance == pytest.approx(4 * 0.9 * 0.1 / 4, rel=1e-12)
    assert precision == pytest.approx(1 / variance, rel=1e-12)


def test_on_the_command_line(found):
    text = " ".join(re.sub(r"[│╭╰─╮╯]", " ", found["help"]).split())
    assert "--miss <float> toy (0.1): Probability that a spin stays down." in text
    assert "toy (spins that miss the charge independently)" in text
    assert found["charge"]["engine"] == "toy"
    assert found["charge"]["miss"] == 0.2
    assert found["charge"]["magnetization"] == pytest.approx(0.6)
    assert "the statevector engine has no --miss; leave it out, or use --engine toy" in found["wrong"]


def test_in_stores_and_filters(found):
    assert [run["miss"] for run in found["list"]] == [0.2]
    assert found["none"] == []
    assert found["coordinate"] == [0.2, 0.3]
    assert found["filtered"] == 3


def test_in_sweep_files_and_fits(found):
    assert found["alpha"] == pytest.approx(1.0)
    assert "differ in miss (0.2, 0.3)" in found["mixed"]


def test_its_self_test_passes(found):
    assert found["self-test"] == "passed"


def test_in_the_table_of_engines(found):
    (row,) = (row for row in found["table"] if row["name"] == "toy")
    assert row["computes"] == "spins that miss the charge independently"
    assert row["options"] == ["miss"]
    assert row["accuracy"].startswith("exact")


def test_an_odd_plugin_breaks_no_other_run(packages: Path, tmp_path: Path):
    """Options with the names of flags and columns, verdicts, no engine, a module that cannot be imported."""
    for file in packages.glob("*.py"):
        (tmp_path / file.name).write_text(file.read_text())
    (tmp_path / "odd.py").write_text(ODD.rsplit("\n\n", 1)[0])
    (tmp_path / "worse.py").write_text(ODD)
    names = {"clash": "Clash", "doubtful": "Doubtful", "none": "NoEngine"}
    install(tmp_path, "odd", {name: f"odd:{kind}" for name, kind in names.items()} | {"broken": "worse:broken"})
    (auto, clash, doubtful), doubts = run_with(tmp_path, ODD_SCRIPT)
    assert auto["engine"] == "symmetric"
    assert clash["engine"] == "clash"
    assert clash["field"] == -0.5
    assert doubtful["converged"] == {"magnetization": True, "precision": False}
    assert doubtful["precision"] is None
    said = "\n".join(doubts)
    assert "no flags for the options points, field" in said
    assert "no engine with the name 'none'" in said
    assert "worse:broken is left out" in said
