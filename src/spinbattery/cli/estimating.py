"""`spinbattery estimate`: what a measured figure says of noise or cross-talk."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated

import typer

from ..core.errors import OutsideCurveWarning, SweepError
from ..figures.style import FIGURE_ENDINGS
from . import options as o
from .console import print_json, sweep_progress


def estimate(
    experiment: Annotated[
        str, typer.Argument(help="Experiment file (TOML) whose runs make the curve: its noise or crosstalk is a list.")
    ],
    parameter: Annotated[
        str, typer.Option("--parameter", help="gamma_tau, gamma, crosstalk_tau, crosstalk, or temperature.")
    ],
    quantity: Annotated[
        str, typer.Option("--quantity", help="alpha (of several networks), magnetization, or precision (of one).")
    ],
    measured: Annotated[float, typer.Option("--measured", help="Value of that quantity on the device.")],
    error: Annotated[float, typer.Option("--error", min=0.0, help="Its standard error.")] = 0.0,
    method: Annotated[str, typer.Option("--method", help="Fit that alpha comes from: loglog or linear.")] = "loglog",
    device_duration: Annotated[
        str | None, typer.Option("--at", help="Duration on the device, such as 60us: gives the rate or J_CT itself.")
    ] = None,
    within: Annotated[
        tuple[float, float] | None, typer.Option("--within", help="Where to look, if the value occurs more than once.")
    ] = None,
    include_uncharged: o.IncludeUncharged = False,
    plot: Annotated[str | None, typer.Option("--plot", help="Draw the curve and the value to .png or .pdf.")] = None,
    store: o.StoreFolder = None,
    workers: o.Workers = None,
    as_json: o.AsJson = False,
    quiet: o.Quiet = False,
) -> None:
    """Run what is missing of a curve of simulations, and read a parameter off it at a measured value."""
    from ..analysis.calibration import calibration_curve, check_names
    from ..analysis.estimation import check_per_duration
    from ..analysis.estimation import estimate as invert
    from ..analysis.points import check_one_family
    from ..model.durations import parse_duration
    from ..sweeps.experiment import read_experiment
    from ..sweeps.run import run_plan

    o.check_target(plot, FIGURE_ENDINGS)
    check_names(parameter, quantity, method)
    tau = None if device_duration is None else parse_duration(device_duration)
    if tau is not None:
        check_per_duration(parameter)
    plan = read_experiment(experiment)
    if quantity == "alpha":
        check_one_family(task.problem.network for task in plan)
    with sweep_progress(quiet) as progress:
        result = run_plan(plan, store, workers=workers, progress=progress)
    if result.failures:
        raise SweepError("; ".join(result.failures.values()))
    curve = calibration_curve(
        result,
        parameter,  # type: ignore[arg-type]
        quantity,  # type: ignore[arg-type]
        method=method,  # type: ignore[arg-type]
        include_uncharged=include_uncharged,
    )
    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always", OutsideCurveWarning)
        found = invert(curve, measured, error, within=within)
    for doubt in doubts:
        print(f"warning: {doubt.message}", file=sys.stderr)
    estimates = [found] if tau is None else [found, found.at_duration(tau)]
    if plot:
        from ..figures.curves import plot_calibration
        from ..figures.style import save_figure

        save_figure(plot_calibration({quantity: curve}, measured=(measured, error), banded=[quantity]), plot)
    if as_json:
        points = {"x": curve.x.tolist(), "y": curve.y.tolist()}
        print_json({**found.to_dict(), "curve": points, "at": None if tau is None else estimates[1].to_dict()})
        return
    for one in estimates:
        print(one)
