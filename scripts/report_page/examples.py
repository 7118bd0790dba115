"""The examples of dev as JSON for the page: texts, marks of gold and prediction, what both say in words. No TensorFlow."""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from breakdowns import Breakdown
from breakdowns.groups import lengths_of
from dev_results import DevResults
from report_page.words import Words
from shown import Mark, gold, lines, marks, shown

#: Of marks and lines: both sides have it, gold alone does, the prediction alone does, gold would accept it as well.
RIGHT, MISSED, WRONG, ACCEPTED = range(4)

#: From this score on an example is right: the best that rouge gives is a little less than 1.
RIGHT_FROM = 0.9999

#: As many characters all texts of a page may have together, and around a mark of a text that is cut for it.
MOST_CHARACTERS = 12_000_000
AROUND = 120
_CUTS = (20_000, 8_000, 3_000, 1_200, 600, 300)

_DECIMALS = 3  # of attributions

#: For each example and each of its texts a number for each character; None: there is none of it.
Attributions = Sequence[Sequence[Sequence[float] | None] | None]


class Numbered(dict):
    """Different values, numbered in the order in which they come."""

    def number(self, value: Any) -> int:
        return self.setdefault(value, len(self))


def examples_json(
    results: DevResults,
    parts: Breakdown,
    words: Words,
    names: Callable[[str], str] | None = None,
    attributions: Attributions | None = None,
) -> dict[str, Any]:
    """What the script of the page reads. A row: place, name, score, characters, [part, text, ...], [text, start, end,
    label, side, ...], [line, side, ...], classes, kinds, attributions. Names, labels, texts, classes and kinds are
    numbers of lists; places in texts count UTF-16, as JavaScript does."""
    labels, texts, titles, classes, kinds = (Numbered() for _ in range(5))
    lengths, rows = lengths_of(results), []
    needed: dict[int, list[tuple[int, int]]] = {}
    for place, example in enumerate(results.examples):
        whole = shown(results.task, example)
        found = _sides(results, place, names)
        numbers = [texts.number(text) for _, text in whole.texts]
        steps = [_utf16(text) for _, text in whole.texts]
        flat = []
        for mark, side in found:
            step = steps[mark.text]
            start, end = (step(mark.start), step(mark.end))
            flat += [mark.text, start, end, labels.number(mark.label), side]
            needed.setdefault(numbers[mark.text], []).append((start, end))
        told = [part for line, side in _lines(results, place, names) for part in (line, side)]
        given = attributions[place] if attributions is not None and place < len(attributions) else None
        rows.append(
            [
                place + 1,
                whole.name,
                round(float(results.scores[place]), 4),
                lengths[place],
                [one for (title, _), number in zip(whole.texts, numbers) for one in (titles.number(title), number)],
                flat,
                told,
                [classes.number(one) for one in parts.classes[place]],
                [kinds.number(one) for one in parts.kinds[place]],
                _shares(given, whole.texts) if given is not None else None,
            ]
        )
    return {
        "rightFrom": RIGHT_FROM,
        "rows": rows,
        "texts": _within_budget([*texts], needed),
        "titles": [_title(title, words) for title in titles],
        "labels": [[words.label(label), _short(label, results.task, words)] for label in labels],
        "classes": [[one, words(one) if parts.are_words else one] for one in classes],
        "kinds": [[kind, words(kind)] for kind in kinds],
    }


def _short(label: str, task: str, words: Words) -> str:
    """What of a label stands in the text: of arguments the role, since the type of the event is beside it."""
    return words.label(label).partition(" ")[2] if task == "lic2020_event_extraction" else words.label(label)


def _title(title: str, words: Words) -> str:
    name, _, number = title.partition(" ")
    return f"{words(name)} {number}".strip()


def _sides(results: DevResults, place: int, names: Any) -> list[tuple[Mark, int]]:
    """The marks of gold and prediction, by place."""
    example, record = results.examples[place], results.predictions[place]
    labels = gold(results.task, example)
    ours = marks(results.task, example, record, names)
    theirs = marks(results.task, example, labels, names) if labels is not None else []
    both = {*ours} & {*theirs}
    # Of one that is right, gold may accept more than was said.
    left = ACCEPTED if results.scores[place] >= RIGHT_FROM else MISSED
    found = [(mark, RIGHT if mark in both else left) for mark in theirs]
    found += [(mark, WRONG) for mark in ours if mark not in both]
    return sorted(found, key=lambda item: (item[0].text, item[0].start, -item[0].end))


def _lines(results: DevResults, place: int, names: Any) -> list[tuple[str, int]]:
    """What both sides say in words, each line once: what both have, what is missed, what is wrong."""
    example, record = results.examples[place], results.predictions[place]
    labels = gold(results.task, example)
    ours = {_compared(line): line for line in lines(results.task, example, record, names)}
    theirs = {_compared(line): line for line in (lines(results.task, example, labels, names) if labels else [])}
    is_right = results.scores[place] >= RIGHT_FROM
    # The judge may take another form for right, an alias or another order.
    found = [(line, RIGHT if key in theirs or is_right else WRONG) for key, line in ours.items()]
    left = [line for key, line in theirs.items() if key not in ours]
    if labels and "answers" in labels and left:  # any of them would do
        left = [" / ".join(left)]
    found += [(line, ACCEPTED if is_right else MISSED) for line in left]
    return sorted(found, key=lambda item: item[1])


def _compared(line: str) -> str:
    """As most judges compare: in lower case, without 《》."""
    return re.sub("[《》]", "", line.lower())


def _utf16(text: str) -> Callable[[int], int]:
    """From a place in Python's count to that of JavaScript, in which some characters are two."""
    if not text or max(text) <= "\uffff":
        return lambda place: place
    wide = [place for place, character in enumerate(text) if character > "\uffff"]
    return lambda place: place + bisect_left(wide, place)


def _shares(
    given: Sequence[Sequence[float] | None], texts: Sequence[tuple[str, str]]
) -> list[list[float] | None] | None:
    """Shares of the greatest of the example, so that all are from -1 to 1; None for a text without any, or with another
    number of characters, and in place of all where there is nothing to be seen."""
    arrays = [
        np.nan_to_num(np.asarray(one, np.float64)) if one is not None and len(one) == len(text) and text else None
        for one, (_, text) in zip(given, texts)
    ]
    most = max((float(np.abs(one).max()) for one in arrays if one is not None), default=0.0)
    if not most:
        return None
    return [None if one is None else np.round(one / most, _DECIMALS).tolist() for one in arrays]


def _within_budget(texts: list[str], needed: dict[int, list[tuple[int, int]]]) -> list[Any]:
    """The texts; where they have too many characters together, long ones as {"n": characters, "p": [start, piece, ...]}
    with what is at the beginning and around marks."""
    sizes = np.array([len(text) for text in texts])
    if sizes.sum() <= MOST_CHARACTERS:
        return texts
    limit = next((cut for cut in _CUTS if np.minimum(sizes, cut).sum() <= MOST_CHARACTERS), _CUTS[-1])
    return [
        text if len(text) <= limit else _cut(text, needed.get(number, []), limit) for number, text in enumerate(texts)
    ]


def _cut(text: str, spans: list[tuple[int, int]], limit: int) -> dict[str, Any]:
    units = text.encode("utf-16-le", "surrogatepass")
    size = len(units) // 2
    wanted = sorted([(0, min(size, limit // 2)), *((max(0, a - AROUND), min(size, b + AROUND)) for a, b in spans)])
    # So many of them as there is room for, but the beginning and the first mark in any case.
    room = [total <= limit for total in accumulate(end - start for start, end in wanted)]
    kept = [span for number, (span, fits) in enumerate(zip(wanted, room)) if fits or number < 2]
    merged: list[list[int]] = []
    for start, end in kept:
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    pieces = [
        part
        for start, end in merged
        for part in (start, units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass"))
    ]
    return {"n": size, "p": pieces}
