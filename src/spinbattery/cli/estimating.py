"""`spinbattery estimate`: noise or cross-talk from a measured figure of merit."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import OutsideCurveWarning, SweepError
from ..figures.style import FIGURE_ENDINGS
from . import options as o
from .console import print_json, sweep_progress
from .groups import Group, RunOptions

if TYPE_CHECKING:
    from ..analysis.calibration import CalibrationCurve
    from ..sweeps.run import Sweep


@dataclass(frozen=True)
class CurveOptions(Group):
    """The curve that a parameter is read off from."""

    parameter: Annotated[
        str, typer.Option("--parameter", help="gamma_tau, gamma, crosstalk_tau, crosstalk, or temperature.")
    ]
    quantity: Annotated[
        str, typer.Option("--quantity", help="alpha (of several networks), magnetization, or precision (of one).")
    ]
    method: Annotated[str, typer.Option("--method", help="Fit of alpha: loglog or linear.")] = "loglog"
    include_uncharged: o.IncludeUncharged = False
    workers: o.Workers = None

    def curve(self, runs: Sweep) -> CalibrationCurve:
        from ..analysis.calibration import calibration_curve

        return calibration_curve(
            runs,
            self.parameter,  # type: ignore[arg-type]
            self.quantity,  # type: ignore[arg-type]
            method=self.method,  # type: ignore[arg-type]
            include_uncharged=self.include_uncharged,
        )


@dataclass(frozen=True)
class MeasuredOptions(Group):
    """The measured value."""

    measured: Annotated[float, typer.Option("--measured", help="Value of the quantity on the device.")]
    error: Annotated[float, typer.Option("--error", min=0.0, help="Its standard error.")] = 0.0
    device_duration: Annotated[
        str | None, typer.Option("--at", help="Duration on the device, such as 60us: gives the rate or J_CT itself.")
    ] = None
    within: Annotated[
        tuple[float, float] | None, typer.Option("--within", help="Where to look, if the value occurs more than once.")
    ] = None


def estimate(
    experiment: Annotated[
        str, typer.Argument(help="Experiment file (TOML) whose runs make the curve: its noise or crosstalk is a list.")
    ],
    options: CurveOptions,
    device: MeasuredOptions,
    run: RunOptions,
    plot: Annotated[str | None, typer.Option("--plot", help="Draw the curve and the value to .png or .pdf.")] = None,
) -> None:
    """Run the missing runs of a curve of simulations, and read a parameter off it at a measured value."""
    from ..analysis.calibration import check_names
    from ..analysis.estimation import check_per_duration
    from ..analysis.estimation import estimate as invert
    from ..analysis.points import check_one_family
    from ..model.durations import parse_duration
    from ..sweeps.experiment import read_experiment
    from ..sweeps.run import run_plan

    o.check_target(plot, FIGURE_ENDINGS)
    check_names(options.parameter, options.quantity, options.method)
    tau = None if device.device_duration is None else parse_duration(device.device_duration)
    if tau is not None:
        check_per_duration(options.parameter)
    plan = read_experiment(experiment)
    if options.quantity == "alpha":
        check_one_family(task.problem.network for task in plan)
    with sweep_progress(run.quiet) as progress:
        result = run_plan(plan, run.store, workers=options.workers, progress=progress)
    if result.failures:
        raise SweepError("; ".join(result.failures.values()))
    curve = options.curve(result)
    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always", OutsideCurveWarning)
        found = invert(curve, device.measured, device.error, within=device.within)
    for doubt in doubts:
        print(f"warning: {doubt.message}", file=sys.stderr)
    at_tau = None if tau is None else found.at_duration(tau)
    if plot:
        from ..figures.curves import plot_calibration
        from ..figures.style import save_figure

        measured, name = (device.measured, device.error), options.quantity
        save_figure(plot_calibration({name: curve}, measured=measured, banded=[name]), plot)
    if run.as_json:
        points = {"x": curve.x.tolist(), "y": curve.y.tolist()}
        print_json({**found.to_dict(), "curve": points, "at": None if at_tau is None else at_tau.to_dict()})
        return
    print(found)
    if at_tau is not None:
        print(at_tau)
