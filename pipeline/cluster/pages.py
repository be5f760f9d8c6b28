"""Write the pages of tables that a cluster has made, on the machine where the command was started."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..pages.view import finish_with_page
from ..paths import Job
from .jobs import ClusterJob


def write_cluster_pages(
    jobs: Sequence[ClusterJob], *, overwrite: bool, command: str, failed: Callable[[Exception], None]
) -> None:
    """Write the page of each job whose table is made, and open it if it is alone.

    Args:
        jobs: The jobs; those without a page are passed over.
        overwrite: Replace pages that exist.
        command: The command line, which another run on the same page shows.
        failed: Called with the error of a page that cannot be written; the others are still written.
    """
    here = [Job(Path(j.source), Path(j.table), None, Path(j.page)) for j in jobs if j.page is not None]
    write_page = finish_with_page(here, overwrite=overwrite, command=command)
    for job in here:
        try:
            write_page(job)
        except Exception as error:
            failed(error)
