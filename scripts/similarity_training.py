"""`similar_questions.py train`: learn from questions of which some mean the same.

python scripts/similar_questions.py train --train TRAIN --dev DEV --pretrained BERT             # reads and writes, as SimBERT
python scripts/similar_questions.py train --train TRAIN --dev DEV --loss cosent                 # scored pairs, vectors alone
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError
from common.devices import refuse_devices
from common.encoders import build_encoder, encoder_of, save_encoder
from common.generators import batch_dataset, steps_per_epoch
from common.options import TRANSFORMERS, EncoderOptions, RunPlace, TrainingOptions
from common.prediction import one_trace
from common.process import start_tensorflow
from common.runs.directory import SIMILARITY, Evaluation, begin_run, describe_file, parse_training_flags
from common.similarity import Loss, Pooling
from common.similarity.questions import Questions, read_questions
from common.similarity.rows import PairBatches, ScoredBatches
from common.similarity.scores import nearest_of_group, pair_score

_DEV_TEXTS = 2000  # of groups, which are compared with each other
_DEV_BATCH = 32
_SHOWN_ERRORS = 50


@dataclass
class Config:
    """Learn vectors by which similar questions are found, and to write similar questions."""

    train: tuple[Path, ...] = ()
    """Files of questions: JSON lines with "texts" (a group of the same meaning), with "text" and "label" (those with one
    label are a group), with "a", "b" and "label" (1: the same meaning) or "score"; or two questions with a tab between
    them."""
    dev: tuple[Path, ...] = ()
    """The same, which is not trained on, and by which the best epoch is chosen."""
    loss: Loss = "simbert"
    """simbert: find the similar one in the batch, and write it. cosent: order the cosines of pairs by their scores, and
    write nothing."""
    pooling: Pooling = "mean"
    """What the vector of a question is: the state of [CLS] through a last layer, as in published SimBERTs, or the mean of
    all states."""
    encoder: EncoderOptions = field(
        default_factory=lambda: EncoderOptions(encoder="roformer", max_length=64, dropout=0.1)
    )
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=10, batch_size=32))
    run: RunPlace = field(default_factory=RunPlace)

    def __post_init__(self):
        if not (self.train and self.dev or self.run.resume):
            raise UserError(
                f"--{'dev' if self.train else 'train'}: is missing - name files of questions of which some mean the same"
            )
        if self.encoder.pretrained_light or self.encoder.is_light:
            raise UserError(
                f"--encoder {self.encoder.encoder}: does not write - take one of {', '.join(TRANSFORMERS)}, or --pretrained"
            )
        if self.encoder.attention != "full":
            raise UserError(
                f"--attention {self.encoder.attention}: a question sees all of another one and of itself so far, which is no such pattern - take --attention full"
            )


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and the figures of the best epoch on dev."""
    config, resumed = parse_training_flags(Config, SIMILARITY, argv)
    refuse_devices("the other questions of a whole batch are wrong answers here", config.training.devices)
    train, dev = parts_of(config)
    figures = ("score", "perplexity") if config.loss == "simbert" and dev.groups else ("score",)

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import prepare
    from common.optimizers import TrainingModel, build_optimizer
    from common.runs.callbacks import KeepRun, Progress, load_best, resumable
    from common.similarity.model import SimilarityNetwork

    training, seed = config.training, config.run.seed
    prepare(seed, training.mixed_precision)
    encoder = encoder_of(resumed) or questions_encoder(config.encoder, train.texts)
    network = SimilarityNetwork(encoder, config.pooling)
    arguments = encoder.tokenizer, encoder.max_length, training.batch_size, seed
    writes = config.loss == "simbert"
    batches = PairBatches(train.groups, *arguments) if writes else ScoredBatches(train.pairs, *arguments)
    files = {
        f"{part} {number}": file for part in ("train", "dev") for number, file in enumerate(getattr(config, part), 1)
    }
    data = {name: describe_file(file) for name, file in files.items()}
    kept = begin_run(resumed, SIMILARITY, config, data, partial(save_encoder, encoder))
    print(f"train     {train}")
    print(f"dev       {dev}")
    print(f"network   {network.training.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")
    print(f"run       {kept.path}\n")

    model = TrainingModel(*network.learning(config.loss))
    steps = steps_per_epoch(len(batches), training.batch_size)
    model.compile(build_optimizer(training, config.encoder.learning_rate(), steps), training)
    keep = KeepRun(kept, partial(evaluation, network, dev, writes), seed, figures, training.early_stopping_patience)
    epochs = range(keep.resume(model), training.epochs)
    callbacks = [keep, Progress(keep)]
    with resumable(kept):
        model.fit(
            batch_dataset(batches.epoch, epochs, model),
            steps_per_epoch=steps,
            **keep.remaining(epochs),
            callbacks=callbacks,
            verbose=0,
        )
    load_best(kept, model)
    best = {name: keep.best[name] for name in figures}
    print(f"\nbest dev {' '.join(f'{name} {value:.4f}' for name, value in best.items())}; kept in {kept.path}")
    print(
        f"next: python scripts/similar_questions.py retrieve --run {kept.path} --index INDEX --questions QUESTIONS --input MORE --output FOUND"
    )
    return {"run": kept.path, **best}


def parts_of(config: Config) -> tuple[Questions, Questions]:
    """What trains, and what is dev. Raises UserError where the loss finds nothing to learn from, or nothing tells how
    well it was learned."""
    train, dev = read_questions(config.train), read_questions(config.dev)
    if config.loss == "simbert" and not train.groups:
        raise UserError(
            f"--train {config.train[0]}: has no two texts that mean the same - see --help for what a line may be"
        )
    if config.loss == "cosent" and not train.are_scored:
        raise UserError(
            f"--train {config.train[0]}: has no pairs of which some are more alike than others - see --help for what a line may be"
        )
    if not dev.groups and not dev.are_scored:
        raise UserError(
            "--dev: has neither texts that mean the same nor scored pairs - see --help for what a line may be"
        )
    return train, dev


def questions_encoder(options: EncoderOptions, texts: Sequence[str]) -> Any:
    """An encoder that has room for two questions of --max-length tokens."""
    encoder = build_encoder(replace(options, max_length=2 * options.max_length), texts)
    encoder.max_length //= 2
    return encoder


def evaluation(network: Any, dev: Questions, writes: bool) -> Evaluation:
    """`score`: how well cosines fit the labels or scores of pairs, or for how many texts the nearest one is of their
    group; `perplexity` of what is written. The errors are the pairs that are alike and far apart, or not alike and
    near."""
    metrics, errors = {}, []
    if dev.are_scored:
        vectors = network.vectors_of([text for pair in dev.pairs for text in pair[:2]])
        cosines = (vectors[0::2] * vectors[1::2]).sum(1)
        metrics["score"] = pair_score(dev.pairs, cosines)
        errors = errors_of(dev.pairs, cosines)
    else:
        texts = [(number, text) for number, group in enumerate(dev.groups) for text in group][:_DEV_TEXTS]
        vectors = network.vectors_of([text for _, text in texts])
        metrics["score"] = nearest_of_group(vectors, np.array([number for number, _ in texts]))
    if writes and dev.groups:
        metrics["perplexity"] = perplexity(
            network, PairBatches(dev.groups, network.encoder.tokenizer, network.encoder.max_length, _DEV_BATCH, 0)
        )
    return Evaluation(metrics, [], errors)


def errors_of(pairs: Sequence[Any], cosines: np.ndarray) -> list[dict[str, Any]]:
    """Those whose place in the order of cosines is farthest from that in the order of scores."""
    ranks = [
        np.argsort(np.argsort(values, kind="stable"), kind="stable")
        for values in (cosines, [pair.score for pair in pairs])
    ]
    worst = np.argsort(-np.abs(ranks[0] - ranks[1]), kind="stable")[:_SHOWN_ERRORS]
    return [
        {
            "a": pairs[place].one,
            "b": pairs[place].other,
            "score": pairs[place].score,
            "cosine": round(float(cosines[place]), 4),
        }
        for place in worst
    ]


def perplexity(network: Any, batches: PairBatches) -> float:
    """That of the written questions, their end being a token."""
    from scipy.special import log_softmax  # here: it is slow to load, and --help needs none

    total, count = 0.0, 0
    for batch in batches.epoch(0):
        logits = (
            one_trace(network.training)({name: batch[name] for name in network.training.input_names})["logits"]
            .numpy()
            .astype(np.float32)
        )
        written = batch["labels"] >= 0
        logits, labels = logits[written], batch["labels"][written]
        total -= float(log_softmax(logits, axis=-1)[np.arange(len(labels)), labels].sum())
        count += len(labels)
    return math.exp(min(total / count, 100))
