"""Figures of calibration curves: what is drawn where."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery.analysis.calibration import CalibrationCurve
from spinbattery.core.errors import InvalidParameterError
from spinbattery.figures.curves import plot_calibration

X = [-3.0, -1.0, -0.1, 0.0]
CURVES = {
    "slow": CalibrationCurve(
        "crosstalk_tau", "alpha", X, [1.6, 1.3, 1.1, 1.0], [[1.5, 1.2, 1.0, 0.9], [1.7, 1.4, 1.2, 1.1]]
    ),
    "fast": CalibrationCurve("crosstalk_tau", "alpha", X[:3], [1.5, 1.2, 1.05]),
}


def lines(axis, linestyle="-", marker="None"):
    return [line for line in axis.lines if line.get_linestyle() == linestyle and line.get_marker() == marker]


def test_points_curves_and_the_value_at_zero():
    (axis,) = plot_calibration(CURVES).axes
    points = [line for line in axis.lines if line.get_marker() == "o"]
    assert points[0].get_xdata().tolist() == [3.0, 1.0, 0.1]
    assert points[0].get_ydata().tolist() == [1.6, 1.3, 1.1]
    assert [line.get_ydata()[0] for line in lines(axis, ":")] == [1.0]  # only one of them has a value at zero
    for name, line in zip(CURVES, lines(axis), strict=True):
        x, y = line.get_xdata(), line.get_ydata()
        assert (np.diff(x) > 0.0).all()
        assert y == pytest.approx(CURVES[name](-x))
    assert axis.get_xscale() == "log"
    assert "alpha" in axis.get_ylabel()


def test_bands_the_measured_value_and_marks():
    curves = CURVES
    plain, banded = (plot_calibration(curves, banded=names).axes[0] for names in ([], ["slow"]))
    assert len(banded.collections) == len(plain.collections) + 1
    figure = plot_calibration(curves, measured=(1.07, 0.07), marks={"printed": -0.26})
    (axis,) = figure.axes
    assert [line.get_xdata()[0] for line in axis.lines if line.get_label() == "printed"] == [0.26]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts[0].startswith("measured: 1.07")
    assert texts[1:] == ["slow", "fast", "printed", "dotted: without cross-talk"]


@pytest.mark.parametrize(
    ("parameter", "label"),
    [
        ("gamma", "dotted: without noise"),
        ("crosstalk", "dotted: without cross-talk"),
        ("temperature", "dotted: at zero"),
    ],
)
def test_the_dotted_lines_are_explained_once_and_only_where_there_are_some(parameter, label):
    with_zero = {name: CalibrationCurve(parameter, "alpha", [0.0, 1.0], [1.1, 1.5]) for name in ("a", "b")}
    without = {name: CalibrationCurve(parameter, "alpha", [0.5, 1.0], [1.1, 1.5]) for name in ("a", "b")}
    texts = [
        [text.get_text() for text in plot_calibration(curves).legends[0].get_texts()] for curves in (with_zero, without)
    ]
    assert texts == [["a", "b", label], ["a", "b"]]


def test_curves_that_do_not_belong_together_are_refused():
    with pytest.raises(InvalidParameterError, match="one quantity against one parameter"):
        plot_calibration({})
    other = CalibrationCurve("crosstalk_tau", "magnetization", X, [0.8, 0.6, 0.1, 0.0])
    with pytest.raises(InvalidParameterError, match="one quantity against one parameter"):
        plot_calibration({**CURVES, "mu": other})
    with pytest.raises(InvalidParameterError, match="two sides of zero"):
        plot_calibration({"both": CalibrationCurve("crosstalk", "alpha", [-1.0, 1.0], [1.2, 0.9])})
