"""A Dask cluster, whose workers do what this machine would. Dask is installed apart: requirements-dask.lock."""

from typing import Any

from common.command_line import UserError

_PATIENCE = 30  # seconds


def connect(scheduler: str) -> Any:
    """A client of the scheduler at an address, as in tcp://10.0.0.1:8786. Raises UserError without Dask, and where it does
    not answer, or has no worker."""
    try:
        from distributed import Client
    except ImportError:
        raise UserError(
            "--scheduler: needs Dask - pip install --no-deps -r requirements-dask.lock, here and for each worker"
        ) from None
    try:
        client = Client(scheduler, timeout=_PATIENCE, set_as_default=False)
        client.wait_for_workers(1, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise UserError(f"--scheduler {scheduler}: no worker answers ({error}) - is it running?") from None
    return client
