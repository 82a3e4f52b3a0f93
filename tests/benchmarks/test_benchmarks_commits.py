"""One commit against another: rounds, files of figures, verdicts and tables; nothing is timed here."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OLD, NEW = "a" * 40, "b" * 40


@pytest.fixture
def trees(tmp_path):
    from benchmarks.trees import Tree

    return {side: Tree(commit, tmp_path / side, Path(sys.executable)) for side, commit in (("old", OLD), ("new", NEW))}


@pytest.fixture
def results(trees, tmp_path):
    from benchmarks.commits import Results

    return Results(tmp_path / "figures.json", **trees)


def counting(calls: list[tuple[str, int]], turns: bool):
    """A job that notes the tree and the rounds it is asked for."""
    from benchmarks.targets import Job

    def measure(tree, rounds):
        calls.append((tree.folder.name, rounds))
        return [float(len(calls))] * rounds

    return Job("part", "what", measure, turns=turns)


def test_trees_take_turns_and_a_second_call_measures_what_is_missing(trees, results):
    from benchmarks.commits import Results, measure

    calls: list[tuple[str, int]] = []
    measure("job", counting(calls, turns=True), trees, 3, results)
    assert [side for side, _ in calls] == ["old", "new", "new", "old", "old", "new"]
    kept = Results(results.path, **trees)
    assert kept.figures("job") == {"old": [1.0, 4.0, 5.0], "new": [2.0, 3.0, 6.0]}
    measure("job", counting(calls, turns=True), trees, 4, kept)
    assert calls[6:] == [("new", 1), ("old", 1)]


def test_a_job_without_turns_is_asked_once_for_all_rounds(trees, results):
    from benchmarks.commits import measure

    calls: list[tuple[str, int]] = []
    for _ in range(2):
        measure("job", counting(calls, turns=False), trees, 3, results)
    assert calls == [("old", 3), ("new", 3)]


def test_figures_of_other_commits_are_not_added_to(trees, results):
    from dataclasses import replace

    from benchmarks.commits import Results

    results.save()
    with pytest.raises(SystemExit, match="other commits"):
        Results(results.path, trees["old"], replace(trees["new"], commit="c" * 40))


def test_the_cost_of_a_command_includes_its_children(trees):
    tree = trees["new"]
    tree.folder.mkdir()
    child = "import time\nwhile time.process_time() < 0.2: pass\nprint(time.process_time())"
    cost = tree.run("python", "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])")
    assert cost.cpu >= float(cost.output) >= 0.2
    with pytest.raises(RuntimeError, match="ended with 3"):
        tree.run("python", "-c", "raise SystemExit(3)")


def test_a_tree_has_its_own_source_and_kernels(trees, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", "elsewhere")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    tree = trees["new"]
    tree.folder.mkdir()
    code = "import os; print(os.environ['PYTHONPATH'], os.environ.get('NUMBA_CACHE_DIR'))"
    assert tree.run("python", "-c", code).output.split() == [str(tree.folder / "src"), "None"]
    assert tree.run("python", "-c", code, kernels=tmp_path).output.split()[1] == str(tmp_path)


def test_an_interpreter_may_be_named_from_the_folder_that_one_is_in(trees, tmp_path, monkeypatch):
    from dataclasses import replace

    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.chdir(tmp_path)
    tree = replace(trees["new"], python=Path("bin/python"))
    tree.folder.mkdir()
    assert tree.run("python", "-c", "print(6 * 7)").output == "42\n"


def test_verdicts_and_ratios_of_the_table():
    from benchmarks.commit_tables import table

    data = {
        "old": OLD,
        "new": NEW,
        "environment": {"date": "2026-11-30T10:00:00"},
        "jobs": {
            "first call": {"old": [8.0, 8.0, 10.0], "new": [2.0, 1.0, 2.0]},
            "qutip and pyplot": {"old": [3.0], "new": [1.0]},
            "import": {"old": [], "new": [0.2]},
            "price statevector 3x3": {"old": [4.6], "new": [1.9]},
            "qutip 3x3": {"old": [8.0], "new": [20.0]},
            "mesolve 5": {"old": [], "new": []},
            "small 2x2": {"old": [1.0], "new": [0.2504]},
        },
    }
    rows = _rows(table([data], ["help"]))
    first = rows["spinbattery charge --network torus:3x3 --duration 20ns --json"]
    assert "| 8 | 2 | 0.200 (0.125 to 0.250) |" in first
    assert "at most 0.25: reached; / qutip and pyplot at most 1 (2): not reached" in first
    assert (
        "|  | 0.2 |  | bbbbbbb against aaaaaaa, 2026-11-30 | after at most 0.1: not reached |"
        in rows["import spinbattery"]
    )
    assert "after at most 2: reached" in rows["statevector, torus:3x3, 20 ns"]
    assert "at least 2: reached" in rows["qutip, torus:3x3, 20 ns"]
    assert "| 0.250 (0.250 to 0.250) |" in rows["auto, torus:2x2, 20 ns"]
    assert "at most 0.25 (0.2504): not reached" in rows["auto, torus:2x2, 20 ns"]
    assert "not measured yet" in rows["spinbattery --help"]
    assert not any("mesolve" in row for row in rows)


def test_the_latest_figure_of_a_job_counts_and_earlier_ones_are_history():
    from benchmarks.commit_tables import replaced, table

    days = {"2026-11-30T09:00:00": 1.0, "2026-11-30T12:00:00": 3.0, "2026-11-30T10:00:00": 2.0}
    files = [
        {"old": OLD, "new": NEW, "environment": {"date": day}, "jobs": {"help": {"old": [4.0], "new": [value]}}}
        for day, value in days.items()
    ]
    files[0]["jobs"]["import"] = {"old": [0.2], "new": [0.05]}
    now = _rows(table(files))
    assert "| 4 | 3 | 0.750 " in now["spinbattery --help"]
    assert "| 0.2 | 0.05 | 0.250 " in now["import spinbattery"]
    ratios = [line.split(" | ")[4].split()[0] for line in replaced(files).splitlines()[2:]]
    assert ratios == ["0.500", "0.250"]
    assert replaced(files[1:2]) == ""


def _rows(text: str) -> dict[str, str]:
    return {line.split(" | ")[0].strip("| "): line for line in text.splitlines() if line.startswith("| ")}


def test_jobs_that_targets_name_exist():
    from benchmarks.targets import JOBS

    named = {target.of for job in JOBS.values() for target in job.targets} - {"ratio", "new"}
    assert named <= set(JOBS)
    assert len({(job.part, job.what) for job in JOBS.values()}) == len(JOBS)


def test_price_and_calls_are_positive_figures_of_every_round():
    from benchmarks import in_tree

    assert len(in_tree.call("torus:1x2", 2.0, "auto", "", -0.2, 2)) == 2
    assert min(in_tree.price("statevector", "torus:1x2", 2.0, 2)) > 0.0
    assert min(in_tree.price("lindblad", "torus:1x2", 2.0, 1)) > 0.0


def test_the_page_has_the_figures_of_the_records():
    path = ROOT / "docs" / "benchmark_tables.py"
    spec = importlib.util.spec_from_file_location("benchmark_tables", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    spec.loader.exec_module(module)
    sys.path[:] = before
    page = module.PAGE.read_text()
    assert module.written(page) == page
    for file in (ROOT / "benchmarks" / "records").glob("*.json"):
        data = json.loads(file.read_text())
        assert data["new"][:7] in page
        assert not {"host", "user", "path"} & set(data["environment"])


def test_figures_before_a_failure_count_and_a_clone_serves_for_all(monkeypatch, trees):
    from benchmarks import targets

    monkeypatch.setattr(targets, "_in_fresh_clone", lambda tree, before, measure: measure(tree))
    made = []

    def measured(tree):
        made.append(tree.folder.name)
        yield 3.0 * len(made)
        if len(made) > 1:
            raise RuntimeError("a test failed")
        yield 4.0

    clones = targets.FreshClones(measured)
    first, second = clones.figure(0), clones.figure(1)
    assert first(trees["old"], 1) == [3.0]
    assert first(trees["new"], 1) == [6.0]
    assert second(trees["old"], 1) == [4.0]
    with pytest.raises(RuntimeError, match="a test failed"):
        second(trees["new"], 1)
    assert made == ["old", "new"]
