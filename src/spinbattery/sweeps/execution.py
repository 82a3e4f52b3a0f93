"""How a sweep is run: where, by how many workers, and which runs again."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ..core.checks import switch, whole_number
from ..core.errors import SweepError
from ..core.progress import Progress, checked_progress, silent
from .cluster import is_client

if TYPE_CHECKING:
    from distributed import Client

ExecutorLike: TypeAlias = "Executor | Client | str | None"


@dataclass(frozen=True, eq=False)
class Execution:
    """The way in which the tasks of a plan are run; :func:`~spinbattery.sweeps.run.sweep` explains the fields."""

    executor: ExecutorLike = None
    workers: int | None = None
    retry_failed: bool = False
    recompute_damaged: bool = False
    progress: Progress = silent

    def __post_init__(self) -> None:
        checked_progress(self.progress)
        for name in ("retry_failed", "recompute_damaged"):
            object.__setattr__(self, name, switch(name, getattr(self, name)))
        if self.workers is not None:
            whole_number("workers", self.workers)
        if not (self.executor is None or isinstance(self.executor, Executor | str) or is_client(self.executor)):
            raise SweepError(
                "executor must be a concurrent.futures.Executor, a Dask Client (Client(cluster) for a cluster), or "
                f"the address of a scheduler, but is {self.executor!r}."
            )

    @property
    def on_cluster(self) -> bool:
        """Whether tasks run on a Dask cluster: on machines with memory of their own."""
        return isinstance(self.executor, str) or is_client(self.executor)
