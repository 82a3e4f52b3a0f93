"""Dask clusters as executors."""

from __future__ import annotations

import contextlib
import logging
import math
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeGuard

from ..core.errors import MissingDependencyError, SweepError
from ..core.installing import install_extra_command
from .lanes import Lanes

if TYPE_CHECKING:
    from distributed import Client

_CONNECT_S = 10.0
_CLOSE_S = 2.0
_REFRESH_S = 1.0


class Cluster(Lanes):
    """A connected Dask client, whose workers may come and go."""

    name = "the Dask scheduler"

    def __init__(self, client: Client) -> None:
        from distributed import KilledWorker

        super().__init__(client.get_executor(pure=False), 1, None)  # type: ignore[no-untyped-call]
        self.killed = (KilledWorker,)
        self._client = client
        self._known: list[dict[str, Any]] = []
        self._asked = -math.inf

    def width(self) -> int:
        return max(1, sum(int(worker["nthreads"]) for worker in self._workers()))

    def alive(self) -> bool:
        return bool(self._workers())

    def memory_each(self) -> int | None:
        """Memory of one task on the largest worker."""
        limits = [worker["memory_limit"] / worker["nthreads"] for worker in self._workers()]
        return int(max(limits)) if limits and max(limits) > 0 else None

    def _workers(self) -> list[dict[str, Any]]:
        if time.monotonic() - self._asked > _REFRESH_S:
            self._asked = time.monotonic()
            # if a scheduler does not answer, its tasks fail
            with contextlib.suppress(OSError, RuntimeError, TimeoutError):
                self._known = list(self._client.scheduler_info(n_workers=-1)["workers"].values())
        return self._known

    def stop(self) -> None:
        """Drop unfinished tasks; a thread that computes cannot be stopped, and its record is kept."""
        self.executor.shutdown(wait=False)


def is_client(candidate: Any) -> TypeGuard[Client]:
    """Whether this is a Dask client, without importing Dask."""
    dask = sys.modules.get("distributed")
    return dask is not None and isinstance(candidate, dask.Client)


@contextlib.contextmanager
def connect(target: Client | str) -> Iterator[Cluster]:
    """A cluster from a client, or from the address of its scheduler (then closed at the end)."""
    if not isinstance(target, str):
        yield Cluster(target)
        return
    if ":" not in target:
        raise SweepError(f"{target!r} is not the address of a Dask scheduler; write it as tcp://host:8786.")
    try:
        from distributed import Client
    except ImportError:
        raise MissingDependencyError(
            f"a scheduler's address needs dask.distributed; run {install_extra_command('cluster')}"
        ) from None
    try:
        client = Client(target, timeout=_CONNECT_S, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as error:
        raise SweepError(
            f"no Dask scheduler answers at {target!r}: {error}; start one with `dask scheduler`, and give the "
            "address that it prints."
        ) from None
    try:
        yield Cluster(client)
    finally:
        log = logging.getLogger("distributed.client")
        log.disabled = True  # it would log that it gives up a lost scheduler
        client.close(timeout=_CLOSE_S)  # type: ignore[no-untyped-call]
        log.disabled = False
