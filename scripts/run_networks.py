"""The network of any run, as the predict.py of its contest builds it, with its best weights."""

from common.command_line import UserError
from common.encoders import Encoder
from common.keras_compat import keras
from common.runs.callbacks import load_best
from common.runs.directory import PRETRAINING, Run

from contest_folders import CONTEST_NAMES, inside, load

#: What a run can be of.
TASKS = (*CONTEST_NAMES, PRETRAINING)


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
    predict = load(task, "predict")
    with inside(task):
        network = predict.untrained_network(run, encoder)
    return getattr(network, "training", network)
