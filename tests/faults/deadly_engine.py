"""An engine that kills its own process, as the system does when memory runs out."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from typing import ClassVar

from spinbattery.core.progress import Progress
from spinbattery.core.typing import FloatArray
from spinbattery.engines.common.checkpoint import Checkpoint
from spinbattery.engines.dense.statevector import Statevector
from spinbattery.model.problem import ChargingProblem
from spinbattery.records.solution import Solution


@dataclass(frozen=True)
class Deadly(Statevector):
    """The state vector, but for one size of network."""

    name: ClassVar[str] = "deadly"

    deadly_spins: int = field(kw_only=True)

    def solve(
        self, problem: ChargingProblem, times: FloatArray, progress: Progress, checkpoint: Checkpoint
    ) -> Solution:
        if problem.n_spins == self.deadly_spins:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().solve(problem, times, progress, checkpoint)
