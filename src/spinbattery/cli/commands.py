"""`spinbattery charge` and `spinbattery scaling`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import FitError, SpinBatteryError, SweepError
from ..figures.style import FIGURE_ENDINGS
from . import options as o
from .console import print_json, print_table, progress_bar, sweep_progress
from .groups import (
    EngineOptions,
    FitOptions,
    ImperfectionOptions,
    OutputOptions,
    ProtocolOptions,
    RunOptions,
    ScalesOptions,
)

if TYPE_CHECKING:
    from ..analysis.scaling import ScalingFit
    from ..engines.common.contract import Engine
    from ..model.problem import ChargingProblem
    from ..records.record import Record

_LONG_RUN_S = 60.0


def charge(
    network: o.NetworkText,
    protocol: ProtocolOptions,
    engine: EngineOptions,
    energy_scales: ScalesOptions,
    imperfections: ImperfectionOptions,
    output: OutputOptions,
    run: RunOptions,
) -> None:
    """Charge one network and print its magnetization, fluctuation, precision and cost."""
    import numpy as np

    from ..charging import charge as charge_network
    from ..model.noise import as_noise
    from ..model.problem import ChargingProblem

    output.check()
    spins = imperfections.network(network)
    scales = energy_scales.build([spins])
    noise = as_noise(imperfections.noise)
    problem = ChargingProblem(spins, protocol.recipe().build(spins, scales), scales, noise)
    chosen, tolerance = engine.build()
    times = np.linspace(0.0, problem.protocol.duration, output.n_times) if output.n_times else None
    if not run.quiet:
        _announce_long_run(problem, chosen, tolerance, output.n_times)
    with progress_bar(run.quiet) as progress:
        record = charge_network(
            spins,
            problem.protocol,
            scales=scales,
            noise=noise,
            engine=chosen,
            tolerance=tolerance,
            times=times,
            store=run.store,
            progress=progress,
        )
    if output.out:
        record.save(output.out)
    present_record(record, output.plot, run.as_json)


def _announce_long_run(problem: ChargingProblem, engine: Engine | str, tolerance: float | None, n_times: int) -> None:
    """Say beforehand what a run will take, if that is long, and what would be quicker."""
    import numpy as np

    from ..engines.choice import resolve_engine
    from ..engines.registry import make_engine
    from ..sweeps.survey import format_seconds

    chosen, _ = resolve_engine(engine, problem, tolerance)
    try:
        chosen.check(problem)
    except SpinBatteryError:  # the run itself says so
        return
    times = np.linspace(0.0, problem.protocol.duration, n_times)
    seconds = chosen.predicted_seconds(problem, times)
    if seconds < _LONG_RUN_S:
        return
    text = f"this takes about {format_seconds(seconds)} on one core with the {chosen.name} engine"
    if chosen.sampled_by and problem.noise:
        sampled = make_engine(chosen.sampled_by, {}).predicted_seconds(problem, times)
        if sampled < 0.5 * seconds:
            text += f"; --engine {chosen.sampled_by} samples it in about {format_seconds(sampled)}"
    print(f"{text}.", file=sys.stderr)


def scaling(
    networks: Annotated[str, typer.Option("--networks", help="Comma-separated: torus:1x2,torus:2x2,torus:3x3.")],
    protocol: ProtocolOptions,
    engine: EngineOptions,
    energy_scales: ScalesOptions,
    imperfections: ImperfectionOptions,
    fit: FitOptions,
    run: RunOptions,
) -> None:
    """Charge several networks alike and fit precision = c N^alpha, log-log and linear."""
    from ..analysis.points import check_one_family
    from ..analysis.scaling import fit_both
    from ..model.noise import as_noise
    from ..sweeps.grid import Grid
    from ..sweeps.run import run_plan

    o.check_target(fit.plot, FIGURE_ENDINGS)
    spins = [imperfections.network(name) for name in networks.split(",") if name.strip()]
    scales = energy_scales.build(spins)
    if len({network.n_spins for network in spins}) < 3:
        raise FitError(
            "a fit of c N^alpha with errors needs networks of three or more different sizes, but --networks has "
            f"{sorted({network.n_spins for network in spins})}."
        )
    check_one_family(spins)
    chosen, tolerance = engine.build()
    recipes, noises = (protocol.recipe(),), (as_noise(imperfections.noise),)
    plan = Grid(tuple(spins), recipes, scales, noises, (chosen,), tolerance=tolerance).plan()
    with sweep_progress(run.quiet) as progress:
        result = run_plan(plan, run.store, workers=fit.workers, progress=progress)
    if result.failures:
        raise SweepError("; ".join(result.failures.values()))
    records = list(result.records())
    fits = fit_both(records, include_uncharged=fit.include_uncharged)
    if fit.plot:
        from ..figures.runs import plot_runs
        from ..figures.style import save_figure

        save_figure(plot_runs(result, include_uncharged=fit.include_uncharged), fit.plot)
    _present_scaling(f"{protocol.protocol}, {protocol.duration}", records, fits, run.as_json)


def show(
    record: Annotated[str, typer.Argument(help="A record, as written by --out or found in a store.")],
    plot: Annotated[str | None, typer.Option("--plot", help="Draw mu(t), sigma(t) to .png or .pdf.")] = None,
    as_json: o.AsJson = False,
) -> None:
    """Print what a record says."""
    from ..records.record_file import read_record

    o.check_target(plot, FIGURE_ENDINGS)
    present_record(read_record(record), plot, as_json)


def present_record(record: Record, plot: str | None, as_json: bool) -> None:
    """Print what a record says, and draw it where that is asked for."""
    from .summary import number, summary

    if plot:
        from ..figures.style import save_figure
        from ..figures.trajectories import plot_trajectories

        save_figure(plot_trajectories([record]), plot)
    data = summary(record)
    note_limits([record])
    if not record.charge_state.is_charge:
        print(f"note: this run {record.charge_state.why_no_charge}.", file=sys.stderr)
    if missed := [name for name, verdict in record.converged.items() if verdict is False]:
        print(f"note: {' and '.join(missed)} did not converge{_cause(record, missed)}.", file=sys.stderr)
    if as_json:
        print_json(data)
        return
    rows = [(key, number(value)) for key, value in data.items()]
    print_table(f"{data['network']}, {data['protocol']}", ("quantity", "value"), rows)


def _cause(record: Record, missed: list[str]) -> str:
    """The largest part of the error and what makes it smaller, where the record and its engine say so."""
    from ..engines.registry import engines

    parts = record.discretisation.get("errors", {})
    if not parts or record.engine not in engines():
        return ""
    worst = max(parts, key=lambda name: parts[name][0 if "magnetization" in missed else 1])
    return f"; most of the error is due to {engines()[record.engine].remedies.get(worst, worst)}"


def note_limits(records: list[Record]) -> None:
    """Say which limits of a machine emulated runs are beyond, each once."""
    beyond = [limit for record in records for limit in record.sampler_info.get("limits", [])]
    for limit in dict.fromkeys(beyond):
        runs = f"{beyond.count(limit)} of {len(records)} runs are" if len(records) > 1 else "this emulation is"
        print(f"note: {runs} beyond what a QPU accepts: {limit}", file=sys.stderr)


def _present_scaling(title: str, records: list[Record], fits: dict[str, ScalingFit], as_json: bool) -> None:
    from .summary import number, summary

    points = [summary(record) for record in records]
    note_limits(records)
    if as_json:
        print_json({"points": points, "fits": {name: fit.to_dict() for name, fit in fits.items()}})
        return
    error = "precision_stderr" if any("precision_stderr" in point for point in points) else "error_estimate"
    header = ("network", "n_spins", "magnetization", "charge_state", "std", "precision", error)
    rows = [[p["network"], *(number(p.get(key)) for key in header[1:])] for p in points]
    print_table(title, header, rows)
    print_table(
        "precision = c N^alpha",
        ("fit", "c", "alpha"),
        [[name, f"{f.c:.4g} +- {f.c_err:.2g}", f"{f.alpha:.4g} +- {f.alpha_err:.2g}"] for name, f in fits.items()],
    )
