"""`spinbattery warm-up`: kernels compiled beforehand."""

from __future__ import annotations

from . import options as o
from .console import progress_bar


def warm_up(quiet: o.Quiet = False) -> None:
    """Compile the kernels of all engines now, so that no run has to: for clusters and images of containers.

    They are kept where NUMBA_CACHE_DIR says, else beside the package, else in the user's cache folder.
    """
    from ..diagnosis.warming import warm_up as compile_all

    with progress_bar(quiet) as progress:
        kernels = compile_all(progress)
    print(
        f"{kernels.found} kernels were there, {kernels.compiled} were compiled now; "
        f"{kernels.n_bytes / 1e6:.1f} MB in {', '.join(kernels.folders) or 'no folder'}"
    )
    if kernels.advice:
        print(kernels.advice)
