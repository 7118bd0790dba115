"""From questions to arrays: windows, where their answers stand, and batches. No TensorFlow."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from common.encoders import Encoder
from common.generators import pad_features
from common.tokenizers import PairWindow, pair_windows

from metric import fold
from task import Example

# Windows


@dataclass(slots=True)
class Window:
    """A question with a part of a passage, nearly always the whole of it when the encoder reads long texts.

    passage: its index in the question. text: the whole passage. arrays: inputs of the encoder. answers: first and last
    token (inclusive) of each answer that lies in the window.
    """

    passage: int
    text: str
    pair: PairWindow
    arrays: dict[str, np.ndarray]
    answers: list[tuple[int, int]]


class Lengths(NamedTuple):
    """Tokens of a question that are read at most, and tokens between the beginnings of neighbouring windows; None:
    three quarters of what fits beside the question."""

    question: int
    stride: int | None = None


class Evidence(NamedTuple):
    """What a question is trained on: for each passage with an answer the windows that hold one, for each passage
    without an answer all windows."""

    positives: list[list[Window]]
    negatives: list[list[Window]]

    @property
    def length(self) -> int:
        """Tokens of its longest window."""
        return max(len(window.pair) for windows in self.positives + self.negatives for window in windows)


def question_windows(examples: Sequence[Example], encoder: Encoder, lengths: Lengths) -> Iterator[list[Window]]:
    """The windows of all passages of every question, unlabelled. Every token of every passage is in one of them."""
    for example in examples:
        asked = encoder.tokenizer.tokenize(example.question).take(slice(lengths.question))
        group = []
        for number, passage in enumerate(example.passages):
            text = passage.text
            tokens = encoder.tokenizer.tokenize(text)
            pairs = pair_windows(encoder.tokenizer, asked, tokens, encoder.max_length, lengths.stride)
            arrays = encoder.pair_features(example.question, asked, text, tokens, pairs)
            group += [Window(number, text, pair, one, []) for pair, one in zip(pairs, arrays) if pair.is_context.any()]
        yield group


def labelled_windows(
    examples: Sequence[Example], encoder: Encoder, lengths: Lengths, lost: Counter[str], part: slice = slice(None)
) -> Iterator[Evidence]:
    """The evidence of every question of this part that has any. lost: counts what is lost on the way, by reason."""
    for example, group in zip(examples[part], question_windows(examples[part], encoder, lengths)):
        evidence = Evidence([], [])
        for number in range(len(example.passages)):
            windows = [window for window in group if window.passage == number]
            spans = answer_spans(example, number)
            for window in windows:
                places = [window.pair.encoding.token_span(*span) for span in spans or ()]
                window.answers = [place for place in places if place]
            if holding := [window for window in windows if window.answers]:
                evidence.positives.append(holding)
            elif not windows:
                lost["blank passage"] += 1
            elif spans is None:
                lost["answer not in its passage"] += 1
            elif spans:
                lost["answer across windows or inside a token"] += 1
            else:
                evidence.negatives.append(windows)
        if any(evidence):
            yield evidence
        else:
            lost["question left out: none of its passages can be used"] += 1


# Labels

_SEPARATORS = re.compile(r"[\W_]+")


def answer_spans(example: Example, passage: int) -> list[tuple[int, int]] | None:
    """Characters [start, end) of all accepted answers in one passage of a question, in order; none overlaps another,
    and of those that begin together the longest counts.

    Empty where the organisers say that the passage holds no answer, whatever stands in it. None where they say it does,
    but none is found.
    """
    holds = example.passages[passage]
    if not holds.answer:
        return []
    folded = fold(holds.text)
    answers = {fold(answer.strip()) for answer in (*(example.answers or ()), holds.answer)} - {""}
    longest_first = sorted(answers, key=lambda answer: (-len(answer), answer))
    # The parts of "an answer of several parts" may be put together in another way; but if a passage has it as it is
    # written, that is what is meant.
    for pattern in (_as_written, _in_parts):
        found = re.finditer("|".join(map(pattern, longest_first)), folded) if answers else ()
        if spans := [match.span() for match in found]:
            return spans
    return None


def _as_written(answer: str) -> str:
    return _whole(re.escape(answer), answer)


def _in_parts(answer: str) -> str:
    parts = [part for part in _SEPARATORS.split(answer) if part]
    return _whole(r"[\W_]{1,3}".join(map(re.escape, parts)), "".join(parts)) if parts else r"(?!)"


def _whole(pattern: str, answer: str) -> str:
    """Not out of the middle of a number or of a word in Latin letters: 5 is no answer where 2015 stands."""
    before, after = (
        next((kind for kind in ("[0-9]", "[a-z]") if re.match(kind, edge)), None) for edge in (answer[:1], answer[-1:])
    )
    return (f"(?<!{before})" if before else "") + pattern + (f"(?!{after})" if after else "")


# Batches


class Sampling(NamedTuple):
    """Passages of a question that an epoch sees, with and without an answer; the share of its batches in which longer
    passages are cut to pieces, and the fewest tokens of such a piece, which has at most twice as many."""

    positives: int
    negatives: int
    crop_share: float
    crop_length: int


def collate(batch: list[Evidence], generator: np.random.Generator, sampling: Sampling) -> dict[str, np.ndarray]:
    """Passages of the questions, others each time: the inputs of the network, and `labels`, a row for each."""
    rows = []
    for positives, negatives in batch:
        seen = _some(positives, sampling.positives, generator) + _some(negatives, sampling.negatives, generator)
        rows += [windows[generator.integers(len(windows))] for windows in seen]
    # Whole batches are cut, to one length: a single passage left whole would make the cutting of the others pointless.
    if generator.random() < sampling.crop_share:
        length = int(generator.integers(sampling.crop_length, 2 * sampling.crop_length + 1))
        rows = [crop(window, length, generator) for window in rows]
    arrays = pad_features([window.arrays for window in rows])
    arrays["labels"] = np.zeros((*arrays["token_ids"].shape, 2), np.int8)
    for labels, window in zip(arrays["labels"], rows):
        for first, last in window.answers:
            labels[first, 0] = labels[last, 1] = 1
    return arrays


def _some(passages: list, count: int, generator: np.random.Generator) -> list:
    return [passages[index] for index in generator.permutation(len(passages))[:count]]


def crop(window: Window, length: int, generator: np.random.Generator) -> Window:
    """A piece of so many tokens (and never less than an answer) of the passage, with an answer if there is one, and the
    question before it."""
    if window.answers:
        first, last = window.answers[generator.integers(len(window.answers))]
    else:
        places = window.pair.context_places
        first = last = int(generator.integers(places.start, places.stop))
    pair, kept = window.pair.crop(first, last, length, generator)
    moved = {old: new for new, old in enumerate(kept.tolist())}
    arrays = {name: values[kept] for name, values in window.arrays.items()}
    inside = [(moved[a], moved[b]) for a, b in window.answers if a in moved and b in moved]
    return replace(window, pair=pair, arrays=arrays, answers=inside)
