"""Training on several machines: what TF_CONFIG and Slurm say, and two workers on this one."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from common.devices import Cluster, cluster_of, refuse_devices
from common.runs.directory import begin_run, parse_training_flags
from common.runs.weights import load_arrays

import competition
from contests import RELATION_EXTRACTION
from helpers import refused
from test_devices import TECHNIQUES
from workshop import files_below

sys.path.insert(0, str(competition.ROOT / "scripts"))
from slurm_cluster import cluster_of_job, hosts_of  # noqa: E402


def config(cluster: dict, kind: str = "worker", index: object = 0) -> str:
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


TWO = {"worker": ["a:1", "b:1"]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Cluster(1, True)),
        ("{}", Cluster(1, True)),
        (config({"worker": ["a:1"]}), Cluster(1, True)),
        (config(TWO), Cluster(2, True)),
        (config(TWO, index=1), Cluster(2, False)),
        (config(TWO, index="1"), Cluster(2, False)),
        (config({"chief": ["c:1"], **TWO}), Cluster(3, False)),
        (config({"chief": ["c:1"], **TWO}, "chief"), Cluster(3, True)),
    ],
)
def test_one_worker_is_the_chief(text, expected):
    assert cluster_of({"TF_CONFIG": text}) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        (config({**TWO, "ps": ["d:1"]}), "has tasks ps"),
        (config(TWO, index=2), "worker 2 is not in its cluster"),
        (config(TWO, "evaluator"), "evaluator 0 is not in its cluster"),
        (config(TWO, index="x"), "cannot be read"),
    ],
)
def test_another_cluster_is_refused(text, words):
    refused(lambda: cluster_of({"TF_CONFIG": text}), "TF_CONFIG", words)


def test_what_cannot_be_shared_says_so(monkeypatch):
    refuse_devices("no reason")
    refused(lambda: refuse_devices("for this reason", "2"), "--devices 2", "for this reason")
    monkeypatch.setenv("TF_CONFIG", config(TWO))
    refused(lambda: refuse_devices("for this reason"), "TF_CONFIG", "for this reason")


def test_a_worker_that_is_no_chief_writes_aside(tmp_path, monkeypatch, capsys):
    contest, train = RELATION_EXTRACTION, competition.load(RELATION_EXTRACTION.folder, "train")
    runs, flags = tmp_path / "runs", ["--output-dir", str(tmp_path / "runs"), "--run-name", "one"]
    monkeypatch.setenv("TF_CONFIG", config(TWO, index=1))
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # which comes back
    given, resumed = parse_training_flags(train.Config, contest.folder, flags)
    assert resumed is None and runs not in given.run.output_dir.parents and not runs.exists()

    monkeypatch.setenv("TF_CONFIG", config(TWO))
    given, _ = parse_training_flags(train.Config, contest.folder, flags)
    begun = begin_run(None, contest.folder, given, {}, lambda folder: (folder / "vocab.txt").touch())
    monkeypatch.setenv("TF_CONFIG", config(TWO, index=1))
    given, resumed = parse_training_flags(train.Config, contest.folder, [*flags, "--resume"])
    assert resumed.path == given.run.output_dir / contest.folder / "one" and runs not in resumed.path.parents
    assert files_below(resumed.path) == files_below(begun.path) == ["config.json", "vocab.txt"]
    resumed.hold()  # although the chief's is held


# Slurm


def test_hosts_are_named_as_slurm_names_them():
    assert list(hosts_of("gpu[01-03,07],big")) == ["gpu01", "gpu02", "gpu03", "gpu07", "big"]
    assert list(hosts_of("r[1-2]n[08-09]x")) == ["r1n08x", "r1n09x", "r2n08x", "r2n09x"]
    assert list(hosts_of("alone")) == ["alone"]


def test_tasks_of_a_job_are_a_cluster():
    job = {"SLURM_JOB_NODELIST": "gpu[1-2]", "SLURM_NTASKS": "2", "SLURM_PROCID": "1", "SLURM_JOB_ID": "123456"}
    found = cluster_of_job(job)
    assert found == {"cluster": {"worker": ["gpu1:23456", "gpu2:23456"]}, "task": {"type": "worker", "index": 1}}
    assert cluster_of({"TF_CONFIG": json.dumps(found)}) == Cluster(2, False)
    assert cluster_of_job(job, 99)["cluster"] == {"worker": ["gpu1:99", "gpu2:99"]}
    assert cluster_of_job({**job, "SLURM_NTASKS": "1"}) == {}
    refused(lambda: cluster_of_job({**job, "SLURM_NTASKS": "4"}), "4 tasks on 2 nodes", "--ntasks-per-node=1")
    refused(lambda: cluster_of_job({}), "SLURM_JOB_NODELIST", "srun")


# Two workers on the loopback


def start(folder: Path, index: int, ports: list[int], *flags: object) -> subprocess.Popen:
    """A worker that trains on 12 examples, in batches of 5, 5 and 2."""
    call = f"test_devices.train_without_dropout({[*map(str, flags)]!r})"
    code = f"from common.command_line import run; import test_devices; run(lambda: {call})"
    workers = [f"127.0.0.1:{port}" for port in ports]
    place = Path(__file__).resolve().parent
    cluster = {"TF_CONFIG": config({"worker": workers}, index=index)} if ports else {}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(place), str(place.parent)]), **cluster}
    output = (folder / f"output-{index}.txt").open("w")
    return subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=output, stderr=output)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def epochs_of(run: Path) -> int:
    history = run / "history.jsonl"
    return len(history.read_text("utf-8").splitlines()) if history.exists() else 0


def output_of(folder: Path, index: int) -> str:
    return (folder / f"output-{index}.txt").read_text("utf-8")


@pytest.mark.slow(reason="seven trainings in processes of their own")
def test_two_workers_do_what_one_process_does_also_after_one_was_killed(tmp_path):
    task = RELATION_EXTRACTION.folder

    def finish(folder: Path, *processes: subprocess.Popen) -> None:
        for index, process in enumerate(processes):
            assert process.wait(900) == 0, output_of(folder, index)

    alone, together, killed = (tmp_path / name for name in ("alone", "together", "killed"))
    for folder in (alone, together, killed):
        folder.mkdir()

    def flags(folder: Path) -> list[object]:
        return [*TECHNIQUES, "--output-dir", folder, "--run-name", "run"]

    finish(alone, start(alone, 0, [], *flags(alone), "--epochs", 3))
    ports = free_ports(2)
    finish(together, *(start(together, index, ports, *flags(together), "--epochs", 3) for index in (0, 1)))
    assert "epoch 3/3" in output_of(together, 0) and "epoch" not in output_of(together, 1), "the chief alone prints"
    assert files_below(together / task / "run") != [] and [path.name for path in together.glob("*/*")] == ["run"]

    ports = free_ports(2)
    run = killed / task / "run"
    chief, other = (start(killed, index, ports, *flags(killed), "--epochs", 1000) for index in (0, 1))
    until = time.monotonic() + 900
    while epochs_of(run) < 1 and time.monotonic() < until:
        time.sleep(0.05)
    other.send_signal(signal.SIGKILL)
    assert chief.wait(600) == 2
    assert output_of(killed, 0).splitlines()[-1].startswith("error: another worker is gone")
    reached = epochs_of(run)
    ports = free_ports(2)
    more = ["--resume", "--epochs", reached + 1]
    finish(killed, *(start(killed, index, ports, *flags(killed), *more) for index in (0, 1)))
    assert epochs_of(run) == reached + 1

    def weights(folder: Path) -> list[np.ndarray]:
        return [array for _, array in load_arrays(folder / task / "run/last/state.h5", "model")]

    for one, two in zip(weights(alone), weights(together), strict=True):
        np.testing.assert_allclose(one, two, atol=1e-5)
