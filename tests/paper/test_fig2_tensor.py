"""Points of tensor networks: what is drawn as a precision, what as a bound, and what the verdicts say."""

from __future__ import annotations

import re

import numpy as np
import pytest
from matplotlib.markers import CARETUPBASE

import spinbattery as sb
from charging_paper import beyond, fig2_tensor
from charging_paper.beyond import PAPER_SIZES, Beyond
from charging_paper.fig2_tensor import STUDIES, TensorStudy
from charging_paper.parameters import LOCAL
from charging_paper.runs import Request, Runs

COARSE, LARGER = TensorStudy((2, 2), (2, 3)), TensorStudy((2, 3), (2, 3))
FINE = TensorStudy((2, 2), (2, 4), full_only=True)
"""It cuts nothing off and converges."""


@pytest.fixture(scope="module")
def sections(tmp_path_factory):
    """The part in a quick and in a full reproduction of small studies, with exact runs of two and four spins."""
    folder, found = tmp_path_factory.mktemp("tensor"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beyond, "PAPER_SIZES", {name: group[:2] for name, group in PAPER_SIZES.items()})
        build, requests = fig2_tensor.part((COARSE, FINE, LARGER), Beyond((), ()))
        for full in (False, True):
            runs = Runs(folder, [request for request in requests if full or not request.full_only])
            runs.make()
            found["full" if full else "quick"] = build(runs)
    return found


def points(figure):
    """Label, sizes, values and whether they are bounds, of each series."""
    found = {}
    for container in figure.axes[0].containers:
        line, carets, _ = container.lines
        drawn = sum(len(caret.get_xdata()) for caret in carets if caret.get_marker() == CARETUPBASE)
        found[container.get_label()] = (*(np.asarray(data).tolist() for data in line.get_data()), drawn)
    return found


def cells(section):
    (table,) = section.tables
    return table.rows


def test_a_sigma_that_has_not_converged_is_drawn_as_a_bound(sections):
    series = points(sections["quick"].figures[0].figure)
    bound = next(label for label in series if "lower bound" in label)
    sizes, values, arrows = series.pop(bound)
    assert sizes == [4, 6]
    assert arrows == 2
    runs = [run.record for run in sections["quick"].figures[0].runs if run.record.engine == "tensor"]
    assert values == [record.precision_bound for record in runs]
    assert all(value < 1.0 / record.variance for value, record in zip(values, runs, strict=True))
    assert set(series) == {"cooperative, exact", "local, exact"}
    assert all(drawn == 0 for *_, drawn in series.values())
    assert series["cooperative, exact"][0] == [2, 4]
    assert set(series["local, exact"][0]) == {2, 4, 6}


def test_one_that_has_converged_is_a_precision(sections):
    figure = sections["full"].figures[0].figure
    series = points(figure)
    sizes, values, arrows = series["cooperative, tensor network, converged"]
    assert (sizes, arrows) == ([4], 0)
    exact = dict(zip(*series["cooperative, exact"][:2], strict=True))
    assert values == pytest.approx([exact[4]], rel=1e-2)
    assert next(found for label, found in series.items() if "lower bound" in label)[0] == [6]
    assert "Bhatia-Davis bound" in " ".join(text.get_text() for text in figure.legends[0].get_texts())


def test_magnetizations_have_their_errors_and_verdicts(sections):
    quick, full = (points(sections[kind].figures[1].figure) for kind in ("quick", "full"))
    assert quick["cooperative, tensor network, not converged to 0.002"][0] == [4, 6]
    assert full["cooperative, tensor network, converged to 0.002"][0] == [4]
    assert full["cooperative, tensor network, not converged to 0.002"][0] == [6]
    record = next(run.record for run in sections["full"].figures[1].runs if run.record.n_spins == 6)
    container = next(c for c in sections["full"].figures[1].figure.axes[0].containers if "not conv" in c.get_label())
    (bars,) = container.lines[2]
    assert 0.5 * np.ptp(bars.get_segments()[0][:, 1]) == pytest.approx(record.magnetization_error)


def test_the_table_shows_every_study_beside_what_is_exact(sections):
    coarse, larger = cells(sections["quick"])
    assert (coarse["mu converged"], coarse["sigma converged"]) == ("no", "no")
    assert coarse["1/sigma^2"].startswith("> ")
    assert (larger["mu, exact"], larger["1/sigma^2, exact"]) == ("-", "-")
    assert float(larger["1/sigma^2, local (exact)"]) == pytest.approx(6.0, rel=2e-3)
    full = cells(sections["full"])
    assert [row["N"] for row in full] == [4, 4, 6]
    assert (full[1]["mu converged"], full[1]["sigma converged"]) == ("yes", "yes")
    assert re.fullmatch(r"16\.\d+ \+- \d %", full[1]["1/sigma^2"])
    mu, error = map(float, full[1]["mu"].split(" +- "))
    assert abs(mu - float(full[1]["mu, exact"])) < error


def test_verdicts_follow_the_runs(sections):
    (charge, bound, sigma), (*_, full_sigma) = (sections[kind].audit for kind in ("quick", "full"))
    assert charge.verdict == "reproduced"
    assert "Not converged to the tolerance: N = 4, 6." in charge.note
    assert bound.verdict == "corrected"
    assert all(float(value) < 3.0 for value in re.findall(r"> (\S+?)(?: |;|$)", bound.measured))
    assert (sigma.verdict, full_sigma.verdict) == ("open", "corrected")
    assert "N = 4" in full_sigma.note
    assert "only with --full" in sections["quick"].text[-1]
    assert "only with --full" not in sections["full"].text[-1]


def test_the_paper_s_sizes_and_which_of_them_take_long():
    sizes = {study.size for study in STUDIES}
    assert sizes == {(4, 4), (8, 8), (16, 16)}
    assert [study.size for study in STUDIES if not study.full_only] == [(4, 4), (8, 8)]
    for study in STUDIES:
        (local,) = study.local.plan().tasks
        assert local.engine.name == "product"
        assert not study.local.full_only


@pytest.mark.parametrize(
    ("bonds", "options"),
    [(None, ""), (8, " --bond-dimension 8"), ((6, 8), " --bond-dimension 6,8")],
)
def test_a_request_says_the_tensor_network_on_the_command_line(bonds, options):
    request = Request("torus:2x3", LOCAL, tensor=sb.TensorNetwork(2e-3, bonds))
    assert request.command().endswith(f" --engine tensor --tolerance 0.002{options}")
    (task,) = request.plan().tasks
    assert (task.engine.name, task.engine.bond_dimension) == ("tensor", bonds)
