"""Train a reader of many passages: read, build, fit, keep the best.

python train.py                                             # the bundled sample, on a CPU, in minutes
python train.py --data-dir WEBQA                            # the contest's data
python train.py --data-dir WEBQA --word-vectors VECTORS     # with word vectors trained elsewhere
python train.py --data-dir WEBQA --pretrained BERT          # fine-tune a checkpoint
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from common.command_line import UserError, check_at_least, check_below_one, check_share, print_next, run
from common.dev_search import DevSet
from common.encoders import build_encoder, encoder_of, save_encoder
from common.folds import GOLD, read_parts
from common.generators import steps_per_epoch, training_dataset
from common.making_rows import make_rows
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, begin_run, parse_training_flags, write_decoding

from decode import Predictor, counts, grid_with, score
from features import Lengths, Sampling, collate, labelled_windows
from metric import compare, total
from task import TASK, Example, Gold, find_files, read, write_questions

SAMPLE = Path(__file__).resolve().with_name("sample")
#: Of dev, after each epoch; the best epoch is the one with the highest first one.
FIGURES = ("score", "accuracy", "f1")


@dataclass
class Config:
    """Train a reader on WebQA data. Without any flag: on the bundled sample, without a checkpoint."""

    data_dir: Path | None = None
    """Folder with train.json and dev.json. Default: the bundled sample."""
    max_question_length: int = 64
    """Tokens of a question that are read; at most half of a window, whatever this says."""
    doc_stride: int | None = None
    """Tokens between the beginnings of neighbouring windows, where a passage is longer than a window. Default: three
    quarters of what fits beside the question."""
    max_answer_length: int = 20
    """Longest answer that is found, in tokens. Training knows no limit."""
    positives: int = 2
    """Passages with an answer that an epoch sees of each question, others each time; all where there are no more."""
    negatives: int = 1
    """Passages without an answer that an epoch sees of each question, others each time."""
    crop_share: float = 0.5
    """Share of the batches in which only a piece of each longer passage is seen, around an answer if it has one: that
    is faster, and harder to learn by heart."""
    crop_length: int = 128
    """Fewest tokens of such a piece, which has at most twice as many."""
    threshold: float | None = None
    """Only candidates that begin and end with higher probabilities than this may vote. Default: searched on dev after
    training, 0.1 until then."""
    exponent: float | None = None
    """Of a vote: the higher, the more a sure passage outweighs several unsure ones. Default: searched on dev after
    training, 2 until then."""
    encoder: EncoderOptions = field(default_factory=lambda: EncoderOptions(hidden_size=96, max_length=512, word_size=0))
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=12, batch_size=16))
    run: RunOptions = field(default_factory=RunOptions)

    def __post_init__(self):
        check_at_least(self, max_question_length=1, doc_stride=1, max_answer_length=1, positives=1, negatives=1)
        check_at_least(self, crop_length=1, exponent=0)
        check_share(self, "crop_share")
        check_below_one(self, "threshold")
        if self.encoder.max_length < 4:
            raise UserError(
                f"--max-length {self.encoder.max_length}: must be at least 4, for [CLS], two [SEP] and a token of the passage"
            )


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and the dev `score`, `accuracy` and `f1` of what predict.py will use."""
    config, resumed = parse_training_flags(Config, TASK, argv)
    grid = grid_with(config.threshold, config.exponent)
    settings = grid[0]
    files, lost = find_files(config.data_dir or SAMPLE), Counter()
    read_file = partial(read, labelled=True, skipped=lost)
    parts = read_parts(config.run, files.train, files.dev, read_file, texts_of, "question")

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import prepare
    from common.optimizers import TrainingModel, build_optimizer
    from common.runs.callbacks import KeepRun, Progress, resumable
    from common.runs.choice import choose_on_dev

    from model import build_network, loss

    prepare(config.run.seed, config.training.mixed_precision, config.training.devices)
    passages = [passage.text for example in parts.train for passage in example.passages]
    encoder = encoder_of(resumed) or build_encoder(config.encoder, passages + [one.question for one in parts.train])
    lengths = Lengths(config.max_question_length, config.doc_stride)
    evidence = make_rows(labelled_windows, (parts.train, encoder, lengths), lost, config.run, passages)
    parts.check_used(evidence, lost, "do the answers belong to the passages?")
    network = build_network(encoder)
    holding, others = (sum(map(len, kind)) for kind in zip(*evidence))
    parts.show(f", {len(evidence)} used, {holding} passages with an answer and {others} without", lost)
    print(f"network   {network.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")

    def write_run(folder: Path) -> None:
        if parts.fold:
            write_questions(folder / GOLD, parts.dev)
        save_encoder(encoder, folder)
        write_decoding(folder, settings)

    kept = begin_run(resumed, TASK, config, parts.describe(lost), write_run)
    print(f"run       {kept.path}\n")
    dev = DevSet(parts.dev, Predictor(network, encoder, lengths, config.max_answer_length), evaluation)
    patience = config.training.early_stopping_patience
    keep = KeepRun(kept, partial(dev.evaluate, settings), config.run.seed, FIGURES, patience)

    model = TrainingModel(network, loss)
    steps = steps_per_epoch(len(evidence), config.training.batch_size)
    model.compile(build_optimizer(config.training, config.encoder.learning_rate(2e-3), steps), config.training)
    epochs = range(keep.resume(model), config.training.epochs)
    batches = training_dataset(
        evidence,
        [one.length for one in evidence],
        partial(collate, sampling=Sampling(config.positives, config.negatives, config.crop_share, config.crop_length)),
        config.training.batch_size,
        config.run.seed,
        epochs,
        model,
    )
    with resumable(kept):
        model.fit(batches, steps_per_epoch=steps, **keep.remaining(epochs), callbacks=[keep, Progress(keep)], verbose=0)

    search = partial(dev.search, grid, counts, score, config.run.seed) if len(grid) > 1 else None
    best = choose_on_dev(keep, model, settings, search)
    print_next(__file__, kept.path, "submission.tsv")
    return best


def texts_of(example: Example) -> list[str]:
    """What no two parts of a file may share: the question, and its passages, of which every sixth question of WebQA has
    one that others have too."""
    return [example.question, *(passage.text for passage in example.passages if passage.text.strip())]


def evaluation(examples: Sequence[Example], answers: Sequence[str]) -> Evaluation:
    """The official score of answers to questions, the answers as submitted, and every question with a wrong one."""
    pairs = [(example.id, answer) for example, answer in zip(examples, answers)]
    comparisons = compare(map(Gold.of, examples), pairs)
    errors = [
        {
            "id": example.id,
            "question": example.question,
            "answers": list(example.answers),
            "predicted": one.predicted,
            "f1": round(one.f1, 4),
        }
        for example, one in zip(examples, comparisons)
        if not one.correct
    ]
    return Evaluation(total(comparisons).figures(), [{"id": name, "answer": answer} for name, answer in pairs], errors)


if __name__ == "__main__":
    run(main)
