"""Train a reader: read, build, fit, keep the best.

python train.py                                             # the bundled sample, on a CPU, in minutes
python train.py --data-dir DUREADER                         # the contest's data
python train.py --data-dir DUREADER --pretrained BERT       # fine-tune a checkpoint
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError, check_at_least, check_share, print_next, run
from common.dev_search import DevSet
from common.encoders import build_encoder, encoder_of, save_encoder
from common.folds import GOLD, read_parts
from common.generators import steps_per_epoch, training_dataset
from common.making_rows import make_rows
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, begin_run, parse_training_flags, write_decoding

from decode import GRID, Choice, Predictor, Settings, counts, f1
from features import Lengths, Window, collate, labelled_windows, shorten_questions, split
from metric import compare, figures
from task import TASK, Example, find_files, read, write_questions

SAMPLE = Path(__file__).resolve().with_name("sample")
#: Of dev, after each epoch; the best epoch is the one with the highest first one. Those of all questions come before the
#: organisers', who look at the first article only, where a file has more than one.
FIGURES = ("f1", "em")
FIGURES_OF_ARTICLES = ("f1_all", "em_all", "f1", "em")


@dataclass
class Config:
    """Train a reader on DuReader-robust data. Without any flag: on the bundled sample, without a checkpoint."""

    data_dir: Path | None = None
    """Folder with train.json and dev.json. Default: the bundled sample."""
    max_question_length: int = 64
    """Tokens of a question that are read; at most half of a window, whatever this says."""
    doc_stride: int | None = None
    """Tokens between the beginnings of neighbouring windows, where a context is longer than a window. Default: three
    quarters of what fits beside the question."""
    max_answer_length: int = 40
    """Longest answer that is found, in tokens. Training knows no limit."""
    crop_length: int = 320
    """Training sees about so many tokens of a context, around an answer, another piece in each epoch. 0: all of the
    context, in windows, which needs several times the memory."""
    keyword_questions: float = 0.4
    """Share of the questions of an epoch of which only some words are left, as in a search query, few of them function
    words."""
    choice: Choice = "expected_f1"
    """Which candidate becomes the answer: the one whose F1 is highest on average, or the most probable one."""
    length_penalty: float | None = None
    """By how much each character of an answer lowers the logarithm of its probability. Default: searched on dev after
    training, 0 until then."""
    encoder: EncoderOptions = field(default_factory=lambda: EncoderOptions(hidden_size=96, max_length=512))
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=10, batch_size=16))
    run: RunOptions = field(default_factory=RunOptions)

    def __post_init__(self):
        check_at_least(self, max_question_length=1, doc_stride=1, max_answer_length=1, crop_length=0, length_penalty=0)
        check_share(self, "keyword_questions")
        if self.encoder.max_length < 4:
            raise UserError(
                f"--max-length {self.encoder.max_length}: must be at least 4, for [CLS], two [SEP] and a token of the context"
            )


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and the dev figures of what predict.py will use: `f1` and `em`, and where dev has
    more than one article also `f1_all` and `em_all`, by which all is chosen."""
    config, resumed = parse_training_flags(Config, TASK, argv)
    training, seed, settings = config.training, config.run.seed, Settings(config.length_penalty or 0.0, config.choice)
    files, lost = find_files(config.data_dir or SAMPLE), Counter()
    read_file = partial(read, labelled=True, skipped=lost)
    parts = read_parts(config.run, *files, read_file, lambda example: [example.context], "question")

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import prepare
    from common.optimizers import TrainingModel, build_optimizer
    from common.runs.callbacks import KeepRun, Progress, resumable
    from common.runs.choice import choose_on_dev

    from model import build_network, loss

    prepare(seed, training.mixed_precision, training.devices)
    texts = [*dict.fromkeys(example.context for example in parts.train), *(one.question for one in parts.train)]
    encoder = encoder_of(resumed) or build_encoder(config.encoder, texts)
    lengths = Lengths(config.max_question_length, config.doc_stride)
    groups = make_rows(labelled_windows, (parts.train, encoder, lengths), lost, config.run, parts.train)
    parts.check_used(groups, lost, "do the answers belong to the contexts?")
    network = build_network(encoder)
    # The metric looks at the first article only, of which a part of the training file may have nothing.
    scored = [replace(example, article=0) for example in parts.dev] if parts.fold else parts.dev
    parts.show(f", {len(groups)} used, in {sum(map(len, groups))} windows", lost, outside(scored))
    print(f"network   {network.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")

    def write_run(folder: Path) -> None:
        if parts.fold:
            write_questions(folder / GOLD, parts.dev)
        save_encoder(encoder, folder)
        write_decoding(folder, settings)

    kept = begin_run(resumed, TASK, config, parts.describe(lost), write_run)
    print(f"run       {kept.path}\n")
    dev = DevSet(scored, Predictor(network, encoder, lengths, config.max_answer_length), evaluation)
    shown = FIGURES_OF_ARTICLES if outside(scored) else FIGURES
    keep = KeepRun(kept, partial(dev.evaluate, settings), seed, shown, training.early_stopping_patience)

    model = TrainingModel(network, loss)
    steps = steps_per_epoch(len(groups), training.batch_size)
    model.compile(build_optimizer(training, config.encoder.learning_rate(light=2e-3), steps), training)
    epochs = range(keep.resume(model), training.epochs)

    def training_batch(batch: list[list[Window]], generator: np.random.Generator) -> dict[str, np.ndarray]:
        batch = shorten_questions(batch, generator, encoder, lengths, config.keyword_questions)
        return collate(batch, generator, config.crop_length)

    sizes = [max(len(window.pair) for window in group) for group in groups]
    batches = training_dataset(groups, sizes, training_batch, training.batch_size, seed, epochs, model, split)
    with resumable(kept):
        model.fit(batches, steps_per_epoch=steps, **keep.remaining(epochs), callbacks=[keep, Progress(keep)], verbose=0)

    grid = [Settings(penalty, config.choice) for penalty in GRID]
    search = partial(dev.search, grid, counts, f1, seed) if config.length_penalty is None else None
    best = choose_on_dev(keep, model, settings, search)
    print_next(__file__, kept.path, "submission.json")
    return best


def outside(examples: Sequence[Example]) -> str:
    """What is to be said of questions that the organisers would not score."""
    count = sum(example.article > 0 for example in examples)
    return f", {count} of them outside of the first article, which alone the organisers score" if count else ""


def evaluation(examples: Sequence[Example], answers: Sequence[str]) -> Evaluation:
    """The figures of answers to examples, the answers as submitted, and every question that is not answered exactly."""
    by_id = {example.id: answer for example, answer in zip(examples, answers)}
    comparisons = compare(examples, by_id)
    errors = [
        {
            "id": one.example.id,
            "question": one.example.question,
            "answers": [answer.text for answer in one.example.answers],
            "predicted": one.predicted,
            "f1": round(one.f1, 4),
        }
        for one in comparisons
        if not one.em
    ]
    predictions = [{"id": name, "answer": answer} for name, answer in by_id.items()]
    return Evaluation(figures(comparisons), predictions, errors)


if __name__ == "__main__":
    run(main)
