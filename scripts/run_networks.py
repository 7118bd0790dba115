"""The network of any run, as the predict.py of its contest builds it, with its best weights."""

import importlib
import sys
from pathlib import Path

from common.command_line import UserError
from common.encoders import Encoder
from common.keras_compat import keras
from common.runs.callbacks import load_best
from common.runs.directory import PRETRAINING, Run

COMPETITIONS = Path(__file__).resolve().parents[1] / "competitions"
#: What a run can be of.
TASKS = (*sorted(path.parent.name for path in COMPETITIONS.glob("*/predict.py")), PRETRAINING)


def network_of(run: Run, encoder: Encoder) -> keras.Model:
    """All of it: of several views of one set of weights the one that has them all. Raises UserError for a run of no
    contest, and for weights that do not fit."""
    network = untrained_network(run, encoder)
    load_best(run, network)
    return network


def untrained_network(run: Run, encoder: Encoder) -> keras.Model:
    """The same before its weights are loaded."""
    task = run.config["task"]
    if task == PRETRAINING:
        from common.pretraining.model import build_network

        return build_network(encoder)[0]
    if task not in TASKS:
        raise UserError(f"{run.path}: is a run of {task}, and must be of {', '.join(TASKS)}")
    sys.path.insert(0, str(COMPETITIONS / task))  # where `predict` and its siblings are
    try:
        network = importlib.import_module("predict").untrained_network(run, encoder)
    finally:
        sys.path.pop(0)
    return getattr(network, "training", network)
