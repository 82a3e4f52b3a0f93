"""Files of measured reads: occurrences, tables of pandas, matrices of spins or bits, and what is refused, by line."""

from __future__ import annotations

import json
import warnings

import dimod
import numpy as np
import pytest

from spinbattery import ChargingProblem, SpinNetwork, cooperative, independence_ratio, parse_network, ring
from spinbattery.core.errors import (
    EngineError,
    InsufficientMemoryError,
    InvalidParameterError,
    NetworkError,
    RecordError,
    UnusedColumnWarning,
)
from spinbattery.interop import measurement_files as files
from spinbattery.interop.measurement import read_measurement, record_from_samples
from spinbattery.solver.request import sampler_request

CP = cooperative(60e3)
COUNTED = "mu,num_occurrences\n1.0,90\n0.5,8\n0.0,2\n"
SPINS = np.where(np.random.default_rng(3).random((30, 5)) < 0.8, 1, -1).astype(np.int8)
LETTERS = SpinNetwork(3, [[0, 1], [1, 2]], labels=("a", "b", (0, 1)))


def read(tmp_path, content, network=None, name="measured.csv"):
    path = tmp_path / name
    if isinstance(content, np.ndarray):
        np.save(path, content)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return read_measurement(path, ring(4) if network is None else network, CP)


def answer(network, spins, **more):
    """These reads with the energies of the problem."""
    request = sampler_request(ChargingProblem(network, CP), 2)
    bqm = dimod.BinaryQuadraticModel.from_ising(request.h, request.J)
    return dimod.SampleSet.from_samples_bqm((spins, list(request.qubits)), bqm, **more)


@pytest.mark.parametrize(
    "text",
    [
        COUNTED,
        COUNTED.replace(",", ";"),
        COUNTED.replace(",", "\t"),
        COUNTED.replace(",", " "),
        "\ufeff" + COUNTED.replace("\n", "\r\n"),
        "# measured on a Monday\n\n" + COUNTED.replace(",", "  ,  ") + "\n\n",
        "NUM_OCCURRENCES,Mu\n90,1.0\n8,0.5\n2.0,0\n",
        "occurrences,magnetisation\n90,1.0\n8,0.5\n2,0\n0,-1\n",
        ",mu,num_occurrences\n0,1.0,90\n1,0.5,8\n2,0.0,2\n",
    ],
)
def test_rows_count_as_often_as_they_occurred(tmp_path, text):
    """90 reads of mu = 1, 8 of 0.5 and 2 of 0 on four spins, worked out by hand."""
    for name in ("measured.csv", "measured.txt", "measured.TSV"):
        record = read(tmp_path, text, name=name)
        assert record.n_reads == 100
        assert record.magnetization == pytest.approx(0.94, abs=1e-12)
        assert record.std == pytest.approx(0.19175, abs=5e-6)
        assert record.precision == pytest.approx(27.198, abs=5e-4)


def test_columns_that_are_not_used_are_named(tmp_path):
    with pytest.warns(UnusedColumnWarning, match=r"columns that are not used: read, date\.$"):
        record = read(tmp_path, "read,mu,num_occurrences,date\n0,1.0,90,May\n1,0.5,8,May\n2,0.0,2,June\n")
    assert record.magnetization == pytest.approx(0.94)
    with pytest.warns(UnusedColumnWarning, match="count; one that says how often .* must be called num_occurrences"):
        record = read(tmp_path, "mu,count\n1.0,90\n0.5,8\n0.0,2\n")
    assert record.n_reads == 3
    with pytest.warns(UnusedColumnWarning, match="not used: energy; "):
        read(tmp_path, "mu,energy\n1.0,-3\n0.5,1\n")


@pytest.mark.parametrize("network", [ring(5), parse_network("pegasus:2").restricted_to([2, 3, 4, 5, 9])])
@pytest.mark.parametrize("vartype", ["SPIN", "BINARY"])
def test_a_table_of_pandas_is_the_sample_set_itself(tmp_path, network, vartype):
    samples = answer(network, SPINS).change_vartype(vartype, inplace=False).aggregate()
    assert len(samples) < 30
    whole = record_from_samples(samples, network, CP)
    for extra in ("", "chain_break_fraction"):
        if extra:
            samples = dimod.append_data_vectors(samples, chain_break_fraction=np.linspace(0, 1, len(samples)))
        text = samples.to_pandas_dataframe().to_csv()
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            record = read(tmp_path, text, network)
        assert [str(one.message).rpartition(": ")[2] for one in said] == [f"{extra}."] * bool(extra)
        assert record.n_reads == 30
        assert np.array_equal(record.spins, whole.spins)
        assert independence_ratio(record) is not None
        assert record.key == whole.key


def test_energies_of_a_table_are_compared(tmp_path):
    frame = answer(ring(5), SPINS).to_pandas_dataframe()
    read(tmp_path, frame.to_csv(index=False), ring(5))
    read(tmp_path, frame.drop(columns=["energy", "num_occurrences"]).to_csv(), ring(5))
    frame["energy"] *= 2.0
    with pytest.warns(UserWarning, match="the energies of the answer are not those of this problem"):
        read(tmp_path, frame.to_csv(), ring(5))
    frame["energy"] = np.nan
    with pytest.warns(UserWarning, match="the energies of the answer are not those of this problem"):
        read(tmp_path, frame.to_csv(na_rep="nan"), ring(5))


def test_labels_of_any_kind_name_columns_in_any_order(tmp_path):
    spins = SPINS[:, :3]
    frame = answer(LETTERS, spins).to_pandas_dataframe()
    record = read(tmp_path, frame[[(0, 1), "a", "energy", "b"]].to_csv(), LETTERS)
    assert np.array_equal(record.spins, spins)
    part = read(tmp_path, frame[["b", "a"]].to_csv(), LETTERS)
    assert np.array_equal(part.spins, spins[:, :2])
    assert part.problem.network.n_pairs == 1
    numbers = read(tmp_path, "2,0,1\n" + "\n".join(",".join(map(str, row)) for row in spins.tolist()), ring(3))
    assert np.array_equal(numbers.spins, spins[:, [1, 2, 0]])


def test_names_that_might_be_values_are_refused(tmp_path):
    """On spins 0 and 1 a first line 0,1 may be either; a read of -1 and +1 is no name."""
    for first in ("0,1", "1,0"):
        with pytest.raises(RecordError, match=f"line 1 of .* may name the spins {first.replace(',', ', ')} or be"):
            read(tmp_path, f"{first}\n1,1\n0,0\n", ring(2))
    assert read(tmp_path, "0,1,num_occurrences\n1,1,3\n0,0,1\n", ring(2)).n_reads == 4
    assert read(tmp_path, "1,1\n0,1\n0,0\n", ring(2)).n_reads == 3
    assert read(tmp_path, "-1,1\n1,1\n", ring(2)).n_reads == 2
    with pytest.raises(NetworkError, match=r"0 and '0', which are written alike"):
        read(tmp_path, "0,num_occurrences\n1,3\n", SpinNetwork(2, [[0, 1]], labels=(0, "0")))


@pytest.mark.parametrize("as_bits", [False, True])
def test_a_matrix_is_in_the_order_of_the_network(tmp_path, as_bits):
    network = parse_network("pegasus:2").restricted_to([2, 3, 4, 5, 9])
    matrix = (SPINS + 1) // 2 if as_bits else SPINS
    np.savetxt(tmp_path / "plain.txt", matrix)
    np.savetxt(tmp_path / "whole.csv", matrix, fmt="%d", delimiter=",", header="five qubits")
    records = [read_measurement(tmp_path / name, network, CP) for name in ("plain.txt", "whole.csv")]
    kinds = (np.int8, np.float64, *([bool, np.uint8] if as_bits else []))
    records += [read(tmp_path, matrix.astype(kind), network, name="matrix.npy") for kind in kinds]
    for record in records:
        assert np.array_equal(record.spins, SPINS)
        assert record.dataset["qubit"].to_numpy().tolist() == [2, 3, 4, 5, 9]
        assert record.key == records[0].key


def test_ones_are_up_and_zeros_down(tmp_path):
    for value, mu in ((1, 1.0), (0, -1.0), (-1, -1.0)):
        assert read(tmp_path, np.full((3, 4), value), name="a.npy").magnetization == mu
        assert read(tmp_path, f"{value} {value} {value} {value}\n" * 3, name="a.txt").magnetization == mu


def test_an_array_of_one_row_is_magnetizations(tmp_path):
    record = read(tmp_path, np.repeat([1.0, 0.5, 0.0], [90, 8, 2]), name="mu.npy")
    assert record.precision == pytest.approx(27.198, abs=5e-4)
    assert record.spins is None
    with pytest.raises(InvalidParameterError, match=r"entry 2 has 1\.5"):
        read(tmp_path, np.array([1.0, 1.5]), name="mu.npy")


LINES = {
    "percent": ("mu\n100%\n50%\n", RecordError, "line 2 of .*measured.csv' has '100%' where a magnetization is wanted"),
    "per cent": ("mu\n1\n\n50\n", InvalidParameterError, "line 4 of .* has 50; .* per cent by 100"),
    "nan": ("mu\n1\nnan\n", InvalidParameterError, "line 3 of .* has nan"),
    "infinity": ("mu\n1\n-inf\n", InvalidParameterError, "line 3 of .* has -inf"),
    "between": ("mu,num_occurrences\n1,1\n0.9,7\n", InvalidParameterError, "mu = 0.9, as line 3 of"),
    "comma": ("mu;num_occurrences\n1,0;90\n", RecordError, "line 2 of .* has '1,0' where a magnetization is wanted"),
    "gap": ("mu,num_occurrences\n1,\n", RecordError, "line 2 of .* has '' where a number of occurrences is wanted"),
    "half": ("mu,num_occurrences\n1,90\n0,1.5\n", RecordError, "line 3 of .* has 1.5 occurrences"),
    "negative": ("mu,num_occurrences\n1,90\n0,-1\n", RecordError, "line 3 of .* has -1 occurrences"),
    "no number": ("mu,num_occurrences\n1,nan\n", RecordError, "line 2 of .* has nan occurrences"),
    "never": ("mu,num_occurrences\n1,0\n0,0\n", InvalidParameterError, "two or more shots"),
    "head": ("mu,num_occurrences\n", InvalidParameterError, "two or more shots"),
    "comments": ("# nothing\n\n", RecordError, "is empty"),
    "ragged": ("mu,num_occurrences\n1,90\n0.5\n", RecordError, "line 3 of .* has 1 cells, but line 1 has 2"),
    "more": ("mu,num_occurrences\n1,90,3\n", RecordError, "line 2 of .* has 3 cells, but line 1 has 2"),
    "twice": ("mu,mu\n1,1\n", RecordError, "line 1 of .* has two columns of one name"),
    "total": ("Sz,num_occurrences\n4,90\n2,8\n", RecordError, "line 1 of .* a column Sz, .* divide it by N = 4"),
    "total alone": ("sz_total\n4\n2\n", RecordError, "a column sz_total, .* divide it by N = 4 and call it mu"),
    "energies": ("energy\n-1\n-2\n", RecordError, "1 columns, none of them called magnetization or mu"),
    "nothing": ("\nread,value\n1,2\n", RecordError, "line 2 of .* 2 columns, none of them called magnetization or mu"),
    "no names": ("1.0,90\n0.5,8\n", RecordError, "2 columns without names, but ring:4 has 4 spins; .*,num_occurrences"),
    "five": ("1 1 1 1 1\n", RecordError, "5 columns without names, but ring:4 has 4 spins"),
    "mixed": ("1 1 -1 1\n1 0 1 1\n", RecordError, "line 2: .* here and before there are both 0 and -1"),
    "unused": ("1 1 -1 1\n1 3 1 1\n", RecordError, "line 2: 3 is no spin; .*3 marks a qubit that was not used"),
    "halves": ("1,1,0.5,1\n", RecordError, "line 1: 0.5 is no spin"),
    "nan spin": ("1,1,nan,1\n", RecordError, "line 1: nan is no spin"),
    "others": (",0,1,7\n0,1,1,1\n", RecordError, r"line 1 of .* named like spins \(7\), which ring:4 does not have"),
    "others and mu": ("7,mu\n1,1\n", RecordError, r"named like spins \(7\)"),
    "sample": (",sample,energy\n0,{0: 1},2\n", RecordError, r"in one column, sample; .*sample_column=False"),
    "text spin": ("0,1,2,3\n1,1,up,1\n", RecordError, "line 2 of .* has 'up' where a spin is wanted"),
    "a long cell": ("mu,num_occurrences\n1," + "9" * 200_000 + "\n", RecordError, "line 2 of .* is no row of a table"),
    "NUL": ("mu,num_occurrences\n1,\x00\n", RecordError, "line 2 of .* "),
    "one read": ("0,1,2,3\n1,1,1,1\n", EngineError, "the answer has 1 reads"),
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.filterwarnings("ignore::spinbattery.core.errors.UnusedColumnWarning")
def test_what_is_refused_is_named_by_its_line(tmp_path, name):
    text, error, message = LINES[name]
    with pytest.raises(error, match=message):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "array, message",
    [
        (np.array([[1, -1], [1, 1]], dtype=object), "is no array of numbers"),
        (np.array(["a", "b"]), "must hold a matrix of spins"),
        (np.zeros((2, 2, 2)), "must hold a matrix of spins"),
        (np.ones((3, 5)), "has 5 columns, but ring:4 has 4 spins"),
        (np.ones((4, 9)), "has 9 columns, but ring:4 has 4 spins; transpose it"),
        (np.array([[1, 1, 1, 1], [1, 0, -1, 1]]), "row 2: .* here and before there are both 0 and -1"),
        (np.array([[1, 1, 1, 1], [1, 2, 1, 1]]), "row 2: 2 is no spin"),
        (np.array([[1, 1, np.nan, 1]]), "row 1: nan is no spin"),
    ],
)
def test_arrays_that_are_refused(tmp_path, array, message):
    with pytest.raises(RecordError, match=message):
        read(tmp_path, array, name="a.npy")


def test_files_that_are_no_arrays(tmp_path):
    for content in (b"", b"1 1 1\n", b"\x93NUMPY\x01"):
        with pytest.raises(RecordError, match="is no array of numbers"):
            read(tmp_path, content, name="a.npy")
    with pytest.raises(RecordError, match="cannot read"):
        read_measurement(tmp_path / "none.npy", ring(4), CP)
    with pytest.raises(RecordError, match=r"must end in .json .* in .csv, .txt or .tsv .* or in .npy"):
        read(tmp_path, b"", name="a.npz")


def test_a_sample_set_with_occurrences_and_more(tmp_path):
    spins = [[1, 1, 1, 1], [1, 1, 1, -1], [1, 1, -1, -1]]
    samples = answer(ring(4), spins, num_occurrences=[90, 8, 2])
    text = json.dumps(samples.to_serializable())
    assert read(tmp_path, text, name="a.json").precision == pytest.approx(27.198, abs=5e-4)
    more = dimod.append_data_vectors(samples, chain_break_fraction=[0.0, 0.5, 0.0])
    with pytest.warns(UnusedColumnWarning, match=r"not used: chain_break_fraction\.$"):
        read(tmp_path, json.dumps(more.to_serializable()), name="a.json")


@pytest.mark.parametrize("occurrences", [[1.5, 2.0], [3, -1], [np.nan, 1.0]])
def test_occurrences_of_a_sample_set_are_whole(occurrences):
    samples = dimod.SampleSet.from_samples([[1, 1, 1, 1], [1, 1, 1, -1]], "SPIN", energy=0.0)
    record = np.rec.array(
        list(zip(samples.record.sample, samples.record.energy, occurrences, strict=True)),
        dtype=[("sample", np.int8, 4), ("energy", float), ("num_occurrences", float)],
    )
    odd = dimod.SampleSet(record, samples.variables, {}, "SPIN")
    with pytest.raises(RecordError, match="num_occurrences must be whole numbers of 0 or more"):
        record_from_samples(odd, ring(4), CP)


def test_more_occurrences_than_memory_are_refused_before_they_are_written_out(tmp_path):
    with pytest.raises(InsufficientMemoryError, match=r"1e\+13 reads of 4 spins .* check num_occurrences"):
        read(tmp_path, "mu,num_occurrences\n1,1e13\n0.5,1\n")
    samples = dimod.SampleSet.from_samples([[1, 1, 1, 1]], "SPIN", energy=0.0, num_occurrences=[10**13])
    with pytest.raises(InsufficientMemoryError, match="check num_occurrences"):
        record_from_samples(samples, ring(4), CP)
    assert files.check_occurrences([3, 0], 4) is None


def test_another_network_is_refused(tmp_path):
    with pytest.raises(NetworkError, match="are no spins of"):
        read(tmp_path, json.dumps(answer(ring(5), SPINS).to_serializable()), name="a.json")
