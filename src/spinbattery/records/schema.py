"""Names, units and meanings of what a record holds."""

from __future__ import annotations

from typing import Any

Variables = dict[str, tuple[Any, Any]]
"""Dimensions of variables of a record, by name, and their values or a function that makes them."""

SCHEMA = "spinbattery.record"
SCHEMA_VERSION = 1

NUMERICS_VERSION = 1
"""Raised whenever an engine comes to give other results, so that stores do not serve the old ones."""

VARIANCE_FLOOR = 1e-20
"""A computed sigma^2 below this is rounding noise: sigma counts as zero and precision as unknown."""

MIXED_VARIANCE_FLOOR = 1e-12
"""The same of N times sigma^2 for mixed states and trajectories, whose populations round to parts of one, not of
themselves."""

ATTRIBUTES: dict[str, dict[str, str]] = {
    "magnetization": {"units": "1", "long_name": "mu = <Sz>/N at the end"},
    "variance": {"units": "1", "long_name": "sigma^2 = (<Sz^2> - <Sz>^2)/N^2 at the end"},
    "std": {"units": "1", "long_name": "sigma"},
    "precision": {"units": "1", "long_name": "1/sigma^2"},
    "precision_bound": {
        "units": "1",
        "long_name": "lower bound of 1/sigma^2 where sigma is zero to rounding or has not converged",
    },
    "magnetization_error": {"units": "1", "long_name": "estimated absolute error of mu"},
    "precision_error": {"units": "1", "long_name": "estimated absolute error of 1/sigma^2"},
    "precision_relative_error": {
        "units": "1",
        "long_name": "estimated relative error of 1/sigma^2, which a tolerance bounds",
    },
    "std_error": {"units": "1", "long_name": "estimated absolute error of sigma"},
    "magnetization_extrapolated": {"units": "1", "long_name": "mu, extrapolated to no weight cut off"},
    "std_extrapolated": {"units": "1", "long_name": "sigma, extrapolated to no weight cut off"},
    "magnetization_stderr": {"units": "1", "long_name": "standard error of mu"},
    "variance_stderr": {"units": "1", "long_name": "standard error of sigma^2"},
    "precision_stderr": {"units": "1", "long_name": "standard error of 1/sigma^2"},
    "read_magnetization": {"units": "1", "long_name": "mu of each read"},
    "spins_packed": {"units": "1", "long_name": "spins of each read, first spin in the highest bit, bit 1 up"},
    "degree": {"units": "1", "long_name": "number of coupled neighbours of each spin"},
    "qubit": {"units": "1", "long_name": "number of the qubit that is the spin"},
    "energy": {"units": "B(s)/2", "long_name": "h sum s_k + J sum w_jk s_j s_k of each read, at g = 1"},
    "norm_error": {"units": "1", "long_name": "largest drift of the norm, or of the trace, before normalisation"},
    "purity": {"units": "1", "long_name": "Tr rho^2 at the end"},
    "purity_t": {"units": "1", "long_name": "Tr rho(t)^2"},
    "smallest_eigenvalue": {
        "units": "1",
        "long_name": "smallest eigenvalue of rho at the end; below zero by errors alone",
    },
    "distribution_stderr": {"units": "1", "long_name": "standard error of P(Sz)"},
    "spin_magnetization_stderr": {"units": "1", "long_name": "standard error of <sz_k>"},
    "magnetization_t_stderr": {"units": "1", "long_name": "standard error of mu(t)"},
    "variance_t_stderr": {"units": "1", "long_name": "standard error of sigma^2(t)"},
    "energy_t_stderr": {"units": "GHz", "long_name": "standard error of <H(t)>"},
    "exact_weight": {"long_name": "probability of the strata of trajectories whose moments are known"},
    "exact_moments": {"long_name": "their share of mu, <Sz^2>/N^2 and <H> in GHz, at the output times and at the end"},
    "exact_distribution": {"long_name": "their share of P(Sz) at the end"},
    "exact_spin_magnetization": {"long_name": "their share of <sz_k> at the end"},
    "sampled_weight": {"long_name": "probability of the strata that trajectories are drawn from"},
    "sampled_count": {"long_name": "trajectories that were drawn"},
    "sampled_moments": {
        "long_name": "sums of deviations a, b, e of mu, <Sz^2>/N^2, <H>, a^2, b^2, e^2, a b, from the exact mean"
    },
    "sampled_distribution": {"long_name": "sums of deviations of P(Sz) and of their squares"},
    "sampled_spin_magnetization": {"long_name": "sums of deviations of <sz_k> and of their squares"},
    "spin_magnetization": {"units": "1", "long_name": "<sz_k> of each spin at the end"},
    "distribution": {"units": "1", "long_name": "P(Sz) at the end"},
    "magnetization_t": {"units": "1", "long_name": "mu(t)"},
    "spin_magnetization_t": {"units": "1", "long_name": "<sz_k> of each spin at t"},
    "std_t": {"units": "1", "long_name": "sigma(t)"},
    "energy_t": {"units": "GHz", "long_name": "<H(t)>/h, h being Planck's constant"},
    "magnetization_t_error": {"units": "1", "long_name": "estimated absolute error of mu(t)"},
    "variance_t_error": {"units": "1", "long_name": "estimated absolute error of sigma^2(t)"},
    "state": {"units": "1", "long_name": "final amplitudes, spin 0 most significant, bit 0 up"},
    "hs_cost": {"units": "GHz ns", "long_name": "int ||H||_HS dt / 2^(N/2)"},
    "hs_cost_peak": {"units": "GHz", "long_name": "largest ||H||_HS / 2^(N/2)"},
    "hs_cost_matched": {"units": "GHz", "long_name": "||H||_HS / 2^(N/2) where |g| is largest"},
    "time": {"units": "ns"},
    "sz_total": {"units": "1"},
    "duration": {"units": "ns"},
}
"""Unit and meaning of every variable that has them, as attributes of it."""

REQUIRED = ("magnetization", "variance", "std", "distribution", "problem", "duration", "hs_cost")
