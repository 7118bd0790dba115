"""TF_CONFIG for a task of a Slurm job with one task on each node, from the variables that Slurm sets.

export TF_CONFIG="$(python scripts/slurm_cluster.py)"    # in each task: srun bash -c '... train.py'

docs/scale.md has a batch file. A job of one task prints nothing: it is no cluster.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from common.command_line import UserError, check_at_least, check_at_most, parse_flags, run


@dataclass
class Config:
    """Print what TF_CONFIG is in this task of a Slurm job."""

    port: int = 0
    """Port that the workers listen on. Default: one from 20000 to 29999 by the number of the job, so that two jobs on a
    node do not meet."""

    def __post_init__(self):
        check_at_least(self, port=0)
        check_at_most(self, port=2**16 - 1)


def main(argv: Sequence[str] | None = None) -> dict[str, object]:
    """Prints TF_CONFIG as JSON in one line; returns it, {} for a job of one task."""
    found = cluster_of_job(os.environ, parse_flags(Config, argv).port)
    if found:
        print(json.dumps(found))
    return found


def cluster_of_job(environment: Mapping[str, str], port: int = 0) -> dict[str, object]:
    """What TF_CONFIG says in a task. Raises UserError outside of Slurm, and for several tasks on a node."""
    try:
        nodes = environment.get("SLURM_STEP_NODELIST") or environment["SLURM_JOB_NODELIST"]
        tasks, rank, job = (int(environment[f"SLURM_{name}"]) for name in ("NTASKS", "PROCID", "JOB_ID"))
    except (KeyError, ValueError) as error:
        raise UserError(f"{error}: is not set as Slurm sets it - call this in a task of a job (srun)") from None
    if tasks == 1:
        return {}
    hosts = list(hosts_of(nodes))
    if len(hosts) != tasks:
        raise UserError(f"Slurm: {tasks} tasks on {len(hosts)} nodes - give each node one (--ntasks-per-node=1)")
    port = port or 20000 + job % 10000
    workers = [f"{host}:{port}" for host in hosts]
    return {"cluster": {"worker": workers}, "task": {"type": "worker", "index": rank}}


def hosts_of(nodes: str) -> Iterator[str]:
    """The names in a list of Slurm's: gpu[01-03,07],big stands for gpu01, gpu02, gpu03, gpu07 and big."""
    for name in re.findall(r"(?:[^,\[]|\[[^\]]*\])+", nodes):
        found = re.fullmatch(r"([^\[]*)\[([^\]]*)\](.*)", name)
        if not found:
            yield name
            continue
        before, numbers, after = found.groups()
        for part in numbers.split(","):
            first, _, last = part.partition("-")
            for number in range(int(first), int(last or first) + 1):
                yield from hosts_of(f"{before}{number:0{len(first)}d}{after}")


if __name__ == "__main__":
    run(main)
