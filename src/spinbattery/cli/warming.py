"""`spinbattery warm-up`: kernels compiled beforehand."""

from __future__ import annotations

from . import options as o
from .console import progress_bar
from .doctor import where_they_are


def warm_up(quiet: o.Quiet = False) -> None:
    """Compile the kernels of all engines now, so that no run has to: for clusters and images of containers.

    They are kept where NUMBA_CACHE_DIR says, else beside the package, else in the user's cache folder.
    """
    from ..diagnosis.warming import warm_up as compile_all

    with progress_bar(quiet, "kernels that were compiled are kept; the same command compiles the others.") as progress:
        kernels = compile_all(progress)
    print(f"all kernels are compiled, {kernels.compiled} of them now; {where_they_are(kernels)}")
    if kernels.advice:
        print(kernels.advice)
