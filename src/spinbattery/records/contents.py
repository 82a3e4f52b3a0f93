"""The variables and attributes of a record as plain arrays: importing xarray takes longer than many a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..core.arrays import read_only

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Variable:
    """An array with named dimensions and attributes, under the names that they have in xarray.

    Attributes:
        dims: names of the dimensions.
        source: the array, or a function that makes it when it is first needed.
        attrs: units and meaning.
    """

    dims: tuple[str, ...]
    source: Any
    attrs: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def values(self) -> NDArray[Any]:
        """The array, closed to writing: a record does not change."""
        return read_only(np.asarray(self.source() if callable(self.source) else self.source).view())

    def __reduce__(self) -> tuple[Any, ...]:
        return Variable, (self.dims, self.values, self.attrs)

    def same_as(self, other: Variable) -> bool:
        """Whether dimensions, values (NaN is equal to NaN) and attributes are the same."""
        return self.dims == other.dims and _same(self.values, other.values) and _same_attrs(self.attrs, other.attrs)


@dataclass(frozen=True, eq=False)
class Contents:
    """What a record holds, under the names that it has in an xarray Dataset.

    Attributes:
        variables: by name; those of one dimension, named after it, are the coordinates.
        attrs: texts and numbers that describe the run.
    """

    variables: Mapping[str, Variable]
    attrs: Mapping[str, Any]

    @classmethod
    def of(cls, values: Contents | xr.Dataset) -> Contents:
        """The same values, copied out of a Dataset."""
        if isinstance(values, Contents):
            return values
        return cls(
            {
                str(name): Variable(tuple(map(str, one.dims)), np.array(one.values), dict(one.attrs))
                for name, one in values.variables.items()
            },
            dict(values.attrs),
        )

    def same_as(self, other: Contents) -> bool:
        """Whether all is the same, as by xarray's ``identical``."""
        mine, theirs = self.variables, other.variables
        return (
            mine.keys() == theirs.keys()
            and _same_attrs(self.attrs, other.attrs)
            and all(one.same_as(theirs[name]) for name, one in mine.items())
        )

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each dimension."""
        return dict(pair for one in self.variables.values() for pair in zip(one.dims, one.values.shape, strict=True))

    def changed(
        self, variables: Mapping[str, Any], without: Iterable[str] = (), attrs: Mapping[str, Any] | None = None
    ) -> Contents:
        """A copy with other values of some variables, which keep their dimensions and attributes.

        Args:
            variables: values by name.
            without: names of variables to leave out.
            attrs: attributes to set.
        """
        kept = {name: one for name, one in self.variables.items() if name not in without}
        for name, values in variables.items():
            kept[name] = Variable(kept[name].dims, values, kept[name].attrs)
        return Contents(kept, {**self.attrs, **(attrs or {})})

    def to_dataset(self) -> xr.Dataset:
        """A new xarray Dataset of these values, which shares their memory; its arrays are closed to writing."""
        import xarray as xr

        variables = {name: xr.Variable(one.dims, one.values, one.attrs) for name, one in self.variables.items()}
        return xr.Dataset(variables, attrs=self.attrs)


def _same(one: Any, other: Any) -> bool:
    """Whether two arrays or numbers or texts are equal; NaN is equal to NaN."""
    one, other = np.asarray(one), np.asarray(other)
    may_be_nan = one.dtype.kind in "fc" and other.dtype.kind in "fc"
    return np.array_equal(one, other, equal_nan=may_be_nan)


def _same_attrs(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(_same(value, other[name]) for name, value in one.items())
