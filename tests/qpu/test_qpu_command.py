"""`spinbattery qpu ...` as a user sees it: output, exit codes, and never the token."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dimod
import numpy as np
import pytest
from qpu_desk import Desk, write_experiment
from sapi_stub import TOKEN
from solvers import AllUp

from spinbattery.core.errors import MissingDependencyError, QpuError
from spinbattery.core.installing import install_extra_command
from spinbattery.qpu.client import connect

Run = Callable[..., Any]


@pytest.fixture
def run(desk: Desk, spinbattery: Callable[..., Any]) -> Run:
    """Run `spinbattery qpu` with the store of the desk."""

    def call(command: str, *arguments: str | Path) -> Any:
        store = () if command == "properties" else ("--store", str(desk.folder / "runs"))
        return spinbattery("qpu", command, *map(str, arguments), *store)

    return call


def test_plan_submit_status_collect(desk: Desk, run: Run) -> None:
    planned = run("plan", desk.experiment, "--reads", "10", "--budget", "1", "--json")
    assert planned.code == 0, planned.err
    assert (planned.json["solver"], planned.json["graph_id"]) == ("Advantage_system6", "0123456789")
    assert [job["state"] for job in planned.json["jobs"]] == ["new"] * 3
    assert planned.json["new_s"] == pytest.approx(planned.json["plan_s"])
    assert not (desk.folder / "runs").exists()
    assert desk.stub.posted == []

    sent = run("submit", desk.experiment, "--reads", "10", "--budget", "1", "--json")
    assert (sent.code, sent.json["sent"], sent.json["messages"]) == (0, 3, [])
    again = run("plan", desk.experiment, "--reads", "10", "--budget", "1")
    assert (again.code, "submitted" in again.out, "budget 1 s" in again.out) == (0, True, True)
    shown = run("status")
    assert (shown.code, shown.out.count("submitted")) == (0, 3)
    got = run("collect", "--wait", "--json")
    assert (got.code, len(got.json["done"])) == (0, 3)
    assert got.json["charge_states"] == dict.fromkeys(got.json["done"], "charged")
    assert [job["state"] for job in run("status", "--json").json] == ["done"] * 3
    assert run("collect").out.startswith("0 done, 0 pending")
    desk.assert_nothing_lost_or_paid_twice(3)


def test_plans_over_the_budget_or_the_limits_end_with_2(desk: Desk, run: Run) -> None:
    for command in ("plan", "submit"):
        refused = run(command, desk.experiment, "--reads", "10", "--budget", "0.01")
        assert (refused.code, "budget of 0.01" in refused.err) == (2, True)
    desk.experiment.write_text(
        'networks = ["pegasus:2"]\n[[protocols]]\nname = "cooperative"\nduration = "60us"\nJ=-3.0'
    )
    for command in ("plan", "submit"):
        refused = run(command, desk.experiment, "--reads", "10", "--budget", "10")
        assert (refused.code, "extended_j_range" in refused.err) == (2, True)
    assert desk.stub.posted == []


def test_a_plan_with_saved_properties_connects_to_nothing(desk: Desk, run: Run) -> None:
    saved = desk.folder / "solver.json"
    assert run("properties", "--out", saved).code == 0
    assert json.loads(saved.read_text())["graph_id"] == "0123456789"
    online = run("plan", desk.experiment, "--json").json
    desk.stub.stop()
    offline = run("plan", desk.experiment, "--properties", saved, "--json")
    assert (offline.code, offline.json) == (0, online)
    assert run("properties", "--out", desk.folder / "solver.txt").code == 2


def test_a_path_with_a_tilde_is_in_the_home_folder(desk: Desk, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    home, here = desk.folder / "home", desk.folder / "here"
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    assert run("properties", "--out", "~/solver.json").code == 0
    assert run("plan", desk.experiment, "--properties", "~/solver.json", "--json").json["solver"]
    assert (home / "solver.json").is_file()
    assert list(here.iterdir()) == []


def test_unfinished_jobs_end_with_1(desk: Desk, run: Run) -> None:
    desk.stub.seconds = 60.0
    desk.stub.refusals = ["too steep"]
    sent = run("submit", desk.experiment, "--reads", "10", "--budget", "1")
    assert (sent.code, "too steep" in sent.err) == (1, True)
    waiting = run("collect", "--json")
    assert (waiting.code, len(waiting.json["pending"])) == (1, 2)
    key = desk.jobs[1].key
    assert run("cancel", key[:8]).out == f"{key[:12]}: cancelled at the server\n"
    assert run("cancel").code == 0
    assert desk.states == ["failed", "cancelled", "cancelled"]
    unknown = run("cancel", "zzz")
    assert (unknown.code, "0 jobs" in unknown.err) == (2, True)


def test_a_server_error_says_what_to_do(desk: Desk, run: Run) -> None:
    desk.stub.fault("POST", "/problems", 503)
    lost = run("submit", desk.experiment, "--reads", "10", "--budget", "1")
    assert (lost.code, "look for it by its label" in lost.err) == (2, True)
    assert "it was sent without a reply" in run("submit", desk.experiment, "--reads", "10", "--budget", "1").err
    assert run("submit", desk.experiment, "--reads", "10", "--budget", "1", "--grace", "0").code == 0
    assert run("status").out.count("submitted") == 3


def test_commands_without_a_ledger(run: Run) -> None:
    for command in ("status", "collect", "cancel"):
        missing = run(command)
        assert (missing.code, "there is no ledger" in missing.err) == (2, True)


def test_solvers_are_named_where_there_is_a_choice(desk: Desk, run: Run) -> None:
    unknown = run("plan", desk.experiment, "--solver", "Advantage_system9")
    assert (unknown.code, "no solver 'Advantage_system9'" in unknown.err) == (2, True)
    assert run("plan", desk.experiment, "--solver", "Advantage_system6").code == 0


def test_the_client_is_optional(run: Run, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "dwave.cloud", None)
    with pytest.raises(MissingDependencyError, match=re.escape(install_extra_command("qpu"))), connect():
        pass
    assert install_extra_command("qpu") in run("plan", desk.experiment).err


# the token


def test_the_token_is_nowhere(desk: Desk, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("", "dwave.cloud", "urllib3"):
        caplog.set_level(1, logger=name)
    desk.stub.refusals = [f"the token {TOKEN} may not do this"]
    desk.stub.failures = [f"failed for {TOKEN}"]
    outcomes = [run("plan", desk.experiment), run("submit", desk.experiment, "--reads", "10", "--budget", "1")]
    for path, action in (("/problems", 503), ("/problems/[^/]+", 429)):
        desk.stub.fault("GET", path, action)
        outcomes.append(run("collect", "--wait", "--json"))
    outcomes += [run("status"), run("status", "--json")]
    desk.stub.token = "changed"
    outcomes.append(run("collect"))
    outcomes.append(run("plan", desk.experiment))
    assert "<token>" in "".join(one.out + one.err for one in outcomes)
    assert all(TOKEN not in one.out + one.err for one in outcomes)
    assert len(caplog.records) > 20
    assert TOKEN not in caplog.text
    written = [path for path in (desk.folder / "runs").rglob("*") if path.is_file()]
    assert {"qpu.sqlite"} < {path.name for path in written}
    assert all(TOKEN.encode() not in path.read_bytes() for path in written)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"[defaults]\ntoken = {TOKEN}\n{TOKEN}\n", "dwave.conf cannot be read"),
        (f"[defaults]\ntoken = {TOKEN}\nendpoint = {{url}}\npolling_timeout = {TOKEN}\n", "configuration .* is wrong"),
        (
            f"[defaults]\ntoken = {TOKEN}\nendpoint = http://me:{TOKEN}@127.0.0.1:9/\nhttp_retry_total = 0\n",
            "cannot be",
        ),
    ],
)
def test_a_bad_configuration_does_not_show_the_token(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, content: str, message: str
) -> None:
    path = desk.folder / "bad.conf"
    path.write_text(content.replace("{url}", desk.stub.url))
    monkeypatch.setenv("DWAVE_CONFIG_FILE", str(path))
    monkeypatch.delenv("DWAVE_API_TOKEN")
    with pytest.raises(QpuError, match=message) as caught:
        desk.plan()
    assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_a_token_that_is_no_header_is_not_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = "secret-with-a-newline"
    monkeypatch.setenv("DWAVE_API_TOKEN", f"{secret}\n")
    with pytest.raises(QpuError) as caught:
        desk.plan()
    assert secret not in "".join(traceback.format_exception(caught.value))


def test_a_connection_does_not_show_the_token(desk: Desk) -> None:
    desk.experiment = write_experiment(desk.folder / "one.toml", 1)
    with connect() as connection:
        assert TOKEN not in repr(connection)
        assert TOKEN not in repr(connection.solver())
        assert TOKEN not in connection.account


class GroundState(AllUp):
    """Every spin where the field draws it."""

    def sample(self, bqm: dimod.BinaryQuadraticModel, num_reads: int = 1, **parameters: Any) -> dimod.SampleSet:
        spins = np.full((num_reads, bqm.num_variables), -np.sign(next(iter(bqm.linear.values()))), dtype=np.int8)
        return dimod.SampleSet.from_samples_bqm((spins, list(bqm.variables)), bqm, aggregate_samples=False)


def test_collect_shows_whether_the_batteries_were_charged(desk: Desk, run: Run) -> None:
    desk.stub.sampler = GroundState()
    protocol = '[[protocols]]\nname = "cooperative"\nduration = "60us"\nfield = '
    desk.experiment.write_text(f'networks = ["pegasus:2"]\n{protocol}-0.5\n{protocol}0.5\n')
    run("submit", desk.experiment, "--reads", "10", "--budget", "1")
    got = run("collect", "--wait")
    assert got.code == 0
    states = [line for line in got.out.splitlines() if "pegasus:2" in line]
    assert sorted(line.split("│")[5].strip() for line in states) == ["charged", "not charged"]
    assert got.err == (
        "note: cooperative on pegasus:2 (mu = -1.0000) is not charged: it ends in or near the discharged state, and "
        "its sigma is not the fluctuation of a charge.\n"
    )
