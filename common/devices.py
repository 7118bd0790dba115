"""Several devices and several machines: the strategy of `tf.distribute` that a training computes under. TensorFlow when a
strategy is asked for.

Every replica reads a part of a batch (`common.batch_parts`), and all parts together are the batch: the training step divides the sums of all
replicas by the counts of all replicas (`common.optimizers.replicas`), so that a step is the one that a single device
takes with the whole batch, whether or not it can be divided evenly.

A cluster is what TF_CONFIG says, as the training operators of Kubernetes set it, and as `scripts/slurm_cluster.py` makes
it of Slurm's variables. All its workers run the same command and make the same batches, of which each reads its part.
The chief alone keeps the run and prints; the others work in a folder that is gone when they end.
"""

import atexit
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from common.command_line import UserError

# Machines


class Cluster(NamedTuple):
    """How many workers train together, and whether this is the one that keeps the run."""

    workers: int = 1
    is_chief: bool = True


def cluster_of(environment: Mapping[str, str] = os.environ) -> Cluster:
    """What TF_CONFIG says: one worker without it. Raises UserError for what is no cluster of equal workers."""
    text = environment.get("TF_CONFIG")
    if not text:
        return Cluster()
    try:
        said = json.loads(text)
        tasks, task = said.get("cluster", {}), said.get("task", {})
        workers = [(kind, index) for kind in ("chief", "worker") for index in range(len(tasks.get(kind, ())))]
        here = task.get("type", "worker"), int(task.get("index", 0))
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"TF_CONFIG: cannot be read ({error}) - it must be JSON with a cluster and a task") from None
    if others := sorted({*tasks} - {"chief", "worker"}):
        raise UserError(f"TF_CONFIG: has tasks {', '.join(others)} - leave only chief and worker, which are all equal")
    if len(workers) < 2:
        return Cluster()
    if here not in workers:
        raise UserError(f"TF_CONFIG: task {here[0]} {here[1]} is not in its cluster - name one of its {len(workers)}")
    return Cluster(len(workers), here == workers[0])


def scratch_folder() -> Path:
    """For a worker that is not the chief: a folder that is gone when the process ends, and nothing printed from now
    on."""
    folder = Path(tempfile.mkdtemp(prefix="worker-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    sys.stdout = open(os.devnull, "w", encoding="utf-8")
    return folder


# Devices


def strategy_for(devices: str) -> Any:
    """The strategy of `tf.distribute` for --devices and TF_CONFIG, None for one device. Ask for it before TensorFlow
    computes anything: it waits until all workers are there. Raises UserError where there are not so many devices."""
    from common.keras_compat import tf

    cluster = cluster_of()
    if cluster.workers > 1:
        return _of_cluster(cluster, devices)
    if devices == "1":
        return None
    names = _names(devices)
    print(f"devices   {', '.join(names)}")
    return tf.distribute.MirroredStrategy(names)


def _names(devices: str) -> list[str]:
    """GPU:0, GPU:1, ..., or the CPUs where there is no GPU."""
    from common.keras_compat import tf

    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    there = len(tf.config.list_logical_devices(kind))
    count = there if devices == "all" else int(devices)
    if count > there:
        found = f"{there} GPU{'s' * (there > 1)}" if kind == "GPU" else f"{there} CPU{'s' * (there > 1)} and no GPU"
        raise UserError(
            f"--devices {devices}: TensorFlow has {found} here - give fewer, or, to try it without GPUs, set VIRTUAL_CPUS={count}"
        )
    return [f"{kind}:{number}" for number in range(count)]


def _of_cluster(cluster: Cluster, devices: str) -> Any:
    from common.keras_compat import tf

    gpus = tf.config.list_physical_devices("GPU")
    count = max(len(gpus), 1) if devices == "all" else int(devices)
    if count > max(len(gpus), 1):
        raise UserError(f"--devices {devices}: a worker has {len(gpus)} GPUs here - give fewer, or all")
    tf.config.set_visible_devices(gpus[:count], "GPU")
    print(f"workers   {cluster.workers} of {count} {'GPU' if gpus else 'CPU'}{'s' * (count > 1)} each", flush=True)
    return tf.distribute.MultiWorkerMirroredStrategy()


def refuse_devices(reason: str, devices: str = "1") -> None:
    """Raises UserError where several devices or machines are asked for and cannot do what one does."""
    if devices != "1" or cluster_of().workers > 1:
        asked = f"--devices {devices}" if devices != "1" else "TF_CONFIG"
        raise UserError(f"{asked}: {reason} - leave it out")
