"""Names, units and meanings of what a record holds."""

from __future__ import annotations

from typing import Any

Variables = dict[str, tuple[Any, Any]]
"""Dimensions and values of variables of a record, by name."""

SCHEMA = "spinbattery.record"
SCHEMA_VERSION = 1

NUMERICS_VERSION = 1
"""Raised whenever an engine comes to give other results, so that stores do not serve the old ones."""

VARIANCE_FLOOR = 1e-20
"""A computed sigma^2 below this is rounding noise: sigma counts as zero and precision as unknown."""

UNITS = {
    "magnetization": "1",
    "variance": "1",
    "std": "1",
    "precision": "1",
    "precision_bound": "1",
    "magnetization_error": "1",
    "precision_error": "1",
    "precision_relative_error": "1",
    "std_error": "1",
    "magnetization_extrapolated": "1",
    "std_extrapolated": "1",
    "magnetization_stderr": "1",
    "variance_stderr": "1",
    "precision_stderr": "1",
    "read_magnetization": "1",
    "spins_packed": "1",
    "degree": "1",
    "qubit": "1",
    "energy": "B(s)/2",
    "norm_error": "1",
    "purity": "1",
    "purity_t": "1",
    "smallest_eigenvalue": "1",
    "distribution_stderr": "1",
    "spin_magnetization_stderr": "1",
    "magnetization_t_stderr": "1",
    "variance_t_stderr": "1",
    "energy_t_stderr": "GHz",
    "spin_magnetization": "1",
    "distribution": "1",
    "magnetization_t": "1",
    "spin_magnetization_t": "1",
    "std_t": "1",
    "energy_t": "GHz",
    "magnetization_t_error": "1",
    "variance_t_error": "1",
    "state": "1",
    "time": "ns",
    "sz_total": "1",
    "hs_cost": "GHz ns",
    "hs_cost_peak": "GHz",
    "hs_cost_matched": "GHz",
    "duration": "ns",
}

LONG_NAMES = {
    "magnetization": "mu = <Sz>/N at the end",
    "variance": "sigma^2 = (<Sz^2> - <Sz>^2)/N^2 at the end",
    "std": "sigma",
    "precision": "1/sigma^2",
    "precision_bound": "lower bound of 1/sigma^2 where sigma is zero to rounding or has not converged",
    "magnetization_error": "estimated absolute error of mu",
    "precision_error": "estimated absolute error of 1/sigma^2",
    "precision_relative_error": "estimated relative error of 1/sigma^2, which a tolerance bounds",
    "std_error": "estimated absolute error of sigma",
    "magnetization_extrapolated": "mu, extrapolated to no weight cut off",
    "std_extrapolated": "sigma, extrapolated to no weight cut off",
    "magnetization_stderr": "standard error of mu",
    "variance_stderr": "standard error of sigma^2",
    "precision_stderr": "standard error of 1/sigma^2",
    "read_magnetization": "mu of each read",
    "spins_packed": "spins of each read, first spin in the highest bit, bit 1 up",
    "degree": "number of coupled neighbours of each spin",
    "qubit": "number of the qubit that is the spin",
    "energy": "h sum s_k + J sum w_jk s_j s_k of each read, at g = 1",
    "norm_error": "largest drift of the norm, or of the trace, before normalisation",
    "purity": "Tr rho^2 at the end",
    "purity_t": "Tr rho(t)^2",
    "smallest_eigenvalue": "smallest eigenvalue of rho at the end; below zero by errors alone",
    "distribution_stderr": "standard error of P(Sz)",
    "spin_magnetization_stderr": "standard error of <sz_k>",
    "magnetization_t_stderr": "standard error of mu(t)",
    "variance_t_stderr": "standard error of sigma^2(t)",
    "energy_t_stderr": "standard error of <H(t)>",
    "exact_weight": "probability of the strata of trajectories whose moments are known",
    "exact_moments": "their share of mu, <Sz^2>/N^2 and <H> in GHz, at the output times and at the end",
    "exact_distribution": "their share of P(Sz) at the end",
    "exact_spin_magnetization": "their share of <sz_k> at the end",
    "sampled_weight": "probability of the strata that trajectories are drawn from",
    "sampled_count": "trajectories that were drawn",
    "sampled_moments": "sums of deviations a, b, e of mu, <Sz^2>/N^2, <H>, a^2, b^2, e^2, a b, from the exact mean",
    "sampled_distribution": "sums of deviations of P(Sz) and of their squares",
    "sampled_spin_magnetization": "sums of deviations of <sz_k> and of their squares",
    "spin_magnetization": "<sz_k> of each spin at the end",
    "distribution": "P(Sz) at the end",
    "magnetization_t": "mu(t)",
    "spin_magnetization_t": "<sz_k> of each spin at t",
    "std_t": "sigma(t)",
    "energy_t": "<H(t)>/h, h being Planck's constant",
    "magnetization_t_error": "estimated absolute error of mu(t)",
    "variance_t_error": "estimated absolute error of sigma^2(t)",
    "state": "final amplitudes, spin 0 most significant, bit 0 up",
    "hs_cost": "int ||H||_HS dt / 2^(N/2)",
    "hs_cost_peak": "largest ||H||_HS / 2^(N/2)",
    "hs_cost_matched": "||H||_HS / 2^(N/2) where |g| is largest",
}

REQUIRED = ("magnetization", "variance", "std", "distribution", "problem", "duration", "hs_cost")
