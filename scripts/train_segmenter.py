"""Train a segmenter from a dictionary alone: its words, drawn by their frequency, are the sentences.

python scripts/train_segmenter.py                                     # from jieba's dictionary
python scripts/train_segmenter.py --dictionary words.tsv              # from another one: word, tab, frequency

scripts/segment.py then cuts texts with it.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError, check_above, check_at_least, check_below_one, run
from common.generators import Arrays, batch_dataset
from common.lexicon.pseudo_sentences import CHARACTERS, END, SINGLE, PseudoSentences, characters_of, cut_at
from common.lexicon.segmentation_score import segmentation_score
from common.lexicon.word_list import jieba_words, read_word_list
from common.options import RunPlace, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import SEGMENTATION, Evaluation, create_run, parse_training_flags
from common.submission import json_bytes
from common.tokenizers.normalization import is_ideograph

FIGURES = ("f1", "precision", "recall")
#: The dictionary in a run.
WORDS = "words.json"
_DEV_BATCHES = 20
_DEV_SENTENCES, _SHOWN_ERRORS = 100, 50


@dataclass
class Config:
    """Train a segmenter from a dictionary alone."""

    dictionary: Path | None = None
    """Words and their frequencies: a word on each line, and behind a tab how often it occurs. Default: jieba's."""
    power: float = 1.0
    """Words are drawn by this power of their frequency; below 1 rare words come more often."""
    hidden_size: int = 128
    """Size of the network."""
    layers: int = 4
    """Gated convolutions."""
    dropout: float = 0.1
    """Dropout of the embeddings."""
    epoch_steps: int = 500
    """Training steps of an epoch, after which dev, other such sentences, is cut and the state is saved."""
    training: TrainingOptions = field(default_factory=lambda: TrainingOptions(epochs=8, batch_size=400))
    run: RunPlace = field(default_factory=RunPlace)

    def __post_init__(self):
        check_at_least(self, hidden_size=1, layers=1, epoch_steps=1)
        check_above(self, power=0)
        check_below_one(self, "dropout")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains; returns the `run` folder and FIGURES on dev."""
    config, resumed = parse_training_flags(Config, SEGMENTATION, argv)
    words = resumed.read_json(WORDS, dict[str, float]) if resumed else words_of(config.dictionary)
    characters = characters_of(words)
    training, steps = config.training, config.epoch_steps
    train = PseudoSentences(words, characters, config.power, training.batch_size, config.run.seed)

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import prepare
    from common.lexicon.segmenter import build_network, loss
    from common.optimizers import TrainingModel, build_optimizer
    from common.runs.callbacks import KeepRun, Progress, load_best, resumable

    prepare(config.run.seed, training.mixed_precision, training.devices)
    network = build_network(len(characters), config.hidden_size, config.layers, config.dropout)
    kept = resumed or create_run(
        SEGMENTATION,
        config.run.output_dir,
        config.run.run_name,
        config,
        write=lambda folder: write_run(folder, words, characters),
    )
    print(f"words     {len(words):,} of {len(characters):,} characters")
    print(f"network   {network.count_params():,} weights")
    print(f"run       {kept.path}: {training.epochs} epochs of {steps} steps\n")

    model = TrainingModel(network, loss)
    model.compile(build_optimizer(training, 2e-3, steps), training)
    dev = PseudoSentences(words, characters, config.power, _DEV_SENTENCES, config.run.seed)
    keep = KeepRun(
        kept, lambda: evaluation(network, dev, characters), config.run.seed, FIGURES, training.early_stopping_patience
    )
    epochs = range(keep.resume(model), training.epochs)

    def batches_of(epoch: int) -> Iterator[Arrays]:
        return map(train.batch, range(epoch * steps, (epoch + 1) * steps))

    batches, callbacks = batch_dataset(batches_of, epochs, model), [keep, Progress(keep)]
    with resumable(kept):
        model.fit(batches, steps_per_epoch=steps, **keep.remaining(epochs), callbacks=callbacks, verbose=0)
    load_best(kept, model)
    best = {name: keep.best[name] for name in FIGURES}
    print(f"\nbest dev f1 {best['f1']:.4f}, of sentences like those of training; kept in {kept.path}")
    print(f"next: python scripts/segment.py --run {kept.path} --input TEXTS --output WORDS")
    return {"run": kept.path, **best}


def words_of(dictionary: Path | None) -> dict[str, float]:
    """The words of ideographs in a dictionary and their frequencies, 1 where none is told. Raises UserError where there
    is none."""
    found = read_word_list(dictionary) if dictionary else jieba_words()
    words = {word: 1 if count is None else count for word, count in found.items() if all(map(is_ideograph, word))}
    words = {word: count for word, count in words.items() if count > 0}
    if not words:
        raise UserError(f"--dictionary {dictionary}: has no word of ideographs that occurs - is it the right file?")
    return words


def write_run(folder: Path, words: dict[str, float], characters: Sequence[str]) -> None:
    for file, found in ((WORDS, words), (CHARACTERS, characters)):
        (folder / file).write_bytes(json_bytes(found, indent=0))


def evaluation(network: Any, dev: PseudoSentences, characters: Sequence[str]) -> Evaluation:
    """FIGURES of sentences that training has not seen, and the first that are cut wrong."""
    from common.lexicon.segmenter import word_ends
    from common.prediction import one_trace

    letters = np.array(["", "?", *characters])
    gold, found = [], []
    for batch in map(dev.dev_batch, range(_DEV_BATCHES)):
        lengths = np.count_nonzero(batch["token_ids"], axis=1)
        said = word_ends(one_trace(network)(batch["token_ids"])["logits"].numpy(), lengths)
        for ids, labels, ends, length in zip(batch["token_ids"], batch["labels"], said, lengths):
            sentence = "".join(letters[ids[:length]])
            gold.append(cut_at(sentence, np.isin(labels[:length], (END, SINGLE))))
            found.append(cut_at(sentence, ends))
    scores = segmentation_score(gold, found)
    wrong = ({"right": " ".join(one), "said": " ".join(other)} for one, other in zip(gold, found) if one != other)
    return Evaluation({name: scores[name] for name in FIGURES}, [], [*itertools.islice(wrong, _SHOWN_ERRORS)])


if __name__ == "__main__":
    run(main)
