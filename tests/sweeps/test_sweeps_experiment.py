"""Experiment files: every key, and what is said of every mistake."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from spinbattery import ProtocolRecipe, Statevector, Symmetric, advantage_system6, from_spreadsheet, ring, torus
from spinbattery.core.errors import EngineError, InvalidParameterError, NetworkError, SpinBatteryError
from spinbattery.sweeps.experiment import read_experiment
from spinbattery.sweeps.grid import Grid

PROTOCOL = '[[protocols]]\nname = "cooperative"\nduration = "2ns"\n'
NETWORK = 'networks = ["ring:2"]\n'
ENGINE = '[[engines]]\nname = "statevector"\n'


@pytest.fixture
def read(tmp_path):
    def write_and_read(text):
        path = tmp_path / "experiment.toml"
        path.write_text(text)
        return read_experiment(path)

    return write_and_read


def keys(plan):
    return [task.key for task in plan]


def test_the_least_that_is_needed(read):
    plan = read(NETWORK + PROTOCOL)
    assert keys(plan) == keys(Grid("ring:2", ProtocolRecipe("cooperative", "2ns")).plan())
    [task] = plan
    assert (task.engine, task.times.tolist()) == (Symmetric(1e-6), [])
    protocol = task.problem.protocol
    assert (protocol.duration, protocol.J, protocol.h, protocol.s.values.min()) == (2.0, -0.2, -0.5, 0.35)
    assert task.problem.scales == advantage_system6()


def test_every_key_of_a_protocol(read):
    plan = read(
        NETWORK
        + """
        [[protocols]]
        name = "polarised-local"
        duration = "3ns"
        J = -0.3
        field = -0.4
        s_hold = 0.3
        equal_cost = true
        cost_reference = 0.25
        """
    )
    recipe = ProtocolRecipe("polarised-local", "3ns", -0.3, -0.4, 0.3, equal_cost=True, cost_reference=0.25)
    assert keys(plan) == keys(Grid("ring:2", recipe).plan())
    assert [task.problem.protocol.name for task in plan] == ["polarised local equal-cost"]


def test_every_other_key(read, tmp_path):
    s = np.linspace(0.0, 1.0, 30)
    rows = "\n".join(f"{x},{a},{b}" for x, a, b in zip(s, 5.0 * (1.0 - s), 8.0 * s + 0.1, strict=True))
    (tmp_path / "device.csv").write_text(f"s,A(s) (GHz),B(s) (GHz)\n{rows}\n")
    plan = read(
        """
        title = "all of them"
        networks = ["ring:3", "torus:2x2"]
        engines = ["symmetric", "auto"]
        tolerance = 1e-3
        points = 3
        crosstalk = -0.01
        crosstalk_pairs = "all"
        energy_scales = "device.csv"
        """
        + PROTOCOL
    )
    networks = [network.with_crosstalk(-0.01, "all") for network in (ring(3), torus(2, 2))]
    scales = from_spreadsheet(tmp_path / "device.csv")
    expected = Grid(networks, ProtocolRecipe("cooperative", "2ns"), scales=scales, tolerance=1e-3, points=3).plan()
    assert keys(plan) == keys(expected)
    assert plan.tasks[0].times.tolist() == [0.0, 1.0, 2.0]
    assert plan.tasks[0].problem.scales == scales


def test_a_sheet_is_passed_on(read, tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    for name, factor in (("first", 1.0), ("second", 0.5)):
        sheet = book.create_sheet(name)
        sheet.append(["s", "A(s) (GHz)", "B(s) (GHz)"])
        for x in np.linspace(0.0, 1.0, 30):
            sheet.append([float(x), float(5.0 * factor * (1.0 - x)), float(8.0 * x + 0.1)])
    book.save(tmp_path / "device.xlsx")
    head = 'energy_scales = "device.xlsx"\nsheet = "second"\n'
    [task] = read(head + NETWORK + PROTOCOL)
    assert task.problem.scales == from_spreadsheet(tmp_path / "device.xlsx", "second")
    assert task.problem.scales != from_spreadsheet(tmp_path / "device.xlsx", "first")


def test_lists_make_a_grid_of_their_own(read):
    plan = read(
        """
        networks = ["ring:2", "ring:3"]
        crosstalk = [0.0, -0.01, -0.02]

        [[protocols]]
        name = "cooperative"
        duration = ["2ns", "3ns"]
        J = [-0.1, -0.2]
        field = [-0.5, -0.6]
        s_hold = [0.3, 0.35]

        [[protocols]]
        name = "local"
        duration = "5ns"
        """
    )
    assert len(plan) == 6 * (16 + 1)
    first = [(p.duration, p.J, p.h, p.s.values.min()) for p in (task.problem.protocol for task in plan.tasks[:16])]
    assert first == [
        (duration, J, h, s) for duration in (2.0, 3.0) for J in (-0.1, -0.2) for h in (-0.5, -0.6) for s in (0.3, 0.35)
    ]
    assert plan.tasks[16].problem.protocol.name == "local"
    names = list(dict.fromkeys(task.problem.network.name for task in plan))
    assert names[:3] == ["ring:2", "ring:2+crosstalk:-0.01:neighbours", "ring:2+crosstalk:-0.02:neighbours"]


def test_engines_with_their_options(read):
    plan = read(
        NETWORK
        + PROTOCOL
        + """
        [[engines]]
        name = "statevector"
        tolerance = 1e-3

        [[engines]]
        name = "statevector"
        tolerance = 1e-4
        splitting = "BM4"
        max_levels = 9
        keep_state = true
        """
    )
    assert [task.engine for task in plan] == [
        Statevector(1e-3),
        Statevector(1e-4, splitting="BM4", max_levels=9, keep_state=True),
    ]


def test_engines_by_name_and_with_options(read):
    plan = read(
        'engines = ["statevector", {name = "statevector", tolerance = 1e-3}]\ntolerance = 1e-4\n' + NETWORK + PROTOCOL
    )
    assert [task.engine.tolerance for task in plan] == [1e-4, 1e-3]
    assert [task.engine for task in read('engines = "statevector"\n' + NETWORK + PROTOCOL)] == [Statevector(1e-6)]


def test_the_tolerance_of_the_file_is_that_of_engines_which_say_no_other(read):
    tables = ENGINE + 'splitting = "BM4"\n' + ENGINE + "tolerance = 1e-3\n"
    plan = read("tolerance = 1e-5\n" + NETWORK + PROTOCOL + tables)
    assert [task.engine for task in plan] == [Statevector(1e-5, splitting="BM4"), Statevector(1e-3)]


def test_seeds_are_passed_on(read):
    with pytest.raises(InvalidParameterError, match="every engine of this grid is deterministic"):
        read("seeds = [1, 2]\n" + NETWORK + PROTOCOL)


def test_files_are_looked_up_beside_the_experiment(tmp_path, monkeypatch):
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "pairs.edgelist").write_text("0 1 1.0\n1 2 0.5\n")
    (folder / "experiment.toml").write_text('networks = ["file:pairs.edgelist"]\n' + PROTOCOL)
    monkeypatch.chdir(tmp_path)
    for path in ("study/experiment.toml", folder / "experiment.toml"):
        [task] = read_experiment(path)
        assert task.problem.network.weights.tolist() == [1.0, 0.5]
        assert task.problem.network.name == "file:pairs.edgelist"
    absolute = f'networks = ["file:{folder / "pairs.edgelist"}"]\n' + PROTOCOL
    (tmp_path / "absolute.toml").write_text(absolute)
    assert keys(read_experiment("absolute.toml")) == [task.key]


def test_properties_of_a_solver_are_looked_up_beside_the_experiment(tmp_path, monkeypatch):
    folder = tmp_path / "study"
    folder.mkdir()
    properties = {"topology": {"type": "pegasus", "shape": [2]}, "qubits": [4, 5, 40], "couplers": [[4, 5], [4, 40]]}
    (folder / "qpu.json").write_text(json.dumps(properties))
    (folder / "experiment.toml").write_text('networks = ["solver:qpu.json/region:2"]\n' + PROTOCOL)
    monkeypatch.chdir(tmp_path)
    [task] = read_experiment("study/experiment.toml")
    assert task.problem.network.pairs.tolist() == [[0, 1], [0, 2]]
    assert task.problem.network.name == "solver:qpu.json/region:2"


def test_the_example_of_the_paper():
    plan = read_experiment(Path(__file__).parents[2] / "examples" / "paper-exact.toml")
    assert len(plan) == 77
    assert Counter(task.problem.protocol.name for task in plan) == {
        "cooperative": 28, "local": 21, "local equal-cost": 14, "polarised local equal-cost": 14,
    }  # fmt: skip
    assert {task.engine.tolerance for task in plan} == {1e-8}
    sizes = Counter(task.problem.n_spins for task in plan)
    assert sizes == {2: 11, 4: 11, 6: 11, 8: 11, 9: 11, 10: 11, 12: 11}
    protocol = plan.tasks[0].problem.protocol
    assert (protocol.J, protocol.h, protocol.duration) == (-0.2, -0.5, 20.0)


# mistakes


@pytest.mark.parametrize(
    "text, message",
    [
        (
            "netwroks = 1\n" + NETWORK + PROTOCOL,
            r"unknown key netwroks; there are networks, .* Did you mean 'networks'",
        ),
        (NETWORK + PROTOCOL + "feild = -0.5", r"unknown key protocols\[1\]\.feild; .* Did you mean 'field'\?"),
        (NETWORK + PROTOCOL + PROTOCOL + "tau = 3", r"unknown key protocols\[2\]\.tau; there are name, duration"),
        (NETWORK + PROTOCOL + "tolerance = 1e-4", r"unknown key protocols\[1\]\.tolerance"),
        ("field = -0.5\n" + NETWORK + PROTOCOL, "unknown key field; there are networks"),
        ("float = 1\n" + NETWORK + PROTOCOL, "unknown key float; there are networks"),
        (NETWORK + PROTOCOL + "str = 1", r"unknown key protocols\[1\]\.str; there are name"),
        (NETWORK + PROTOCOL + ENGINE + "tolerence = 1e-4", "no option 'tolerence'; .* Did you mean 'tolerance'"),
        (NETWORK + PROTOCOL + '[[engines]]\nname = "produkt"', "unknown engine 'produkt'; .* Did you mean 'product'"),
        (NETWORK + PROTOCOL + '[[engines]]\nname = "auto"', "the engine auto takes no options here"),
        (NETWORK + PROTOCOL + "[[engines]]\ntolerance = 1e-4", r"engines\[1\]\.name: is needed$"),
        (NETWORK + PROTOCOL.replace("cooperative", "coperative"), "Did you mean 'cooperative'"),
        (NETWORK + PROTOCOL + 'J = "-0.2"', r"protocols\[1\]\.J: must be a number, but is .*$"),
        (NETWORK + PROTOCOL + "J = true", r"protocols\[1\]\.J: must be a number, but is .*$"),
        (NETWORK + PROTOCOL + "J = nan", r"protocols\[1\]\.J: must be finite$"),
        (NETWORK + PROTOCOL + "field = [-0.5, inf]", r"protocols\[1\]\.field\[2\]: must be finite$"),
        (NETWORK + PROTOCOL + 's_hold = [0.3, "a"]', r"protocols\[1\]\.s_hold\[2\]: must be a number, but is .*$"),
        (NETWORK + PROTOCOL + "s_hold = []", r"protocols\[1\]\.s_hold: must not be empty"),
        (NETWORK + PROTOCOL + "equal_cost = 1", r"protocols\[1\]\.equal_cost: must be true or false, but is .*$"),
        (NETWORK + PROTOCOL.replace('"2ns"', "2"), r"protocols\[1\]\.duration: must be text in quotes, but is .*$"),
        (
            NETWORK + PROTOCOL.replace('"2ns"', '["2ns", 2]'),
            r"protocols\[1\]\.duration\[2\]: must be text in quotes, but is .*",
        ),
        (NETWORK + PROTOCOL.replace('"2ns"', "[]"), r"protocols\[1\]\.duration: must not be empty"),
        (NETWORK + PROTOCOL.replace('"2ns"', '"2"'), "'2' has no unit"),
        (
            NETWORK + PROTOCOL.replace("[[protocols]]", "[protocols]"),
            "protocols: each is a table of its own; write .* with double brackets$",
        ),
        (NETWORK, "protocols: is needed$"),
        (PROTOCOL, "networks: is needed$"),
        ("networks = []\n" + PROTOCOL, "networks: must not be empty"),
        ('networks = "ring:2"\n' + PROTOCOL, "networks: must be a list in brackets, such as .*$"),
        ("networks = [2]\n" + PROTOCOL, r"networks\[1\]: must be text in quotes, but is .*$"),
        (NETWORK + "protocols = []", "protocols: must not be empty"),
        ("engines = 5\n" + NETWORK + PROTOCOL, "engines: must be text in quotes, but is .*$"),
        ("engines = []\n" + NETWORK + PROTOCOL, "engines: must not be empty"),
        ('engines = ["auto", 5]\n' + NETWORK + PROTOCOL, r"engines\[2\]: must be text in quotes, but is .*$"),
        (NETWORK + PROTOCOL + '[engines]\nname = "product"', "engines: must be a list in brackets, such as .*$"),
        ('tolerance = "1e-8"\n' + NETWORK + PROTOCOL, "tolerance: must be a number, but is .*$"),
        ("tolerance = nan\n" + NETWORK + PROTOCOL, "tolerance: must be finite$"),
        (NETWORK + PROTOCOL + ENGINE + 'tolerance = "x"', "tolerance must be a real number, but is 'x'"),
        ("points = 2.0\n" + NETWORK + PROTOCOL, "points: must be a whole number, but is .*$"),
        ("points = 1\n" + NETWORK + PROTOCOL, "points must be a whole number of 2 or more"),
        ("seeds = 3\n" + NETWORK + PROTOCOL, "seeds: must be a list in brackets, such as .*$"),
        ("seeds = [1.5]\n" + NETWORK + PROTOCOL, r"seeds\[1\]: must be a whole number, but is .*$"),
        ("crosstalk = []\n" + NETWORK + PROTOCOL, "crosstalk: must not be empty"),
        ('crosstalk_pairs = "some"\n' + NETWORK + PROTOCOL, "crosstalk_pairs: Input should be 'neighbours' or 'all'$"),
        ('sheet = "one"\n' + NETWORK + PROTOCOL, "sheet names a sheet of energy_scales; give both"),
        (NETWORK + PROTOCOL + "cost_reference = 0.3", "cost_reference is only used at equal cost; set equal_cost"),
        ("networks = [\n" + PROTOCOL, "is not TOML"),
        (NETWORK + PROTOCOL + "J = 1\nJ = 2", "is not TOML"),
    ],
)
def test_mistakes(read, text, message):
    with pytest.raises(SpinBatteryError, match=message):
        read(text)


@pytest.mark.parametrize(
    "text, error, message",
    [
        ('networks = ["rng:2"]\n' + PROTOCOL, NetworkError, "Did you mean 'ring'"),
        ('networks = ["file:missing.graphml"]\n' + PROTOCOL, NetworkError, r"there is no file .*missing\.graphml"),
        ('engines = "statevecto"\n' + NETWORK + PROTOCOL, EngineError, "Did you mean 'statevector'"),
        ('energy_scales = "missing.csv"\n' + NETWORK + PROTOCOL, SpinBatteryError, r"missing\.csv"),
    ],
)
def test_what_a_single_run_would_be_refused_for(read, text, error, message):
    with pytest.raises(error, match=message):
        read(text)


def test_all_mistakes_are_named_at_once(read):
    with pytest.raises(InvalidParameterError) as error:
        read('nets = 1\npoints = "x"\n[[protocols]]\nname = 3\ndurations = "2ns"\nJ = "a"\n')
    text = str(error.value)
    assert "experiment.toml': " in text
    for part in (
        "networks: is needed", "points: must be a whole number, but is ", "protocols[1].name: must be text",
        "protocols[1].duration: is needed", "unknown key protocols[1].durations", "Did you mean 'duration'?",
        "protocols[1].J: must be a number, but is ", "unknown key nets", "Did you mean 'networks'?",
    ):  # fmt: skip
        assert text.count(part) == 1, part
    assert "list[" not in text


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InvalidParameterError, match=r"cannot read .*missing\.toml.*: No such file"):
        read_experiment(tmp_path / "missing.toml")
    with pytest.raises(InvalidParameterError, match=r"cannot read .*: Is a directory"):
        read_experiment(tmp_path)


def test_a_file_that_is_no_text(tmp_path):
    (tmp_path / "record.toml").write_bytes(b"\x89HDF\r\n\xff\xfe")
    with pytest.raises(InvalidParameterError, match="is not TOML"):
        read_experiment(tmp_path / "record.toml")
