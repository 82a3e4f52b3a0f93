"""Every public function and class takes what it is given, or refuses it by the project's own error."""

from __future__ import annotations

import ast
import functools
import inspect
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dimod
import networkx as nx
import numpy as np
import pytest

import spinbattery as sb
from spinbattery.model.scales import LinearTable

FAST = sb.Statevector(1e-3)

# fmt: off
WRONG: dict[str, Any] = {
    "None": None, "object": object(), "text": "nonsense", "empty text": "", "-1": -1, "0": 0, "0.5": 0.5,
    "nan": float("nan"), "inf": float("inf"), "huge": 10**400,
    "True": True, "list": [], "dict": {},
    "complex": 3 + 4j, "bytes": b"x", "class": dict, "function": lambda *_: None, "array": np.zeros((2, 2)),
    "scalar": np.array(1.0), "texts": ["a", "b"],
    "objects": [object()], "ragged": [[1.0], [2.0, 3.0]], "mapping": {"a": 1}, "set": {1, 2},
    "generator": (k for k in "ab"),
}
# fmt: on


class Desk:
    """What the calls need, made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.protocol = sb.cooperative(5.0)
        self.problem = sb.ChargingProblem(sb.ring(2), self.protocol)
        self.record = sb.charge(sb.ring(2), self.protocol, engine=FAST)
        self.record.save(folder / "run.nc")
        emulator = sb.Emulator(reads=40, seed=1, sweeps=20)
        self.reads = sb.charge(sb.ring(3), sb.cooperative(60_000.0), engine=emulator)
        sampled = sb.Trajectories(4, seed=1, one_jump="sampled")
        noisy = functools.partial(sb.charge, sb.ring(2), self.protocol, noise="x:1e-2/ns")
        self.sampled, other = noisy(engine=sampled), noisy(engine=sampled.with_seed(2))
        self.both = [self.sampled, other]
        self.runs = sb.sweep([sb.ring(n) for n in (2, 3, 4)], self.protocol, engines=FAST, workers=1)
        rates = [f"x:{rate}/ns" for rate in ("1e-3", "1e-2", "2e-2")]
        noise = sb.sweep(sb.ring(2), self.protocol, noise=rates, engines=sb.Lindblad(1e-3), workers=1)
        self.noise = list(noise.records())
        self.curve = sb.calibration_curve(self.noise, "gamma", "magnetization")
        local = sb.ProtocolRecipe("local", "5ns")
        self.compared = sb.sweep(
            [sb.ring(n) for n in (2, 3, 4)],
            [sb.ProtocolRecipe("cooperative", "5ns"), sb.ProtocolRecipe("local", "5ns", equal_cost=True), local],
            engines=FAST,
            workers=1,
        )
        self.spectrum = sb.sector_spectrum(sb.ring(3), self.protocol, [0.0, 2.0, 5.0], levels=2)
        self.fit = sb.fit_scaling([2, 3, 4], [4.0, 9.0, 16.0], n_bootstrap=100)
        self.samples = dimod.SampleSet.from_samples([{0: 1, 1: 1}, {0: 1, 1: -1}], "SPIN", 0.0)
        (folder / "scales.csv").write_text("s,A(s) (GHz),B(s) (GHz)\n0,9,0.2\n1,0,8\n")
        (folder / "reads.csv").write_text("mu\n1.0\n0.5\n1.0\n")
        (folder / "study.toml").write_text(
            'networks = ["ring:2"]\n[[protocols]]\nname = "cooperative"\nduration = "5ns"\n'
        )
        self.properties = sb.EmulatedAnnealer(graph=nx.cycle_graph(4)).properties
        graph = sb.WorkingGraph.pegasus(2)
        solver = {"topology": {"type": "pegasus", "shape": [2]}, "qubits": graph.qubits.tolist(),
                  "couplers": graph.couplers.tolist()}  # fmt: skip
        (folder / "solver.json").write_text(json.dumps(solver))
        problem = self.problem.to_qutip()
        self.qutip = problem
        import qutip

        times = np.linspace(0.0, 5.0, 5)
        options = {"store_states": True, "max_step": 0.01, "nsteps": 100_000}
        self.result = qutip.sesolve(problem.hamiltonian, problem.initial, times, options=options)

    def calls(self) -> dict[str, dict[str, Any]]:
        """Valid arguments of each name, as few as the walk needs to be quick."""
        n, folder = self.problem, self.folder
        some = {"record": self.reads}
        moments = {"state": np.array([[1.0, 0.0], [0.0, 0.0]]), "hamiltonian": np.diag([1.0, -1.0])}
        measured = {"network": sb.ring(4), "protocol": sb.cooperative(60_000.0)}
        points = {"points": [2, 3, 4], "precision": [4.0, 9.0, 16.0], "n_bootstrap": 100}
        split = {"tolerance": 1e-3}
        return {
            "Annealer": {"sampler": sb.EmulatedAnnealer(graph=nx.cycle_graph(4))},
            "AutomorphismGroup": {"generators": np.zeros((0, 2), dtype=np.int64), "order": 1},
            "CalibrationCurve": {
                "parameter": "gamma", "quantity": "magnetization", "x": self.curve.x, "y": self.curve.y,
            },
            "ChargeState": {"value": "charged"},
            "ChargingProblem": {"network": sb.ring(2), "protocol": self.protocol},
            "Cost": vars(self.problem.cost),
            "EmulatedAnnealer": {"graph": nx.cycle_graph(4)},
            "Emulator": {}, "Engine": {}, "Lindblad": split, "MeanField": split, "Product": split,
            "EnergyScales": {
                "name": "", "transverse": LinearTable((0.0, 1.0), (9.0, 0.0)),
                "ising": LinearTable((0.0, 1.0), (1.0, 8.0)),
            },
            "Estimate": vars(sb.estimate(self.curve, float(self.curve.y[1]))),
            "NoPrecision": {"value": "has not converged"},
            "Noise": {"x": 1e-3}, "Plan": {}, "ProductState": {"theta": (0.0,)},
            "Protocol": {"duration": 5.0, "s": self.protocol.s, "g": self.protocol.g, "h": -0.5, "J": -0.2},
            "ProtocolRecipe": {"name": "cooperative", "duration": "5ns"},
            "QTeaLeaves": {}, "QutipProblem": self.qutip._asdict(), "Record": {"dataset": self.record.dataset},
            "ScalingFit": vars(self.fit), "SectorSpectrum": vars(self.spectrum), "SpinBatteryError": {},
            "SpinNetwork": {"n_spins": 2, "pairs": [[0, 1]]}, "Statevector": split, "Symmetric": split,
            "Store": {"folder": folder / "store"},
            "Sweep": {"plan": self.runs.plan, "store": self.runs.store, "computed": 0, "reused": 3, "failures": {}},
            "TensorNetwork": {}, "Trajectories": {}, "TruncatedWigner": {},
            "Waveform": {"points": ((0.0, 1.0), (1.0, 1.0))},
            "WorkingGraph": {"family": "pegasus", "size": 2, "qubits": np.array([4]), "name": "one",
                             "couplers": np.zeros((0, 2), dtype=int)},
            "advantage": {"data": self.compared}, "advantage_system6": {},
            "automorphism_group": {"n_spins": 2, "pairs": np.array([[0, 1]]), "weights": np.ones(1),
                                   "colours": np.zeros(2, dtype=np.int64)},
            "bhatia_davis_precision": {"mu": 0.5}, "bhatia_davis_variance": {"mu": 0.5},
            "bootstrap_intervals": {"reads": self.reads, "n_resamples": 100},
            "calibration_curve": {"runs": self.noise, "parameter": "gamma", "quantity": "magnetization"},
            "capacity": moments, "ergotropy": moments,
            "charge": {"network": sb.ring(2), "protocol": self.protocol, "engine": FAST},
            "diagnose": {},
            "charged": some, "flip_probabilities": some, "flip_statistics": some, "flips_by_degree": some,
            "gather": {"records": [self.record]}, "independence_ratio": some, "uncharged_probability": some,
            "complete": {"n": 3}, "ring": {"n": 3}, "torus": {"lx": 2, "ly": 2}, "tilted_torus": {"a": 2, "b": 1},
            "critical_fraction": {"ratio": 1.0, "J": -0.2}, "field_ratio": {"s": 0.35, "J": -0.2},
            "cooperative": {"duration": 5.0}, "polarised": {"duration": 5.0},
            "cooperative_limit": {"n": 3}, "heisenberg_limit": {"n": 3}, "standard_quantum_limit": {"n": 3},
            "counting_noise": {"n_spins": [4, 5, 6], "flip_probabilities": [[0.7, 0.2, 0.1] for _ in range(3)],
                               "n_reads": 100, "n_experiments": 20},
            "down_probability": {"bx": 1.0, "bz": 1.0, "kt": 0.3},
            "thermal_magnetization": {"bx": 1.0, "bz": 1.0, "kt": 0.3},
            "effective_temperature": {"problem": self.reads.problem, "magnetization": 0.9},
            "freeze_out": {"problem": self.reads.problem, "temperature": 18.0},
            "estimate": {"curve": self.curve, "measured": float(self.curve.y[1])},
            "extend_record": {"record": self.sampled, "trajectories": 6},
            "fit_both": points, "fit_scaling": points,
            "from_networkx": {"graph": nx.path_graph(3)}, "from_spreadsheet": {"path": folder / "scales.csv"},
            "ghz_mixture_moments": {"n": 3, "big_theta": 0.1, "p": 0.1},
            "local_moments": {"n": 3, "theta": 0.1, "p": 0.1},
            "local_field": {"h": -0.5, "J": -0.2, "pairs_per_spin": 2.0},
            "mean_power": {"energy_j": 1.0, "duration_ns": 5.0},
            "merge_records": {"records": self.both},
            "parse_duration": {"text": "5ns"}, "parse_network": {"text": "ring:3"},
            "parse_noise": {"text": "x:1e-3/ns"},
            "peak_power": {"record": self.trajectory(), "field_ghz": 7.57},
            "peak_power_as_printed": {"record": self.trajectory(), "field_ghz": 7.57},
            "plot_advantage": {"data": sb.advantage(self.compared)},
            "plot_calibration": {"curves": {"mu": self.curve}}, "plot_runs": {"data": self.runs},
            "plot_spectrum": {"spectra": {"one": self.spectrum}},
            "qpu_access_time": {"properties": self.properties, "n_qubits": 4, "parameters": {"num_reads": 10}},
            "read_experiment": {"path": folder / "study.toml"}, "read_record": {"path": folder / "run.nc"},
            "read_measurement": {"path": folder / "reads.csv", **measured},
            "read_solver_properties": {"path": folder / "solver.json"},
            "record_from_magnetizations": {"magnetizations": [1.0, 0.5, 1.0], **measured},
            "record_from_qutip": {"result": self.result, "problem": n},
            "record_from_samples": {**measured, "samples": self.samples, "network": sb.ring(2)},
            "run_plan": {"plan": self.runs.plan.shard(1, 3), "workers": 1},
            "sample_statistics": {"magnetizations": [1.0, 0.5, 1.0]},
            "sampler_request": {"problem": self.reads.problem, "reads": 10},
            "sector_spectrum": {"network": sb.ring(2), "protocol": self.protocol, "times": [0.0, 5.0], "levels": 2},
            "stored_energy": {"n_spins": 3, "mu_initial": -1.0, "mu_final": 1.0, "field_ghz": 7.57},
            "stored_energy_as_printed": {"n_spins": 3, "mu_initial": -1.0, "mu_final": 1.0, "field_ghz": 7.57},
            "sweep": {"networks": sb.ring(2), "protocols": self.protocol, "engines": FAST, "workers": 1},
            "symmetry_group": {"problem": n},
        }  # fmt: skip

    def trajectory(self) -> sb.Record:
        return sb.charge(sb.ring(2), self.protocol, engine=FAST, times=[0.0, 2.0, 5.0])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


def names() -> list[str]:
    stub = Path(sb.__file__).with_suffix(".pyi")
    imports = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
    return sorted(str(alias.asname) for node in imports for alias in node.names)


def test_the_table_names_all_that_is_public(desk: Desk) -> None:
    assert sorted(desk.calls()) == names() == sorted(set(sb.__all__) - {"__version__"})


def broken(function: Callable[..., Any], arguments: dict[str, Any]) -> list[str]:
    """Which wrong values of which parameter come out as another error than the project's own."""
    found = []
    for parameter in inspect.signature(function).parameters:
        for label, value in WRONG.items():
            try:
                function(**(arguments | {parameter: value}))
            except sb.SpinBatteryError:
                pass
            except Exception as error:
                found.append(f"{function.__name__}({parameter}={label}): {type(error).__name__}: {error}")
    return found


@pytest.mark.parametrize("name", names())
def test_wrong_types_are_refused_by_the_projects_own_error(name, desk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if name in ("Engine", "SpinBatteryError", "ChargeState", "NoPrecision"):  # abstract, any words, enums
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        arguments = desk.calls()[name]
        getattr(sb, name)(**arguments)  # they are valid
        assert broken(getattr(sb, name), arguments) == []
