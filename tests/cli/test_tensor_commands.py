"""Tensor networks and approximations on the command line."""

from __future__ import annotations

import pytest

CHARGE = ("charge", "--duration", "5ns", "-J", "-0.2", "--field", "-0.5", "--quiet", "--engine")


def test_one_run(spinbattery):
    got = spinbattery(*CHARGE, "tensor", "--network", "torus:2x4", "--bond-dimension", "8", "--json").json
    assert (got["engine"], got["bond_dimension"], got["expansion"]) == ("tensor", 8, 0)
    assert got["converged"] == {"magnetization": None, "precision": None}
    assert got["precision"] is None
    assert got["precision_bound"] is None
    assert got["bhatia_davis_precision"] == pytest.approx(1.0 / (1.0 - got["magnetization"] ** 2))
    assert got["magnetization_error"] is None
    assert got["independence_ratio"] is None
    assert got["seconds_per_step"] > 0.0
    assert got["steps"] > 10


def test_a_tolerance(spinbattery):
    exact = spinbattery(*CHARGE, "statevector", "--network", "torus:2x4", "--json").json
    got = spinbattery(*CHARGE, "tensor", "--network", "torus:2x4", "--tolerance", "1e-2", "--json").json
    assert got["converged"] == {"magnetization": True, "precision": True}
    assert abs(got["magnetization"] - exact["magnetization"]) < got["magnetization_error"] < 1e-2
    assert abs(got["std"] - exact["std"]) < got["std_error"]
    assert got["precision"] == pytest.approx(1.0 / got["std"] ** 2)
    assert got["precision_bound"] is None
    assert got["bond_dimension"] <= 16


def test_several_bond_dimensions(spinbattery):
    got = spinbattery(*CHARGE, "tensor", "--network", "ring:6", "--bond-dimension", "2,3", "--seed", "1", "--json").json
    assert got["bond_dimension"] == 3
    assert got["magnetization_error"] > 0.0
    assert set(got["converged"]) == {"magnetization", "precision"}


def test_what_did_not_converge_is_said(spinbattery):
    got = spinbattery(*CHARGE, "tensor", "--network", "ring:8", "--bond-dimension", "1,2", "--json")
    assert got.json["converged"]["magnetization"] is False
    assert got.json["bond_dimension"] == 2
    assert "magnetization and precision did not converge; most of the error is due to steps" in got.err


def test_expansion(spinbattery):
    arguments = (*CHARGE, "tensor", "--network", "ring:6", "--bond-dimension", "3", "--json", "--expansion")
    assert spinbattery(*arguments, "1").json["expansion"] == 1
    assert spinbattery(*arguments, "all").json["expansion"] == "all"
    assert "or 'all'" in spinbattery(*arguments, "some").err


def test_a_table_says_so_too(spinbattery):
    got = spinbattery(*CHARGE, "tensor", "--network", "ring:6", "--bond-dimension", "3")
    assert got.code == 0
    assert "magnetization -, precision -" in got.out


@pytest.mark.parametrize("engine", ["mean-field", "truncated-wigner"])
def test_approximations(spinbattery, engine):
    got = spinbattery(*CHARGE, engine, "--network", "torus:3x3", "--json").json
    assert "tori of 9, 16 and 25 spins" in got["approximation"]
    assert got["precision"] is None
    assert got["precision_bound"] is None
    assert 0.0 < got["std"] < 1.0


def test_trajectories_of_the_truncated_wigner_engine(spinbattery):
    arguments = (*CHARGE, "truncated-wigner", "--network", "torus:3x3", "--trajectories", "40", "--seed", "3", "--json")
    got = spinbattery(*arguments).json
    assert (got["trajectories"], got["seed"]) == (40, 3)
    assert got["magnetization_stderr"] > 0.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tensor", "--bond-dimension", "many"), "must be a whole number or several with commas"),
        (("tensor", "--bond-dimension", "16,10"), "ascend"),
        (("tensor", "--bond-dimension", "0"), "bond_dimension must be"),
        (("statevector", "--bond-dimension", "10"), "has no --bond-dimension; leave it out, or use --engine tensor"),
        (("truncated-wigner", "--tolerance", "1e-3"), "has no tolerance"),
    ],
)
def test_bad_options(spinbattery, arguments, message):
    got = spinbattery(*CHARGE, *arguments, "--network", "ring:6")
    assert got.code == 2
    assert message in got.err
    assert not got.out
