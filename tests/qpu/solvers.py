"""Descriptions of solvers and a sampler for the loopback service."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import dimod
import numpy as np
from dwave.cloud.testing import mocks

_PARAMETERS = (
    "anneal_offsets",
    "anneal_schedule",
    "annealing_time",
    "answer_mode",
    "auto_scale",
    "fast_anneal",
    "flux_biases",
    "flux_drift_compensation",
    "h_gain_schedule",
    "initial_state",
    "num_reads",
    "programming_thermalization",
    "readout_thermalization",
    "reduce_intersample_correlation",
    "reinitialize_state",
)


def advantage(
    m: int = 2,
    missing: Collection[int] = (),
    name: str = "Advantage_system6",
    graph_id: str = "0123456789",
    **more: Any,
) -> dict[str, Any]:
    """A solver as the service describes it: Pegasus P_m, with the published limits of the Advantage generation."""
    described: dict[str, Any] = mocks.qpu_pegasus_solver_data(
        m,
        name=name,
        graph_id=graph_id,
        chip_id=name,
        tags=[],
        parameters=dict.fromkeys(_PARAMETERS, "..."),
        h_range=[-4.0, 4.0],
        j_range=[-1.0, 1.0],
        extended_j_range=[-2.0, 1.0],
        per_qubit_coupling_range=[-18.0, 15.0],
        num_reads_range=[1, 10000],
        annealing_time_range=[0.5, 2000.0],
        fast_anneal_time_range=[0.005, 2000.0],
        default_annealing_time=20.0,
        max_anneal_schedule_points=12,
        h_gain_schedule_range=[-4.0, 4.0],
        max_h_gain_schedule_points=20,
        default_programming_thermalization=1000.0,
        programming_thermalization_range=[0.0, 10000.0],
        default_readout_thermalization=0.0,
        readout_thermalization_range=[0.0, 10000.0],
        problem_run_duration_range=[0.0, 1000000.0],
        problem_timing_data=mocks.qpu_problem_timing_data(),
        **more,
    )
    properties = described["properties"]
    gone = set(missing)
    properties["qubits"] = [qubit for qubit in properties["qubits"] if qubit not in gone]
    properties["couplers"] = [pair for pair in properties["couplers"] if gone.isdisjoint(pair)]
    return described


class AllUp(dimod.Sampler):
    """Every spin up in every read; keeps the parameters it was called with."""

    parameters: dict[str, Any] = {}
    properties: dict[str, Any] = {}

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def sample(self, bqm: dimod.BinaryQuadraticModel, num_reads: int = 1, **parameters: Any) -> dimod.SampleSet:
        self.calls.append({"num_reads": num_reads, **parameters})
        spins = np.ones((num_reads, bqm.num_variables), dtype=np.int8)
        return dimod.SampleSet.from_samples_bqm((spins, list(bqm.variables)), bqm, aggregate_samples=False)
