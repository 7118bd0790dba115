"""From questions to arrays: windows, their labels, shorter questions in training, and batches. No TensorFlow.

Spans of characters are half-open; spans of tokens have a first and a last one.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from common.batch_parts import Arrays, split_groups
from common.encoders import Encoder
from common.generators import pad, pad_features
from common.tokenizers import PairWindow, pair_windows, segment, strip_span
from common.tokenizers.parts_of_speech import dictionary_tag
from common.tokenizers.words import normal_form, rarity

from task import Example, occurrences

Span = tuple[int, int]
#: Contexts whose tokens are remembered.
_CONTEXTS = 1024


# Windows


@dataclass(slots=True)
class Window:
    """A question with a part of its context, nearly always the whole of it when the encoder reads long texts.

    arrays: inputs of the encoder. answers: first and last token (inclusive) of each answer that lies in it.
    """

    example: Example
    pair: PairWindow
    arrays: dict[str, np.ndarray]
    answers: list[Span]


class Lengths(NamedTuple):
    """Tokens of a question that are read at most, and tokens between the beginnings of neighbouring windows; None:
    three quarters of what fits beside the question."""

    question: int
    stride: int | None = None


def question_windows(examples: Sequence[Example], encoder: Encoder, lengths: Lengths) -> Iterator[list[Window]]:
    """The windows of every question, unlabelled; at least one each. Every token of every context is in one of them."""
    tokenized = lru_cache(_CONTEXTS)(encoder.tokenizer.tokenize)  # many questions are about one context
    for example in examples:
        asked = encoder.tokenizer.tokenize(example.question).take(slice(lengths.question))
        tokens = tokenized(example.context)
        pairs = pair_windows(encoder.tokenizer, asked, tokens, encoder.max_length, lengths.stride)
        arrays = encoder.pair_features(example.question, asked, example.context, tokens, pairs)
        yield [Window(example, pair, inputs, []) for pair, inputs in zip(pairs, arrays)]


def labelled_windows(
    examples: Sequence[Example], encoder: Encoder, lengths: Lengths, lost: Counter[str], part: slice = slice(None)
) -> Iterator[list[Window]]:
    """The windows of every question of this part that has an answer among them, with their labels. lost: counts what is
    lost on the way, by reason."""
    for group in question_windows(examples[part], encoder, lengths):
        for span in answer_spans(group[0].example, lost):
            places = [window.pair.encoding.token_span(*span) for window in group]
            for window, place in zip(group, places):
                window.answers += [place] if place else []
            if not any(places):
                lost["answer across windows or inside a token"] += 1
        if any(window.answers for window in group):
            yield group
        else:
            lost["question left out: none of its answers could be labelled"] += 1


def answer_spans(example: Example, lost: Counter[str]) -> list[Span]:
    """Characters of the answers in the context, without repetition, in order.

    An answer with a valid start stands there and nowhere else. Without one, every occurrence may be meant, overlapping
    ones too: the training loss lets the model choose. lost: counts the answers that do not occur.
    """
    spans = set()
    for answer in example.answers or ():
        if not answer.text.strip():
            continue
        if answer.start >= 0 and example.context.startswith(answer.text, answer.start):
            found = [answer.start]
        else:
            found = occurrences(answer.text, example.context)
        # No token holds blanks at the ends. The organisers' metric sees them, but few answers have any.
        spans.update(strip_span(example.context, start, start + len(answer.text)) for start in found)
        if not found:
            lost["answer not in the context"] += 1
    return sorted(spans)


# Augmentation

# Words without which a question asks for something else: those with one of these characters.
_TURNING = frozenset("不没未无非别除最")
# How often other words are left out, by the first letter of their tag in jieba's dictionary: u auxiliaries, p
# prepositions, c conjunctions, d adverbs and y particles most often; r pronouns, question words among them, a little
# more often than the rest.
_DROPPED = dict.fromkeys("upcdy", 0.7) | {"r": 0.3}
_DROPPED_OTHERWISE = 0.25
# Question words that jieba's dictionary calls conjunctions and adverbs.
_QUESTION_WORDS = frozenset({"何时", "几时", "为何", "如何"})


def shorten_questions(
    batch: list[list[Window]], generator: np.random.Generator, encoder: Encoder, lengths: Lengths, share: float
) -> list[list[Window]]:
    """The batch with only `keywords` left of about `share` of its questions."""
    shortened = []
    for group in batch:
        if generator.random() < share:
            example = replace(group[0].example, question=keywords(group[0].example.question, generator))
            group = next(labelled_windows([example], encoder, lengths, Counter()), group)
        shortened.append(group)
    return shortened


def keywords(question: str, generator: np.random.Generator) -> str:
    """The question as it is typed into a search engine: without punctuation and without some of its words, function
    words more often than others.

    What turns a question round stays (negations, 除, 最), and so does the word that is rarest in jieba's dictionary. A
    blank between two words stays one where they would become another word or number. A question without any word stays
    as it is.
    """
    words = [(start, question[start:end]) for start, end in segment(question)]
    words = [(start, word) for start, word in words if any(character.isalnum() for character in word)]
    if not words:
        return question
    rarest = max(words, key=lambda place: rarity(normal_form(place[1])))
    kept = [place for place in words if generator.random() >= _dropped(place[1]) or place == rarest]
    text, end = "", 0
    for start, word in kept:
        blank = " " if text and start > end and (text[-1] + word[0]).isascii() else ""
        text, end = text + blank + word, start + len(word)
    return text


def _dropped(word: str) -> float:
    if not _TURNING.isdisjoint(word):
        return 0.0
    tag = "r" if word in _QUESTION_WORDS else dictionary_tag(word)[:1]
    return _DROPPED.get(tag, _DROPPED_OTHERWISE)


# Batches


def collate(batch: list[list[Window]], generator: np.random.Generator, crop_length: int) -> dict[str, np.ndarray]:
    """Questions as inputs and labels of the network, which has a row for each window: `windows` int (questions, most
    windows) tells which rows belong to a question, -1 for none.

    With `crop_length` a question is trained on a piece of about this many tokens of the context around one of its
    answers, another one each time: that is faster, and harder to learn by heart. Without it, on all its windows.
    """
    groups = [[_crop(group, crop_length, generator)] if crop_length else group for group in batch]
    rows = [window for group in groups for window in group]
    arrays = pad_features([window.arrays for window in rows])
    ends = np.cumsum([len(group) for group in groups])
    arrays["windows"] = pad(
        [np.arange(end - len(group), end, dtype=np.int32) for group, end in zip(groups, ends)], value=-1
    )
    arrays["in_context"] = pad([window.pair.is_context.astype(np.int8) for window in rows])
    arrays["labels"] = np.zeros((*arrays["in_context"].shape, 2), np.int8)
    for labels, window in zip(arrays["labels"], rows):
        for first, last in window.answers:
            labels[first, 0] = labels[last, 1] = 1
    return arrays


def split(batch: Arrays, parts: int) -> list[Arrays]:
    """A batch of `collate` in so many parts, each of whole questions with all their windows."""
    return split_groups(batch, parts, "windows")


def _crop(group: list[Window], length: int, generator: np.random.Generator) -> Window:
    """About `length` tokens of the context (three to five quarters, and never less than the answer) around an answer,
    with the question before them."""
    choices = [(window, answer) for window in group for answer in window.answers]
    window, (first, last) = choices[generator.integers(len(choices))]
    length = int(generator.integers(length * 3 // 4, length * 5 // 4 + 1))
    pair, kept = window.pair.crop(first, last, length, generator)
    moved = {old: new for new, old in enumerate(kept.tolist())}
    arrays = {name: values[kept] for name, values in window.arrays.items()}
    inside = [(moved[a], moved[b]) for a, b in window.answers if a in moved and b in moved]
    return replace(window, pair=pair, arrays=arrays, answers=inside)
