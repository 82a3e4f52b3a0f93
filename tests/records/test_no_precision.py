"""Why a record has no precision: one enum, and its sentences in stores and Datasets."""

from __future__ import annotations

import numpy as np
import pytest

from spinbattery import ChargingProblem, Store, charge, cooperative, ring
from spinbattery.analysis.points import reasons_of, sentences_of
from spinbattery.core.errors import RecordError
from spinbattery.records.building import build_record
from spinbattery.records.dataset import gather
from spinbattery.records.no_precision import NoPrecision
from spinbattery.records.readout import Readout
from spinbattery.records.schema import VARIANCE_FLOOR
from spinbattery.records.solution import Convergence, ErrorEstimates, FinalState, Solution, TimeTraces

PROBLEM = ChargingProblem(ring(2), cooperative(10.0))


def record_of(variance=0.1, verdict=None, approximation=""):
    solution = Solution(
        FinalState(np.array([0.0, 0.5, 0.5]), np.array([0.5, 0.5])),
        TimeTraces(np.empty(0), np.array([0.5]), np.array([variance]), np.zeros(1)),
        ErrorEstimates(np.array([0.1]), np.array([0.1]), precision=0.1, std=0.1),
        verdict=verdict,
    )
    return build_record(PROBLEM, "test", {"v": variance}, "test", solution, 0.0, approximation)


RECORDS = {
    None: record_of(verdict=Convergence(True, True)),
    NoPrecision.APPROXIMATION: record_of(approximation="without correlations"),
    NoPrecision.NOT_CHECKED: record_of(verdict=Convergence()),
    NoPrecision.NOT_CONVERGED: record_of(verdict=Convergence(True, False)),
    NoPrecision.ZERO_TO_ROUNDING: record_of(0.5 * VARIANCE_FLOOR, Convergence(True, True)),
    NoPrecision.ZERO_IN_READS: build_record(PROBLEM, "test", {}, "test", Readout(np.ones(30)), 0.0),
}


@pytest.mark.parametrize("reason", RECORDS)
def test_a_record_says_why_it_has_no_precision(reason):
    record = RECORDS[reason]
    assert record.no_precision is reason
    assert (record.precision is None) == (reason is not None)
    uncertain = reason is not None and not reason.is_zero
    assert (f"({reason})" in repr(record)) == uncertain


def test_every_reason_comes_back_from_the_columns():
    data = gather(list(RECORDS.values()))
    assert reasons_of(data) == list(RECORDS)
    assert sentences_of(data).tolist()[-1] == "is zero in all 30 reads"
    assert set(RECORDS) == {None, *NoPrecision}
    with pytest.raises(RecordError, match="gather the records again"):
        NoPrecision.of_sentence("is unknown")


def test_a_dataset_of_an_older_version_without_reasons():
    data = gather(list(RECORDS.values())).drop_vars("no_precision")
    assert reasons_of(data) == [None, *[NoPrecision.ZERO_TO_ROUNDING] * 5]


def test_the_text_in_a_store_can_be_selected(tmp_path):
    store = Store(tmp_path)
    for record in (RECORDS[NoPrecision.ZERO_IN_READS], charge(ring(2), cooperative(1.0))):
        store.put(record)
    (row,) = store.rows(no_precision="is zero in all 30 reads")
    assert row["precision"] is None
