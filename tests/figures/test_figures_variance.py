"""N sigma^2 against N."""

from __future__ import annotations

import pytest

from spinbattery.figures.style import save_figure
from spinbattery.figures.variance import plot_variances


def test_points_and_the_two_scalings(tmp_path):
    figure = plot_variances({"square tori": [(9, 0.1135), (12, 0.0862)], "none": [], "tilted tori": [(10, 0.0976)]})
    (axis,) = figure.axes
    lines = {line.get_label(): line for line in axis.lines}
    assert list(lines) == ["$1$ (standard quantum limit)", "$1/N$ (Heisenberg scaling)", "square tori", "tilted tori"]
    assert lines["square tori"].get_xydata().tolist() == [[9.0, 0.1135], [12.0, 0.0862]]
    heisenberg = lines["$1/N$ (Heisenberg scaling)"]
    assert heisenberg.get_ydata() == pytest.approx(1.0 / heisenberg.get_xdata())
    assert axis.get_yscale() == axis.get_xscale() == "log"
    assert save_figure(figure, tmp_path / "variances.png").stat().st_size > 0
