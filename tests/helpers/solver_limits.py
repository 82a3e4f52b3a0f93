"""A small solver and a request that it takes, for tests of limits."""

from __future__ import annotations

from typing import Any

from spinbattery.solver.limits import violations

NAMES = (
    "anneal_schedule annealing_time answer_mode auto_scale fast_anneal flux_drift_compensation h_gain_schedule "
    "initial_state num_reads programming_thermalization readout_thermalization reduce_intersample_correlation "
    "reinitialize_state"
)
# a ring of ten qubits, of which number 5 is missing
QUBITS = [q for q in range(10) if q != 5]
SOLVER: dict[str, Any] = {
    "chip_id": "Advantage_test",
    "num_qubits": 10,
    "qubits": QUBITS,
    "couplers": [[u, v] for u, v in zip(range(9), range(1, 10), strict=True) if 5 not in (u, v)] + [[0, 9]],
    "parameters": dict.fromkeys(NAMES.split(), "..."),
    "h_range": [-4.0, 4.0],
    "extended_j_range": [-2.0, 1.0],
    "per_qubit_coupling_range": [-3.0, 1.5],
    "num_reads_range": [1, 10000],
    "annealing_time_range": [0.5, 2000.0],
    "fast_anneal_time_range": [0.005, 2000.0],
    "default_annealing_time": 20.0,
    "max_anneal_schedule_points": 4,
    "h_gain_schedule_range": [-3.0, 3.0],
    "max_h_gain_schedule_points": 5,
    "default_programming_thermalization": 1000.0,
    "programming_thermalization_range": [0.0, 10000.0],
    "default_readout_thermalization": 0.0,
    "readout_thermalization_range": [0.0, 10000.0],
    "problem_run_duration_range": [0.0, 1000000.0],
}
H = {0: -0.5, 1: -0.5, 2: -0.5}
J = {(0, 1): -0.2, (1, 2): -0.2}
DOWN = dict.fromkeys(H, -1)
REVERSE = [[0, 1], [20, 0.35], [40, 0.35], [60, 1]]
CHARGING: dict[str, Any] = {
    "num_reads": 1000,
    "answer_mode": "raw",
    "auto_scale": False,
    "label": "run 1",
    "anneal_schedule": REVERSE,
    "h_gain_schedule": [[0, 0], [20, 0], [40, 1], [60, 0]],
    "initial_state": DOWN,
    "reinitialize_state": True,
}


def found(parameters: dict[str, Any], h: Any = H, J: Any = J, **properties: Any) -> list[str]:
    solver = {name: value for name, value in {**SOLVER, **properties}.items() if value is not None}
    return violations(solver, h, J, parameters)
