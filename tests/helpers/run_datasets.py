"""Datasets of runs for the tests of analysis and figures."""

from __future__ import annotations

import numpy as np
import xarray as xr

from spinbattery import charge, torus
from spinbattery.model.recipe import ProtocolRecipe
from spinbattery.records.dataset import gather

SIDES = ((1, 2), (1, 3), (2, 2), (2, 3))


def charged(recipe, sides=SIDES, crosstalk=0.0):
    """Records of one recipe on tori."""
    networks = [torus(*side) for side in sides]
    if crosstalk:
        networks = [network.with_crosstalk(crosstalk) for network in networks]
    return [charge(network, recipe.build(network), tolerance=1e-6) for network in networks]


def dataset(recipes, sides=SIDES, crosstalk=0.0):
    """The runs of several recipes, each under the name it is given."""
    records, names = [], []
    for name, recipe in recipes.items():
        found = charged(recipe, sides, crosstalk)
        records += found
        names += [name] * len(found)
    return gather(records, [{"protocol": name} for name in names])


def recipe(name="cooperative", duration="5ns", **options):
    return ProtocolRecipe(name, duration, **options)


def with_seeds(data, factors):
    """Each run once for each factor, with a seed of its own and its moments times the factor."""
    copies = []
    for seed, factor in enumerate(factors):
        copy = data.assign_coords(seed=("run", np.full(data.sizes["run"], float(seed))))
        scaled = {name: data[name] * factor for name in ("precision", "magnetization", "std")}
        copies.append(copy.assign(scaled))
    return joined(copies)


def joined(parts):
    """The runs of several Datasets."""
    return xr.concat(parts, "run", join="outer")


class Result:
    """As a sweep returns it: something with a Dataset."""

    def __init__(self, data):
        self.dataset = data
