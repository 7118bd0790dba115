"""Learn the trees of sentences from text alone: a language model of ON-LSTMs, whose gates say where phrases end.

python scripts/learn_trees.py --input TEXTS --output FOLDER                                  # words by jieba
python scripts/learn_trees.py --input TEXTS --output FOLDER --unit characters
python scripts/learn_trees.py --input TEXTS --output FOLDER --unit blanks --gold TREES       # and how well they fit

FOLDER has the weights, the vocabulary, the settings, trees.txt and scores.json: perplexity on held-out lines beside that
of LSTMs of the same size, and F1 of the trees of TREES beside left-branching, right-branching, balanced and random ones.
What was learned so far is kept in runs/trees: `learn_trees.py --resume` goes on with a training that was interrupted.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from common.analysis.trees import (
    Brackets,
    BracketScore,
    balanced,
    bracket_f1,
    bracketed,
    left_branching,
    only,
    random_tree,
    right_branching,
    tree_of_distances,
)
from common.command_line import UserError, check_above, check_at_least, check_below_one, run, table
from common.devices import refuse_devices
from common.new_folder import check_new, new_folder
from common.options import RunPlace, TrainingOptions
from common.process import start_tensorflow
from common.runs.directory import TREES, Run, create_run, open_run, parse_training_flags
from common.runs.values import settings_to_json
from common.submission import json_bytes
from common.texts import Texts

from tree_texts import SPECIAL, Corpus, GoldSentence, Unit, is_punctuation, read_corpus, read_gold, tokens_of

_TOKENS = "vocab.json"
_OWN = "run"  # of one network, in a folder of its name in the run


@dataclass
class Config:
    """Learn the trees of sentences from text alone, with a language model whose neurons are ordered by how long they
    remember."""

    input: tuple[Path, ...] = ()
    """Files and folders with texts, packed or not: one on each line, or JSON in which every string of 10 Chinese
    characters is a text. One line in 20 is held out."""
    output: Path | None = None
    """Folder to be made: weights, vocabulary, settings, scores and trees."""
    fields: tuple[str, ...] = ()
    """Keys of JSON whose strings are the texts, and no others."""
    unit: Unit = "jieba"
    """What is read and predicted: words by jieba, words that are separated by blanks already, or characters."""
    gold: Path | None = None
    """Sentences whose trees are known: JSON lines with "words" and "heads" (counted from 1, 0 for a root), or one tree in
    brackets on each line, ((like this) one). Default: trees of held-out lines are shown, and none is scored."""
    punctuation: bool = False
    """Words without a letter or digit are words of the trees too. They are read in any case."""
    layer: int = 0
    """The layer whose gates make the trees, from 1. Default: the middle one."""
    layers: int = 3
    """ON-LSTMs one above the other."""
    hidden_size: int = 128
    """Neurons of each layer, and size of the embeddings."""
    levels: int = 16
    """Levels of the neurons of a layer, which they are divided among."""
    dropconnect: float = 0.25
    """Share of the recurrent weights that are zero in a training step."""
    dropout: float = 0.3
    """Dropout of the embeddings and of what each layer says."""
    max_length: int = 60
    """Longest piece of a line, in words or characters; a longer line is cut, behind a punctuation mark if there is one."""
    vocabulary_size: int = 10000
    """Most words or characters that are told apart. Those that occur once are unknown."""
    epochs: int = 20
    """Passes over the texts. The weights of the epoch with the lowest perplexity are kept."""
    batch_size: int = 64
    """Lines of a training step."""
    learning_rate: float = 0.002
    """Highest learning rate, from which it falls to zero."""
    plain: bool = True
    """Train LSTMs of the same size too, to compare the perplexity."""
    shown: int = 10
    """So many trees are printed; trees.txt has those of all sentences."""
    run: RunPlace = field(default_factory=RunPlace)

    def __post_init__(self):
        check_at_least(self, layer=0, layers=1, hidden_size=1, levels=1, max_length=2, epochs=1, batch_size=1)
        check_at_least(self, vocabulary_size=len(SPECIAL) + 1, shown=0)
        check_above(self, learning_rate=0)
        check_below_one(self, "dropconnect", "dropout")
        if self.hidden_size % self.levels:
            raise UserError(
                f"--levels {self.levels}: must divide --hidden-size, which is {self.hidden_size}, since each level has the same number of neurons"
            )
        if self.layer > self.layers:
            raise UserError(f"--layer {self.layer}: must be at most --layers, which is {self.layers}")
        if self.output is None and not self.run.resume:
            raise UserError("--output: is missing - name the folder that is to be made")
        if not self.input and not self.run.resume:
            raise UserError("--input: is missing - name files or folders with texts")

    @property
    def read_layer(self) -> int:
        """From 1."""
        return self.layer or self.layers // 2 + 1


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Trains and writes the folder; returns what scores.json has."""
    refuse_devices("two networks are trained one after the other by one process")
    config, resumed = parse_training_flags(Config, TREES, argv)
    check_new(config.output)
    gold = read_gold(config.gold) if config.gold else []
    texts = Texts(config.input, config.fields)
    corpus = read_corpus(texts, config.unit, config.vocabulary_size, config.max_length)
    kept = resumed or create_run(
        TREES, config.run.output_dir, config.run.run_name, config, write=lambda folder: write_tokens(corpus, folder)
    )
    if kept.read_json(_TOKENS, list[str]) != corpus.vocabulary.tokens:
        raise UserError(f"{kept.path}: was started on other texts - resume with the same, or start a new run")
    print(f"texts     {corpus.lines:,} lines: {len(corpus.train):,} pieces to train on, {len(corpus.dev):,} held out")
    print(f"run       {kept.path}")

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import prepare
    from common.runs.callbacks import resumable
    from common.runs.weights import named_values, save_arrays

    from tree_network import distances_of

    networks, perplexities = {}, {}
    for name, levels in {"on_lstm": config.levels, **({"lstm": 1} if config.plain else {})}.items():
        prepare(config.run.seed, "no")
        with resumable(kept):
            networks[name], perplexities[name] = trained(name, levels, config, corpus, kept)
    sentences = gold or [GoldSentence(list(tokens), frozenset()) for tokens in corpus.dev_tokens]
    words, trees = trees_of(sentences, partial(distances_of, networks["on_lstm"]), corpus, config)
    scores = {"perplexity": perplexities, "layer": config.read_layer, "f1": {}}
    if gold:
        scores["f1"] = {name: score._asdict() for name, score in compared(words, gold, trees, config).items()}
    lines = [bracketed(*pair) for pair in zip(words, trees[config.read_layer - 1])]
    with new_folder(config.output) as folder:
        for name, network in networks.items():
            save_arrays(folder / f"{name}.weights.h5", {"model": named_values(network.weights)})
        write_tokens(corpus, folder)
        (folder / "settings.json").write_bytes(json_bytes(settings_to_json(config), indent=1) + b"\n")
        (folder / "scores.json").write_bytes(json_bytes(scores, indent=1) + b"\n")
        (folder / "trees.txt").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    report(scores, lines[: config.shown], config)
    return scores


def write_tokens(corpus: Corpus, folder: Path) -> None:
    (folder / _TOKENS).write_bytes(json_bytes(corpus.vocabulary.tokens, indent=0) + b"\n")


def trained(name: str, levels: int, config: Config, corpus: Corpus, run: Run) -> tuple[Any, float]:
    """The network, and its perplexity on held-out lines; its own run is in the folder of the run. Raises UserError where
    training came to no number."""
    from tree_network import build_network, train

    sizes = (len(corpus.vocabulary), config.hidden_size, config.layers, levels)
    network = build_network(*sizes, config.dropconnect, config.dropout)
    options = TrainingOptions(
        epochs=config.epochs, batch_size=config.batch_size, learning_rate=config.learning_rate, ema_momentum=0
    )
    print(f"\n{name:8}  {network.count_params():,} weights, {len(corpus.vocabulary):,} tokens in the vocabulary")
    own = run.path / name / _OWN
    own_run = open_run(own, name) if own.exists() else create_run(name, run.path, _OWN, config)
    try:
        return network, train(network, own_run, corpus.train, corpus.dev, options, config.run.seed)
    except FloatingPointError:
        raise UserError(
            f"--learning-rate {config.learning_rate}: the perplexity is no number - lower it, or give more texts"
        ) from None


def trees_of(
    sentences: Sequence[GoldSentence],
    distances_of: Callable[[list[np.ndarray]], Iterable[np.ndarray]],
    corpus: Corpus,
    config: Config,
) -> tuple[list[list[str]], list[list[Brackets]]]:
    """The words of each sentence that count, and by layer the trees of all sentences. distances_of: of rows of ids."""
    tokens = [tokens_of(sentence.words, config.unit) for sentence in sentences]
    found = distances_of([corpus.vocabulary.row(of_sentence) for of_sentence, _ in tokens])
    words: list[list[str]] = []
    trees: list[list[Brackets]] = [[] for _ in range(config.layers)]
    for sentence, (_, firsts), distances in zip(sentences, tokens, found, strict=True):
        kept = counted(sentence.words, config)
        words.append([word for word, is_kept in zip(sentence.words, kept) if is_kept])
        of_words = distances[firsts][kept]
        for layer, of_layer in enumerate(trees):
            of_layer.append(tree_of_distances(of_words[:, layer]))
    return words, trees


def counted(words: Sequence[str], config: Config) -> np.ndarray:
    """Which words are words of the trees, bool (words,)."""
    return np.array([config.punctuation or not is_punctuation(word) for word in words], bool)


def compared(
    words: Sequence[Sequence[str]], gold: Sequence[GoldSentence], trees: Sequence[Sequence[Brackets]], config: Config
) -> dict[str, BracketScore]:
    """The scores of the trees of each layer, and of simple ones."""
    lengths = [len(sentence) for sentence in words]
    expected = [only(sentence.brackets, counted(sentence.words, config)) for sentence in gold]
    generator = np.random.default_rng(config.run.seed)
    found = {f"layer {number}": of_layer for number, of_layer in enumerate(trees, 1)}
    for name, make in (("left", left_branching), ("right", right_branching), ("balanced", balanced)):
        found[name] = [make(length) for length in lengths]
    found["random"] = [random_tree(length, generator) for length in lengths]
    return {name: bracket_f1(zip(lengths, expected), brackets) for name, brackets in found.items()}


def report(scores: dict[str, Any], lines: Sequence[str], config: Config) -> None:
    print("\n" + "\n".join(lines))
    print("\n" + table(["held out", "perplexity"], list(scores["perplexity"].items())))
    if scores["f1"]:
        read = f"layer {config.read_layer}"
        rows = [
            [f"{name} (read)" if name == read else name, score["sentence"], score["corpus"]]
            for name, score in scores["f1"].items()
        ]
        count = scores["f1"][read]["sentences"]
        print(f"\n{table([f'F1 of {count} sentences', 'mean', 'all brackets'], rows)}")
    print(f"\nkept in {config.output}")


if __name__ == "__main__":
    run(main)
