"""Runs of quantum trajectories on one mesh: the run without jumps, and batches of runs with jumps.

All trajectories follow the run without jumps until their first jump. They are taken in the order of their first jumps,
and that run advances once, from each to the next: the evolution before the first jump is never computed twice, and no
checkpoints are kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...core.progress import Progress, silent
from ...core.typing import FloatArray, IntArray
from ...model.noise import Noise
from ...model.operators import magnetization_diagonal
from ...model.problem import ChargingProblem
from ...records.schema import MIXED_VARIANCE_FLOOR
from ..common.gauge import product_state
from ..common.mesh import Mesh
from ..common.splitting import SECONDS_PER_AMPLITUDE_STAGE, Splitting
from ..simd.row_phases import rows_of
from ..simd.sizes import TILE_BITS
from . import jumps
from .batch import DAMPING_COST, Agenda, Batch, Part, rows_together
from .intervals import stage_tables
from .jump_plan import Script
from .steps import System, squared_norm

_SECONDS_PER_CHUNK = 0.1
_FIRST = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True)
class NoJump:
    """The run without jumps.

    Moments (T + 1, 3) are mu, <Sz^2>/N^2 and <H> in GHz at the output times and, last, at the end. P(Sz) (N + 1,),
    <sz_k> (N,) and |norm - 1| (None with relaxation) are those at the end. At the n + 1 step edges: ln of the
    probability of no jump so far, and the rate of all jumps, 1/ns.
    """

    moments: FloatArray
    distribution: FloatArray
    spins: FloatArray
    log_survival: FloatArray
    total_rate: FloatArray
    norm_error: float | None

    @property
    def mean(self) -> FloatArray:
        """mu at the output times and the end, as step refinement compares it."""
        return self.moments[:, 0]

    @property
    def variance(self) -> FloatArray:
        """sigma^2 likewise; zero where it may be nothing but rounding."""
        found = self.moments[:, 1] - self.moments[:, 0] ** 2
        return np.where(found > MIXED_VARIANCE_FLOOR / len(self.spins), found, 0.0)


@dataclass(frozen=True)
class Outcomes:
    """Moments (R, T + 1, 3) as in :class:`NoJump`, P(Sz) (R, N + 1), <sz_k> (R, N), and jumps of R trajectories."""

    moments: FloatArray
    distribution: FloatArray
    spins: FloatArray
    scripts: list[Script]


class Unravelling:
    """A noisy problem on a mesh, ready to run trajectories."""

    def __init__(
        self,
        problem: ChargingProblem,
        mesh: Mesh,
        multiple: int,
        scheme: Splitting,
        times: FloatArray,
        ising: FloatArray,
    ) -> None:
        """Prepare the steps of a multiple of the mesh.

        Output is at ``times`` (ns), which must be stops of the mesh; ``ising`` is (2^N,).
        """
        self.problem, self._scheme, self._kinks = problem, scheme, mesh.kinks
        n, edges = problem.n_spins, mesh.edges(multiple)
        self.steps = len(edges) - 1
        outputs = np.append(times, problem.protocol.duration)
        output = np.full(len(edges), -1)
        output[np.searchsorted(edges, times)] = np.arange(len(times))
        self._end_is_output = bool(output[-1] >= 0)
        output[-1] = len(times)
        next_output = np.full(len(edges), self.steps)
        for edge in range(self.steps - 1, -1, -1):
            next_output[edge] = edge + 1 if output[edge + 1] >= 0 else next_output[edge + 1]
        noise = problem.noise or Noise()
        relaxation = noise.relaxation_rates(n)
        self._system = System(
            n_spins=n,
            magnetization=magnetization_diagonal(n),
            ising=ising,
            by_rows=rows_of(n, *problem.couplings) if n > TILE_BITS else None,
            edges=edges,
            stages=stage_tables(problem, edges[:-1], edges[1:], mesh.kinks, scheme),
            output=output,
            next_output=next_output,
            output_fields=np.stack(problem.fields(outputs), axis=1),
            axes=self._axes(edges),
            pauli=noise.pauli_rates(n),
            relaxation=relaxation,
            damped=bool(relaxation.any()),
        )
        self._outputs = len(outputs)
        self._no_jump: NoJump | None = None
        per_step = (
            SECONDS_PER_AMPLITUDE_STAGE * len(scheme.transverse) * math.ldexp(DAMPING_COST if self.damped else 1.0, n)
        )
        self._limit = max(1, int(_SECONDS_PER_CHUNK / per_step))
        self._group = max(1, int(_SECONDS_PER_CHUNK / (per_step * self.steps)))

    @property
    def damped(self) -> bool:
        """Whether relaxation damps the evolution between jumps."""
        return self._system.damped

    def no_jump(self, progress: Progress = silent) -> NoJump:
        """The run without jumps; computed once."""
        if self._no_jump is None:
            self._no_jump = self._run_without_jump(progress)
        return self._no_jump

    def _run_without_jump(self, progress: Progress) -> NoJump:
        system, rates = self._system, np.empty((5, self.problem.n_spins))
        row = self._start()
        log_survival, total_rate = np.zeros(self.steps + 1), np.zeros(self.steps + 1)
        jumps.observe(row.re[0], row.im[0], system, 0, row.moments[0])
        total_rate[0] = jumps.jump_rates(row.re[0], row.im[0], system, system.axes[0], rates)
        stride = 1 if self.damped else self._limit
        for edge in range(0, self.steps, stride):
            stop = min(edge + stride, self.steps)
            jumps.march(row, system, _FIRST, np.array([stop]), stride)
            if self.damped:
                log_survival[stop] = row.log_survival[0]
                total_rate[stop] = jumps.jump_rates(row.re[0], row.im[0], system, system.axes[stop], rates)
            progress(stop / self.steps, f"without jumps, {self.steps} steps")
        if self.damped:
            log_survival = np.minimum.accumulate(np.minimum(log_survival, 0.0))  # rounding, where norms hardly fall
        else:
            total_rate[:] = system.pauli.sum()
            log_survival = -total_rate * system.edges
        norm = None if self.damped else abs(squared_norm(row.re[0], row.im[0]) - 1.0)
        distribution, spins = self._observables(row)
        return NoJump(self._complete(row.moments)[0], distribution[0], spins[0], log_survival, total_rate, norm)

    def first_events(self, uniform: FloatArray) -> FloatArray:
        """Times (ns) of the first jumps of trajectories that have one, from random numbers in [0, 1)."""
        system, run = self._system, self.no_jump()
        # ln of S uniform between 1 and its last value
        thresholds = np.log1p(uniform * math.expm1(run.log_survival[-1]))
        step = np.searchsorted(-run.log_survival, -thresholds, side="right").clip(1, self.steps) - 1
        times = [
            jumps.crossing(
                system.edges[s], system.edges[s + 1], run.log_survival[s], run.log_survival[s + 1], run.total_rate[s],
                run.total_rate[s + 1], threshold,
            )
            for s, threshold in zip(step.tolist(), thresholds.tolist(), strict=True)
        ]  # fmt: skip
        return np.array(times)

    def run(
        self, scripts: Sequence[Script], generators: Sequence[np.random.Generator] | None, progress: Progress
    ) -> Outcomes:
        """Run trajectories.

        Args:
            scripts: all jumps of each trajectory; with ``generators``, the time of the first jump alone.
            generators: one for each trajectory, where later jumps depend on the state.
            progress: called with the fraction done.
        """
        n, count = self.problem.n_spins, len(scripts)
        found = Outcomes(
            np.empty((count, self._outputs, 3)), np.empty((count, n + 1)), np.empty((count, n)), [*scripts]
        )
        order = np.argsort([script.times[0] for script in scripts], kind="stable")
        reference = self._start()
        together = rows_together(n)
        for first in range(0, count, together):
            chosen = order[first : first + together]
            drawn = None if generators is None else [generators[i] for i in chosen]
            agenda = Agenda([scripts[i] for i in chosen], drawn)

            def part(fraction: float, done: int = first, size: int = len(chosen)) -> None:
                progress((done + fraction * size) / count, f"{count} trajectories, {self.steps} steps")

            rows = self._cloned(reference, agenda.when)
            self._finish(rows, agenda, part)
            found.moments[chosen] = self._complete(rows.moments)
            found.distribution[chosen], found.spins[chosen] = self._observables(rows)
            for i, script in zip(chosen.tolist(), agenda.scripts(), strict=True):
                found.scripts[i] = script
        return found

    def _start(self) -> Batch:
        """One row, at the begin."""
        psi = product_state(self.problem.protocol.initial.spinors(self.problem.n_spins))
        row = Batch.at_start(1, self.problem.n_spins, self._outputs)
        row.re[0], row.im[0] = psi.real, psi.imag
        return row

    def _cloned(self, reference: Batch, when: FloatArray) -> Batch:
        """States at the last edges before the first jumps, and the outputs until there."""
        system = self._system
        rows = Batch.at_start(len(when), self.problem.n_spins, self._outputs)
        rows.moments[:] = self.no_jump().moments  # those after the jump will be overwritten
        rows.step[:] = self._steps_at(when)
        rows.at[:] = system.edges[rows.step]
        for row, step in enumerate(rows.step.tolist()):
            # step by step, so that its rounding does not depend on who else is in the batch
            while reference.step[0] < step:
                jumps.march(reference, system, _FIRST, np.array([step]), 1)
            rows.re[row], rows.im[row], rows.norm[row] = reference.re[0], reference.im[0], reference.norm[0]
        return rows

    def _finish(self, rows: Batch, agenda: Agenda, progress: Part) -> None:
        """Carry every row to its next jump, through it, and on to the step of the jump after it, until none is left."""
        system, edges = self._system, self._system.edges
        active = np.arange(len(agenda.when))
        while active.size:
            when, step = agenda.when[active], rows.step[active]
            drawn = agenda.draw(active)
            tailed = ~(drawn.following < edges[step + 1])
            head = stage_tables(self.problem, rows.at[active], when, self._kinks, self._scheme)
            tail = stage_tables(self.problem, when, edges[step + 1], self._kinks, self._scheme)
            axis = self._axes(when)
            rows.threshold[active], rows.event[active], rows.at[active] = drawn.threshold, np.nan, when
            cuts = jumps.Cuts(head, tail, tailed, when, axis, drawn.uniform, drawn.choice)
            for first in range(0, len(active), self._group):
                part = slice(first, first + self._group)
                jumps.jump(rows, system, active[part], jumps.Cuts._make(column[part] for column in cuts))
            agenda.note(active, drawn.choice)
            # a known jump in the same step keeps its row there
            target = np.where(np.isnan(drawn.following), self.steps, self._steps_at(drawn.following))
            self._march(rows, active, target, progress)
            agenda.when[active] = np.where(np.isnan(drawn.following), rows.event[active], drawn.following)
            moved = active[rows.step[active] > step]
            rows.at[moved] = edges[rows.step[moved]]
            active = active[~np.isnan(agenda.when[active])]

    def _march(self, rows: Batch, active: IntArray, target: IntArray, progress: Part) -> None:
        """Carry rows to the edges ``target``, or to the step of their next jump, in short calls."""
        for first in range(0, len(active), self._group):
            part, until = active[first : first + self._group], target[first : first + self._group]
            while ((rows.step[part] < until) & np.isnan(rows.event[part])).any():
                jumps.march(rows, self._system, part, until, self._limit)
                progress(float(rows.step.mean()) / self.steps)

    def _complete(self, moments: FloatArray) -> FloatArray:
        """Moments in which an output time at the end has the moments of the end."""
        if self._end_is_output:
            moments[:, -2] = moments[:, -1]
        return moments

    def _observables(self, rows: Batch) -> tuple[FloatArray, FloatArray]:
        """P(Sz) (rows, N + 1) and <sz_k> (rows, N)."""
        count, n = len(rows.step), self.problem.n_spins
        distribution, spins = np.zeros((count, n + 1)), np.zeros((count, n))
        jumps.final_observables(rows.re, rows.im, self._system, distribution, spins)
        return distribution, spins

    def _steps_at(self, times: FloatArray) -> IntArray:
        """Steps in which times (ns) lie; the last step for NaN."""
        return np.asarray(np.searchsorted(self._system.edges, times, side="right").clip(1, self.steps) - 1)

    def _axes(self, times: FloatArray) -> FloatArray:
        """nx, nz, q at times (ns), shape (..., 3)."""
        bx, bz, _ = self.problem.fields(times)
        noise = self.problem.noise or Noise()
        return np.stack(noise.equilibrium(bx, bz), axis=-1)
