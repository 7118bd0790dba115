"""Train a network that writes titles: read, build, fit, keep the best.

python train.py                                             # the bundled sample, on a CPU, in minutes
python train.py --data-dir LCSTS                            # the contest's data
python train.py --data-dir LCSTS --model unilm              # another network
python train.py --data-dir LCSTS --model unilm --pretrained BERT
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError, check_at_least, check_below_one, print_counts, run, shown
from common.folds import read_parts
from common.options import EncoderOptions, RunOptions, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import Evaluation, begin_run, describe_file, parse_training_flags
from common.submission import atomic_write, json_bytes

from metric import score, total
from options import WritingOptions
from search import Search, choose
from task import TASK, Example, find_files, read

SAMPLE = Path(__file__).resolve().with_name("sample")
PREDICT = Path(__file__).resolve().with_name("predict.py")
FIGURES = ("rouge-1", "rouge-2", "rouge-l", "bleu")


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
        if self.training.lazy_embeddings:
            raise UserError(
                "--lazy-embeddings: must be left out, since titles are written with the table that they are read with, and every step moves all of it"
            )


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and the dev `rouge-1`, `rouge-2`, `rouge-l` and `bleu` of what predict.py will
    use."""
    config, resumed = parse_training_flags(Config, TASK, argv)
    files = find_files(config.data_dir or SAMPLE)
    parts = read_parts(
        config.run,
        files.train,
        files.dev,
        lambda path: read(path, labelled=True),
        shared=lambda example: [example.text],
        unit="text",
    )
    train, dev = parts.train, parts.dev

    # TensorFlow loads here, so that mistakes in flags and data are answered at once.
    start_tensorflow()
    from common.encoders import encoder_of, save_encoder
    from common.generators import steps_per_epoch, training_dataset
    from common.keras_compat import prepare
    from common.optimizers import build_optimizer
    from common.runs.callbacks import KeepRun, Progress, load_best, resumable, save_best

    from features import Pair, labelled_pairs, read_article
    from model import build_network, build_writing_encoder, collate
    from writing import Writer

    prepare(config.run.seed, config.training.mixed_precision)
    # Titles twice: what stands twice gets into a vocabulary, and no character of a title shall be out of reach.
    texts = [text for example in train for text in (example.text, example.title, example.title)]
    encoder = encoder_of(resumed) or build_writing_encoder(
        config.encoder, config.writing, texts, config.max_title_length
    )
    pairs, lost = labelled_pairs(train, encoder, config.max_title_length)
    if not pairs:
        raise UserError(
            f"{files.train}: none of its {len(train)} texts can be used ({dict(lost)}) - do they have titles?"
        )
    network = build_network(encoder, config.writing)
    print(f"train     {len(train)} texts, {len(pairs)} used  ({files.train})")
    print_counts(lost)
    print(f"dev       {len(dev)} texts  ({parts.dev_source})")
    print(f"network   {network.training.count_params():,} weights, {len(encoder.tokenizer)} tokens in the vocabulary")

    data = {
        "train": describe_file(files.train, texts=len(train), lost=dict(lost)),
        "dev": parts.describe_dev(texts=len(dev)),
    }
    search = Search()

    def write_run(folder: Path) -> None:
        parts.write_gold(folder)
        save_encoder(encoder, folder)
        atomic_write(folder / "search.json", json_bytes(search._asdict()))

    kept = begin_run(resumed, TASK, config.run.output_dir, config.run.run_name, config, data, write_run)
    print(f"run       {kept.path}\n")

    writer = Writer(network, encoder, config.max_title_length)
    articles = [read_article(example.text, encoder) for example in dev]

    def evaluate() -> Evaluation:
        return evaluation(dev, writer.write(articles, search))

    steps = steps_per_epoch(len(pairs), config.training.batch_size)
    learning_rate = config.training.learning_rate or default_learning_rate(config)
    network.training.compile(build_optimizer(config.training, learning_rate, steps), config.training)
    keep = KeepRun(kept, evaluate, config.run.seed, "rouge-l", config.training.early_stopping_patience)
    keep.resume(network.training)

    def training_batch(batch: list[Pair], generator: np.random.Generator) -> dict[str, np.ndarray]:
        return collate(batch, generator, network, config.random_replacement)

    def fit(pairs: list[Pair], epochs: int) -> None:
        done = len(keep.history)
        batches = training_dataset(
            pairs,
            [len(pair.article.encoding) for pair in pairs],
            training_batch,
            config.training.batch_size,
            config.run.seed,
            range(done, epochs),
            network.training,
        )
        network.training.fit(
            batches,
            steps_per_epoch=steps,
            **keep.remaining(epochs),
            callbacks=[keep, Progress(keep, ("rouge-l", "bleu"))],
            verbose=0,
        )

    with resumable(kept):
        if config.writing.model == "bidirectional":
            partners = kept.path / "partners.json"
            if not partners.is_file():
                fit(pairs, max(1, round(config.first_stage * config.training.epochs)))
                with network.training.averaged_weights():
                    kept.write_json(partners.name, writer.both_titles([pair.article for pair in pairs]))
                print("second stage: each side sees what the other one wrote for these texts")
            pairs = [pair._replace(partners=both) for pair, both in zip(pairs, kept.read_json(partners.name))]
            network.see_partners()
        fit(pairs, config.training.epochs)

    load_best(kept, network.training)
    best = {name: keep.best[name] for name in FIGURES}
    print(f"\nbest dev {_figures(best)} in epoch {keep.best['epoch']}, by greedy search")
    if config.beam_width > 1 or config.votes:
        votes = 0 if config.writing.model == "bidirectional" else config.votes
        found, titles = choose(
            dev, lambda setting: writer.write(articles, setting), config.beam_width, votes, config.run.seed
        )
        searched = evaluation(dev, titles)
        save_best(kept, network.training, searched)
        kept.write_json("search.json", found.setting._asdict())
        best = {name: searched.metrics[name] for name in FIGURES}
        print(f"    dev {_figures(best)} by the search that is best on dev: {found.setting}")
        print(
            f"    dev rouge-l {found.crossed_f1:.4f} with a search chosen on one half of dev, scored on the other: what to expect on test"
        )
    print(f"\nnext: python {shown(PREDICT)} --run {kept.path} --output submission.json --input TEST_FILE")
    return {"run": kept.path, **best}


def default_learning_rate(config: Config) -> float:
    """A decoder on top of a checkpoint begins from nothing, and needs more than a checkpoint by itself."""
    if config.encoder.pretrained:
        return 5e-5 if config.writing.model == "unilm" else 2e-4
    return 1e-3 if config.writing.model == "unilm" or not config.encoder.is_light else 2e-3


def evaluation(examples: Sequence[Example], titles: Sequence[str]) -> Evaluation:
    """The official score of titles, the titles as submitted, and all that differ from gold."""
    scores = [score(example.title, title) for example, title in zip(examples, titles)]
    errors = [
        {"text": example.text, "title": example.title, "predicted": title, "rouge-l": round(one.rouge_l, 4)}
        for example, title, one in zip(examples, titles, scores)
        if title != example.title
    ]
    return Evaluation(total(scores).figures(), [{"title": title} for title in titles], errors)


def _figures(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in values.items())


if __name__ == "__main__":
    run(main)
