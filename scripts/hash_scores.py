"""What hashes of texts and words are good for, beside FlyHash and random hyperplanes of the same length, and beside what
they make short: bags of words, and means of word vectors."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from common.command_line import UserError, table
from common.lexicon.hashes import WordHashes, distances, winners
from common.similarity.baselines import mean_vectors
from common.similarity.questions import read_scored_pairs
from common.submission import read_lines
from common.tokenizers.segmentation import segmented
from common.tokenizers.words import normal_form

_FLY_SHARE = 0.1  # of the values, which a bit of FlyHash adds up
_ALIKE = 4  # of a score from 0 to 5
_FIRST = 10


class Pairs(NamedTuple):
    """Words of the texts, and how alike each two are. is_label: 0 or 1."""

    one: list[list[str]]
    other: list[list[str]]
    scores: np.ndarray
    is_label: bool


def read_pairs(file: Path) -> Pairs:
    """Raises UserError as `read_scored_pairs` does."""
    pairs = read_scored_pairs(file)
    one, other = ([*words_of(texts)] for texts in zip(*(pair[:2] for pair in pairs)))
    return Pairs(one, other, np.array([pair.score for pair in pairs]), pairs[0].is_label)


def read_analogies(file: Path) -> list[tuple[str, ...]]:
    """(a, b, c, d) of each line. Raises UserError for one with another number of fields."""
    found = []
    for number, line in read_lines(file):
        fields = line.split("\t")
        if len(fields) != 5:
            raise UserError(
                f"{file}:{number}: has {len(fields)} fields - there must be category, a, b, c and d, with tabs between"
            )
        found.append(tuple(normal_form(word) for word in fields[1:]))
    return found


def words_of(texts: Iterable[str]) -> Iterator[list[str]]:
    """The words of each text by jieba in normal form, without marks and blanks."""
    for text, ranges in segmented(texts):
        words = (text[start:end] for start, end in ranges)
        yield [normal_form(word) for word in words if any(map(str.isalnum, word))]


def report(
    hashes: WordHashes,
    pairs: dict[str, Pairs],
    analogies: Sequence[tuple[str, ...]],
    word_vectors: Path | None,
    seed: int,
) -> dict[str, float]:
    """Prints a table for each file of pairs, and how many analogies are found; returns the figures by name."""
    figures: dict[str, float] = {}
    for name, of_file in pairs.items():
        measure = "area" if of_file.is_label else "Spearman"
        rows = []
        for way, (one, other) in ways_of(hashes, of_file, word_vectors, seed).items():
            score, recall = scores_of(one, other, of_file)
            figures |= {f"{name}, {way}, {measure}": score, f"{name}, {way}, recall": recall}
            rows.append([way, f"{score:.4f}", f"{recall:.4f}"])
        print(f"\n{table([name, measure, f'recall at {_FIRST}'], rows)}")
    if analogies:
        found, asked = analogies_found(hashes, analogies)
        figures["analogies"] = found / asked if asked else 0.0
        print(f"\nanalogies: {found:,} of {asked:,} whose words are known, {figures['analogies']:.4f}")
    return figures


def ways_of(
    hashes: WordHashes, pairs: Pairs, word_vectors: Path | None, seed: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Both texts of each pair in each way, packed hashes uint8 or vectors float32."""
    generator, bits = np.random.default_rng(seed), hashes.bits
    bags = tuple(hashes.bags(texts) for texts in pairs[:2])
    flies = (generator.random((len(hashes.words), bits)) < _FLY_SHARE).astype(np.float32)
    planes = generator.normal(size=(len(hashes.words), bits)).astype(np.float32)
    ways = {
        f"hashes, {bits} bits": tuple(hashes.of_texts(texts) for texts in pairs[:2]),
        f"FlyHash, {bits} bits": tuple(np.packbits(winners(of @ flies, hashes.active), axis=1) for of in bags),
        f"hyperplanes of bags, {bits} bits": tuple(np.packbits(of @ planes > 0, axis=1) for of in bags),
        "bags of words": tuple(of.toarray() for of in bags),
    }
    if word_vectors:
        means = tuple(mean_vectors(word_vectors, *pairs[:2]))
        planes = generator.normal(size=(means[0].shape[1], bits))
        ways[f"hyperplanes of mean vectors, {bits} bits"] = tuple(np.packbits(of @ planes > 0, axis=1) for of in means)
        ways["mean vectors"] = means
    return ways


def scores_of(one: np.ndarray, other: np.ndarray, pairs: Pairs) -> tuple[float, float]:
    """How well the likeness of each pair fits the scores; and for how many of those that are alike the second text is
    among the first ten of all second ones."""
    if one.dtype == np.uint8:
        alike, all_alike = -distances(one, other), lambda rows: -distances(one[rows][:, None], other[None])
    else:
        one, other = (of / np.maximum(np.linalg.norm(of, axis=1, keepdims=True), 1e-12) for of in (one, other))
        alike, all_alike = (one * other).sum(1), lambda rows: one[rows] @ other.T
    score = roc_auc_score(pairs.scores, alike) if pairs.is_label else spearmanr(pairs.scores, alike).statistic
    wanted = np.flatnonzero(pairs.scores >= (1 if pairs.is_label else _ALIKE))
    found = 0
    for rows in np.array_split(wanted, max(1, len(wanted) // 100)):
        likeness = all_alike(rows)
        own = likeness[np.arange(len(rows)), rows]
        before = (likeness > own[:, None]).sum(1) + [
            (row[:place] == value).sum() for row, place, value in zip(likeness, rows, own)
        ]
        found += int((before < _FIRST).sum())
    return float(score), found / len(wanted) if len(wanted) else 0.0


def analogies_found(hashes: WordHashes, analogies: Sequence[tuple[str, ...]]) -> tuple[int, int]:
    """Of how many analogies whose words are known d is the word whose hash is most like b - a + c, and how many these
    are."""
    places = {word: number for number, word in enumerate(hashes.words)}
    known = np.array([[places[word] for word in words] for words in analogies if all(word in places for word in words)])
    if not len(known):
        return 0, 0
    bits = np.unpackbits(hashes.of_words(hashes.words), axis=1).astype(np.float32)
    a, b, c, d = known.T
    found = 0
    for rows in np.array_split(np.arange(len(known)), max(1, len(known) // 500)):
        likeness = (bits[b[rows]] - bits[a[rows]] + bits[c[rows]]) @ bits.T
        for of_words in (a, b, c):
            likeness[np.arange(len(rows)), of_words[rows]] = -np.inf
        found += int((likeness.argmax(1) == d[rows]).sum())
    return found, len(known)
