"""What a question and each column share, character by character: how a network trained from nothing finds its way in a
table it has never seen."""

from collections.abc import Sequence

import numpy as np

from common.tokenizers import Encoding, name_form

from cues import asked_columns
from numerals import Number, find_numbers
from values import Column

#: Features of a character of the question beside a column; see `match`.
FEATURE_COUNT = 23

#: Those that say that a character is the column's name, a cell of it, or a number.
KNOWN = [1, 6, 8, 10]

_LONGEST_CELL = 24  # characters of a question that are looked up as a cell


def match(question: str, columns: Sequence[Column]) -> np.ndarray:
    """Float32 (characters, columns, FEATURE_COUNT), all between 0 and 1. Features are, in this order:

    of the run of characters that the question shares with the name of the column: 0 whether there is one, 1 of two or
        more, 2 its share of the name, 3 whether it is the whole name, 4 whether no other column shares a longer one
        here, 5 the inverse of the number of columns that share one as long;
    of the cells: 6 inside a run that is a whole cell, 7 its length in eighths, 8 inside of two characters that stand in
        a cell, 9 the inverse of the number of cells that have these two;
    of a number: 10 inside of one, 11 which can be compared with the column, 12 between its smallest and largest cell,
        13 which is one of the cells, 14 with the magnitude or percent sign of the column;
    15 whether the column is `real`, 16 inside of a word that asks for what the name of the column may be;
    17 and 18 the first and last character of a number, 19 and 20 of a whole cell;
    21 the share of different cells in the column, which is 1 for names, 22 whether it is the first one.
    """
    text = name_form(question)
    found = np.zeros((len(text), len(columns), FEATURE_COUNT), np.float32)
    numbers = find_numbers(question)
    for index, column in enumerate(columns):
        name = column.short_name
        shared = shared_runs(text, name)
        found[:, index, 0], found[:, index, 1] = shared > 0, shared > 1
        found[:, index, 2] = shared / max(len(name), 1)
        found[:, index, 3] = shared == max(len(name), 1)
        _match_cells(text, column, found[:, index, 6:10], found[:, index, 19:21])
        _match_numbers(numbers, column, found[:, index, 10:15])
        found[:, index, 15] = column.is_real
        found[:, index, 21], found[:, index, 22] = column.distinct, index == 0
        found[:, index, 4] = shared  # for now
    found[:, :, 16] = asked_columns(question, [column.name for column in columns])
    for number in numbers:
        found[number.start, :, 17] = found[number.end - 1, :, 18] = 1
    lengths = found[:, :, 4].copy()
    longest = lengths.max(1, keepdims=True, initial=0)
    best = (lengths == longest) & (longest > 0)
    found[:, :, 4] = best
    found[:, :, 5] = best / np.maximum(best.sum(1, keepdims=True), 1)
    return found


def of_tokens(features: np.ndarray, encoding: Encoding) -> np.ndarray:
    """For each token the largest values of its characters, (characters, ...) -> (tokens, ...)."""
    rows = np.zeros((len(encoding), *features.shape[1:]), np.float32)
    for row, (start, end) in zip(rows, encoding.offsets.tolist()):
        if start < end:
            row[:] = features[start:end].max(0)
    return rows


def shared_runs(text: str, name: str) -> np.ndarray:
    """For each character of a text the length of the longest run around it that also stands in the name, int
    (characters,). Both in `name_form`."""
    lengths = np.zeros(len(text), np.int32)
    before = [0] * (len(name) + 1)
    for end, character in enumerate(text, 1):
        # current[j]: the longest run that ends here and at the j-th character of the name.
        current = [0] * (len(name) + 1)
        if character in name:
            for j, other in enumerate(name, 1):
                if other == character:
                    current[j] = before[j - 1] + 1
            longest = max(current)
            np.maximum(lengths[end - longest : end], longest, out=lengths[end - longest : end])
        before = current
    return lengths


def _match_cells(text: str, column: Column, found: np.ndarray, edges: np.ndarray) -> None:
    for start in range(len(text)):
        for end in range(start + 1, min(start + _LONGEST_CELL, len(text)) + 1):
            if text[start:end] in column.lookup and not _cuts_number(text, start, end):
                found[start:end, 0] = 1
                edges[start, 0] = edges[end - 1, 1] = 1
                np.maximum(found[start:end, 1], min((end - start) / 8, 1), out=found[start:end, 1])
        rarity = column.pairs.get(text[start : start + 2])
        if rarity:
            found[start : start + 2, 2] = 1
            np.maximum(found[start : start + 2, 3], rarity, out=found[start : start + 2, 3])


def _cuts_number(text: str, start: int, end: int) -> bool:
    """Whether a digit at an edge of [start, end) has another one, or a decimal point, on the other side."""
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    cut_before = text[start].isdecimal() and (before.isdecimal() or before == ".")
    return cut_before or (text[end - 1].isdecimal() and (after.isdecimal() or after == "."))


def _match_numbers(numbers: Sequence[Number], column: Column, found: np.ndarray) -> None:
    for number in numbers:
        meanings = column.meanings(number)
        fits = (number.magnitude > 1 and number.magnitude == column.magnitude) or (
            number.kind == "percent" and column.is_percent
        )
        found[number.start : number.end] = (
            1,
            column.is_numeric,
            column.is_numeric and column.smallest <= meanings[0] <= column.largest,
            any(value in column.numbers for value in meanings),
            fits,
        )
