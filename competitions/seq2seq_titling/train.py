"""Train a network that writes titles: read, build, fit, keep the best.

python train.py                                             # the bundled sample, on a CPU, in minutes
python train.py --data-dir LCSTS                            # the contest's data
python train.py --data-dir LCSTS --model unilm              # another network
python train.py --data-dir LCSTS --model unilm --pretrained BERT
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from common.command_line import UserError, check_at_least, check_below_one, print_next, print_skipped, run
from common.dev_search import DevSet
from common.encoders import encoder_of, save_encoder
from common.folds import GOLD, Parts, read_parts
from common.generators import steps_per_epoch, training_dataset
from common.kept_rows import keep_rows
from common.making_rows import make_rows
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, Run, begin_run, parse_training_flags, write_decoding
from common.runs.values import Between
from common.submission import write_json_lines
from common.tokenizers import WordPieceTokenizer

from decode import MOST, Predictor, Settings, counts, grid, rouge_l
from features import Pair, WritingOptions, collate, labelled_pairs, with_random_tokens
from metric import score, total
from task import TASK, Example, find_files, read

SAMPLE = Path(__file__).resolve().with_name("sample")
#: Of dev, after each epoch; the best epoch is the one with the highest first one.
FIGURES = ("rouge-l", "rouge-1", "rouge-2", "bleu")

# What one side of a bidirectional network wrote.
_Ids = list[Annotated[int, Between(0, 2**31 - 1)]]


@dataclass
class Config:
    """Train a network that writes titles. Without any flag: on the bundled sample, without a checkpoint."""

    data_dir: Path | None = None
    """Folder with train.json and dev.json. Default: the bundled sample."""
    max_title_length: int = 48
    """Longest title, in tokens."""
    random_replacement: float = 0.0
    """Share of the tokens of a title that are replaced by others of the same text, in half of the examples: so the
    network learns to go on after a mistake of its own."""
    first_stage: float = 0.5
    """bidirectional only: share of the epochs in which its sides learn apart, before each sees what the other one
    writes. A training that stops early in the first stage has no second."""
    beam_width: int = 3
    """Hypotheses of the beam search that is tried on dev after training, beside greedy search."""
    votes: int = 16
    """Titles that are drawn for each text to vote with those of the beam, which is tried on dev too; 0: not tried.
    bidirectional cannot draw titles."""
    writing: WritingOptions = field(default_factory=WritingOptions)
    encoder: EncoderOptions = field(default_factory=lambda: EncoderOptions(max_length=256))
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=12, batch_size=16))
    run: RunOptions = field(default_factory=RunOptions)

    def __post_init__(self):
        check_at_least(self, max_title_length=1, beam_width=1, votes=0)
        check_below_one(self, "random_replacement", "first_stage")
        for flag in ("beam_width", "votes"):
            if getattr(self, flag) > MOST:
                raise UserError(f"--{flag.replace('_', '-')} {getattr(self, flag)}: must be at most {MOST}")
        if self.writing.model == "unilm" and self.encoder.attention != "full":
            raise UserError(
                f"--attention {self.encoder.attention}: a title sees all of its text and of itself so far, which is no such pattern - take --attention full, or --model copy_lstm"
            )
        if self.training.lazy_embeddings:
            raise UserError(
                "--lazy-embeddings: must be left out, since titles are written with the table that they are read with, and every step moves all of it"
            )


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and the dev `rouge-l`, `rouge-1`, `rouge-2` and `bleu` of what predict.py will
    use."""
    config, resumed = parse_training_flags(Config, TASK, argv)
    files, lost, skipped = find_files(config.data_dir or SAMPLE), Counter(), defaultdict(Counter)

    def read_file(path: Path) -> list[Example]:
        return read(path, True, skipped[path])

    parts = read_parts(config.run, files.train, files.dev, read_file, lambda example: [example.text], "text")

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import prepare
    from common.optimizers import TrainingModel, build_optimizer
    from common.runs.callbacks import KeepRun, Progress, resumable
    from common.runs.choice import choose_on_dev

    from model import build_network, build_writing_encoder, loss

    prepare(config.run.seed, config.training.mixed_precision, config.training.devices)
    # Titles twice: what stands twice gets into a vocabulary, and no character of a title shall be out of reach.
    texts = [text for example in parts.train for text in (example.text, example.title, example.title)]
    writing, longest = config.writing, config.max_title_length
    encoder = encoder_of(resumed) or build_writing_encoder(config.encoder, writing, texts, longest)
    pairs = make_rows(labelled_pairs, (parts.train, encoder, longest), lost, config.run, texts)
    parts.check_used(pairs, lost, "do they have titles?")
    network = build_network(encoder, writing)
    parts.show(f", {len(pairs)} used", lost, untitled(parts.dev))
    for path, counted in skipped.items():
        print_skipped(path, counted)
    print(f"network   {network.training.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")

    def write_run(folder: Path) -> None:
        write_gold(parts, folder)
        save_encoder(encoder, folder)
        write_decoding(folder, Settings())

    kept = begin_run(resumed, TASK, config, parts.describe(lost), write_run)
    print(f"run       {kept.path}\n")
    predictor = Predictor(network, encoder, longest)
    dev = DevSet(parts.dev, predictor, evaluation)
    patience = config.training.early_stopping_patience
    keep = KeepRun(kept, partial(dev.evaluate, Settings()), config.run.seed, FIGURES, patience)

    model = TrainingModel(network.training, loss)
    steps = steps_per_epoch(len(pairs), config.training.batch_size)
    model.compile(build_optimizer(config.training, default_learning_rate(config), steps), config.training)
    keep.resume(model)
    with resumable(kept):
        for some, last in stages(config, kept, pairs, network, model, predictor):
            epochs = range(len(keep.history), last)
            batches = batches_of(some, encoder.tokenizer, config, epochs, model)
            keras_epochs = keep.remaining(epochs)
            model.fit(batches, steps_per_epoch=steps, **keras_epochs, callbacks=[keep, Progress(keep)], verbose=0)

    settings = grid(config.beam_width, 0 if writing.model == "bidirectional" else config.votes)
    search = partial(dev.search, settings, counts, rouge_l, config.run.seed) if len(settings) > 1 else None
    best = choose_on_dev(keep, model, Settings(), search)
    print_next(__file__, kept.path, "submission.json")
    return best


def write_gold(parts: Parts[Example], folder: Path) -> None:
    """Dev, where it is a part of the training file, in the official format, whatever the format of that file."""
    if parts.fold:
        write_json_lines(folder / GOLD, ({"title": one.title, "content": one.text} for one in parts.dev))


def batches_of(pairs: Sequence[Pair], tokenizer: WordPieceTokenizer, config: Config, epochs: range, model: Any) -> Any:
    """The `training_dataset` of pairs, with tokens replaced as the flags say, others in each epoch."""

    def collate_batch(batch: list[Pair], generator: np.random.Generator) -> dict[str, np.ndarray]:
        batch = with_random_tokens(batch, config.random_replacement, generator)
        return collate(batch, tokenizer, config.writing.model)

    lengths = [len(pair.article.encoding) for pair in pairs]
    return training_dataset(pairs, lengths, collate_batch, config.training.batch_size, config.run.seed, epochs, model)


def stages(
    config: Config, kept: Run, pairs: Sequence[Pair], network: Any, model: Any, predictor: Predictor
) -> Iterator[tuple[Sequence[Pair], int]]:
    """What to train on, and up to which epoch. A bidirectional network is trained in two stages: between them its sides
    write the titles, by the averaged weights, that stand in for the partner in the second; they are kept in the run."""
    if config.writing.model == "bidirectional":
        partners = kept.file("partners.json")
        if not partners.is_file():
            yield pairs, max(1, round(config.first_stage * config.training.epochs))
            with model.averaged_weights():
                kept.write_json(partners.name, predictor.both_titles([pair.article for pair in pairs]))
            print("second stage: each side sees what the other one wrote for these texts")
        written = kept.read_json(partners.name, list[tuple[_Ids, _Ids]])
        if len(written) != len(pairs):
            raise UserError(f"{partners}: has {len(written)} titles for {len(pairs)} texts - train the run again")
        pairs = keep_rows((pair._replace(partners=both) for pair, both in zip(pairs, written)), config.run)
        network.see_partners()
    yield pairs, config.training.epochs


def default_learning_rate(config: Config) -> float:
    """A decoder on top of a checkpoint begins from nothing, and needs more than a checkpoint by itself."""
    if config.encoder.pretrained:
        return 5e-5 if config.writing.model == "unilm" else 2e-4
    return 1e-3 if config.writing.model == "unilm" or not config.encoder.is_light else 2e-3


def untitled(examples: Sequence[Example]) -> str:
    """What is to be said of examples of dev without a title, if there are any."""
    count = sum(not example.title.strip() for example in examples)
    return f", {count} without a title: any answer counts 0" if count else ""


def evaluation(examples: Sequence[Example], titles: Sequence[str]) -> Evaluation:
    """The official score of titles, the titles as submitted, and all that differ from gold."""
    scores = [score(example.title, title) for example, title in zip(examples, titles)]
    errors = [
        {"text": example.text, "title": example.title, "predicted": title, "rouge-l": round(one.rouge_l, 4)}
        for example, title, one in zip(examples, titles, scores)
        if title != example.title
    ]
    return Evaluation(total(scores).figures(), [{"title": title} for title in titles], errors)


if __name__ == "__main__":
    run(main)
