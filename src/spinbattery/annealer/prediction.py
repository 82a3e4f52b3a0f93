"""Memory and time of a call of the emulator, predicted before it begins."""

from __future__ import annotations

from .options import Model

_BYTES_PER_SPIN_AND_READ = 6
_BYTES_PER_COUPLING = 1000
_BYTES_PER_SPIN = 1500
_BYTES_PER_READ = 400

_SECONDS_PER_SPIN_UPDATE = 1.2e-9
_SECONDS_PER_NEIGHBOUR = 0.055e-9
_SECONDS_PER_WORLDLINE = 0.6e-6
_SECONDS_PER_DRAW = 1e-8
_SECONDS_PER_COUPLING = 1e-5
_SECONDS_PER_READ = 3e-5


def required_bytes(n_spins: int, n_couplings: int, reads: int, threads: int) -> int:
    """Peak memory of a call: states of the blocks at work, the reads in the copies of dimod, the problem as dicts."""
    from .rotors import block_width

    lanes = block_width(reads, threads)
    blocks = min(threads, -(-reads // lanes)) * lanes * n_spins * 3 * 4
    answer = reads * (n_spins * _BYTES_PER_SPIN_AND_READ + _BYTES_PER_READ)
    return blocks + answer + n_couplings * _BYTES_PER_COUPLING + n_spins * _BYTES_PER_SPIN


def predicted_seconds(
    n_spins: int, n_couplings: int, reads: int, sweeps: int, threads: int, model: Model = "svmc-tf"
) -> float:
    """Run time of a call in s, within a factor of about three on processors of the 2020s; one core per thread."""
    setup = n_couplings * _SECONDS_PER_COUPLING + reads * _SECONDS_PER_READ
    if model == "closed-form":
        return setup + reads * n_spins * _SECONDS_PER_DRAW
    if model == "pimc":
        return setup + reads * n_spins * sweeps * _SECONDS_PER_WORLDLINE / min(threads, reads)
    from .rotors import block_width

    lanes = block_width(reads, threads)
    blocks = -(-reads // lanes)
    rounds = -(-blocks // threads)
    update = n_spins * _SECONDS_PER_SPIN_UPDATE + 2 * n_couplings * _SECONDS_PER_NEIGHBOUR
    return setup + rounds * lanes * sweeps * update
