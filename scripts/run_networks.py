"""The network of any run, as the predict.py of its contest builds it, with its best weights."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from common.command_line import UserError
from common.encoders import Encoder
from common.keras_compat import keras
from common.runs.callbacks import load_best
from common.runs.directory import PRETRAINING, Run
from common.runs.values import Between

COMPETITIONS = Path(__file__).resolve().parents[1] / "competitions"


def network_of(run: Run, encoder: Encoder) -> keras.Model:
    """All of it: of several views of one set of weights the one that has them all. Raises UserError for a run of no
    contest, and for weights that do not fit."""
    task = run.config["task"]
    if task not in BUILDERS:
        raise UserError(f"{run.path}: is a run of {task}, and must be of {', '.join(BUILDERS)}")
    sys.path.insert(0, str(COMPETITIONS / task))  # where `model` and its siblings are
    try:
        network = BUILDERS[task](run, encoder)
    finally:
        sys.path.pop(0)
    load_best(run, network)
    return network


def _relations(run: Run, encoder: Encoder) -> keras.Model:
    from model import build_network
    from task import Schema

    return build_network(encoder, len(Schema.read(run.file("schema.json")).classes)).training


def _events(run: Run, encoder: Encoder) -> keras.Model:
    from features import BuiltWith, Classes
    from model import build_network
    from task import Schema

    classes = Classes(Schema.read(run.file("event_schema.json")))
    return build_network(encoder, classes, *run.read_json("network.json", BuiltWith))


def _of_encoder_alone(run: Run, encoder: Encoder) -> keras.Model:
    from model import build_network

    return build_network(encoder)


def _linking(run: Run, encoder: Encoder) -> keras.Model:
    from model import build_network

    return build_network(encoder).training


def _queries(run: Run, encoder: Encoder) -> keras.Model:
    from model import build_network

    head = run.setting("head", Literal["span_column", "tagging"])
    return build_network(encoder, head, run.setting("reading_size", Annotated[int, Between(1, 4096)]))


def _titles(run: Run, encoder: Encoder) -> keras.Model:
    from features import WritingOptions
    from model import build_network

    return build_network(encoder, run.setting("writing", WritingOptions)).training


def _pretraining(run: Run, encoder: Encoder) -> keras.Model:
    from common.pretraining.model import build_network

    return build_network(encoder)[0]


#: By the task of a run.
BUILDERS: dict[str, Callable[[Run, Any], keras.Model]] = {
    "lic2020_relation_extraction": _relations,
    "lic2020_event_extraction": _events,
    "lic2020_reading_comprehension": _of_encoder_alone,
    "webqa_dgcnn": _of_encoder_alone,
    "ccks2019_entity_linking": _linking,
    "nl2sql": _queries,
    "seq2seq_titling": _titles,
    PRETRAINING: _pretraining,
}
