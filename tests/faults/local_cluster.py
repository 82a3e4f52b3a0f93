"""A Dask LocalCluster of two worker processes that writes its address into a file and stays until it is killed."""

from __future__ import annotations

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    from distributed import LocalCluster

    folder = Path(sys.argv[1])
    cluster = LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        local_directory=str(folder),
    )
    note = folder / "address.part"
    note.write_text(cluster.scheduler_address, encoding="utf-8")
    note.rename(folder / "address")
    while True:
        time.sleep(3600.0)
