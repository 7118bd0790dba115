"""Our side of a comparison: what predict.py of a contest computes from texts to answers, or a training step, with random
weights."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from common.process import start_tensorflow

from side import head_for_first_tokens, rows_of, serve

SCRIPTS = Path(__file__).resolve().parents[1]
COMPETITIONS = SCRIPTS.parent / "competitions"

Work = Callable[[int], int]

_WINDOW = 512  # the default of train.py in reading comprehension


def _bert(folder: Path, max_length: int):
    """An encoder of the size of the job."""
    from common.encoders.bert import BertEncoder
    from common.keras_compat import seed_everything
    from common.tokenizers import WordPieceTokenizer

    seed_everything(1)
    config = json.loads((folder / "bert_config.json").read_text("utf-8"))
    return BertEncoder(WordPieceTokenizer.from_file(folder / "vocab.txt"), config, max_length)


def _answering(
    predictor, parts: Sequence[Sequence[Any]], settings, count: Callable[[Any], int] = lambda one: 1
) -> Work:
    """parts: examples of each round. count: the items of an example."""

    def work(number: int) -> int:
        examples = parts[number]
        assert len(predictor(examples, settings)) == len(examples)
        return sum(map(count, examples))

    return work


def titles(folder: Path, job: dict[str, Any]) -> Work:
    """Of a unilm, all of the length that is asked for."""
    from decode import Predictor, Settings
    from features import WritingOptions
    from task import read
    from unilm import UniLM

    encoder = _bert(folder, job["length"])
    settings = Settings(job["beam"], min_length=job["title_length"])
    predictor = Predictor(UniLM(encoder, WritingOptions("unilm")), encoder, job["title_length"])
    return _answering(predictor, [read(path, labelled=False) for path in rows_of(folder, job)], settings)


def events(folder: Path, job: dict[str, Any]) -> Work:
    """With the head that the original has."""
    from decode import Predictor, Settings
    from features import Classes
    from model import build_network
    from task import Schema, read

    schema, encoder = Schema.read(folder / "event_schema.json"), _bert(folder, job["length"])
    classes = Classes(schema)
    predictor = Predictor(build_network(encoder, classes, "crf", 100.0), encoder, classes)
    parts = [read(path, schema, labelled=False) for path in rows_of(folder, job)]
    return _answering(predictor, parts, Settings(0.0))


def relations(folder: Path, job: dict[str, Any]) -> Work:
    """The head finds a subject in each sentence."""
    from common.keras_compat import keras

    from decode import Predictor, Settings
    from model import half_pointer_networks
    from task import Schema, read

    schema, encoder = Schema.read(folder / "schema.json"), _bert(folder, job["length"])
    networks = half_pointer_networks(encoder, len(schema.classes))
    predictor = Predictor(networks, encoder, schema)
    parts = [read(path, schema, labelled=False) for path in rows_of(folder, job)]
    head = networks.subjects.get_layer("subject_tags")
    to_states = keras.Model(networks.subjects.input, head.input)
    inputs = [{name: value[None] for name, value in one.arrays.items()} for one in predictor.features(parts[0])]
    head.set_weights(head_for_first_tokens([to_states(one, training=False).numpy()[0] for one in inputs]))
    return _answering(predictor, parts, Settings())


def reading(folder: Path, job: dict[str, Any]) -> Work:
    """All of the contexts, in windows as long as train.py's; or with `cut` as much of each as the original reads."""
    from decode import Predictor, Settings
    from features import Lengths
    from model import build_network
    from task import read

    encoder = _bert(folder, job["length"] if job["cut"] else _WINDOW)
    parts = [read(path, labelled=False) for path in rows_of(folder, job)]
    if job["cut"]:
        parts = [[replace(one, context=_beginning(encoder, one)) for one in part] for part in parts]
    predictor = Predictor(build_network(encoder), encoder, Lengths(64), 16)
    return _answering(predictor, parts, Settings())


def _beginning(encoder, example) -> str:
    """As much of a context as fits beside its question."""
    asked = min(64, len(encoder.tokenizer.tokenize(example.question)))
    read = encoder.tokenizer.tokenize(example.context).offsets[: encoder.max_length - asked - 3]
    return example.context[: read[-1][1]] if len(read) else example.context


def passages(folder: Path, job: dict[str, Any]) -> Work:
    """With the encoder that train.py builds by default."""
    from common.encoders.light import LightEncoder
    from common.keras_compat import seed_everything
    from common.options import EncoderOptions

    from decode import Predictor, Settings
    from features import Lengths
    from model import build_network
    from task import read

    seed_everything(1)
    parts = [read(path, labelled=False) for path in rows_of(folder, job)]
    texts = [
        text for part in parts for one in part for text in [one.question, *(passage.text for passage in one.passages)]
    ]
    encoder = LightEncoder.from_texts(texts, EncoderOptions())
    predictor = Predictor(build_network(encoder), encoder, Lengths(64), 20)
    return _answering(predictor, parts, Settings(), lambda one: len(one.passages))


def training(folder: Path, job: dict[str, Any]) -> Work:
    """The plain case of scripts/training_steps.py."""
    from common.generators import training_dataset
    from common.keras_compat import prepare
    from common.optimizers import build_optimizer

    from training_steps import CASES, Size, options_of, token_tagger

    rows = np.load(folder / "rows.npy")
    steps, batch_size, length = rows.shape
    prepare(1, "no")
    options = options_of(CASES["plain"], epochs=1, batch_size=batch_size)
    model = token_tagger(Size("plain", job["layers"], job["hidden_size"], batch_size, length))
    model.compile(build_optimizer(options, 1e-4, steps), options)
    model.optimizer.build(model.trainable_variables)  # as train.py does

    def collate(batch: list[np.ndarray], generator: np.random.Generator) -> dict[str, np.ndarray]:
        tokens = np.stack(batch)
        return {"token_ids": tokens, "segment_ids": np.zeros_like(tokens), "labels": tokens % job["labels"]}

    examples = rows.reshape(-1, length)
    dataset = training_dataset(examples, [length] * len(examples), collate, batch_size, 1, range(1), model)

    def work(number: int) -> int:
        model.fit(dataset, steps_per_epoch=steps, verbose=0)
        return steps

    return work


SUBJECTS = {one.__name__: one for one in (titles, events, relations, reading, passages, training)}

if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1], "job.json").read_text("utf-8"))
    sys.path[:0] = [str(COMPETITIONS / given["folder"])] if given["folder"] else [str(SCRIPTS)]
    os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1")
    start_tensorflow()
    serve(SUBJECTS)
