"""From examples to arrays: what a network reads of a question and its table, labels, opposites in training, and batches.
No TensorFlow.

    [CLS] question [SEP] [CLS] name and cells of column 1 [SEP] [CLS] name and cells of column 2 [SEP] ...

is one sequence for an encoder; what the question shares with each column and its cues (schema_linking.py) go with it.

Two heads see the same labels. `tagging` writes one tag on each token and one set of columns beside it; `span_column`
marks spans for each column by itself. What a head cannot represent is lost here, and counted.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from common.encoders import Encoder
from common.generators import Arrays, pad, pad_features
from common.tokenizers import Encoding, WordPieceTokenizer, name_form

from schema_linking import CUE_COUNT, FEATURE_COUNT, KINDS, KNOWN, cues, match, of_tokens, shared_runs
from task import AGGREGATIONS, CONNECTIONS, OPERATORS, Example, Query
from values import Column, columns_of, find_numbers

#: The label of a column that is not selected; below it are the aggregations.
NOT_SELECTED = len(AGGREGATIONS)
SELECTIONS = NOT_SELECTED + 1

#: Classes of the number of selected columns, and of conditions: one, two, more.
COUNTS = 3
#: One more class of the number of conditions, for networks that were trained on questions without any.
NO_CONDITION = COUNTS


class BuiltWith(NamedTuple):
    """What a network is built with that its settings do not say. A run keeps it in network.json.

    unconditioned: whether there are questions without a condition.
    """

    unconditioned: bool


#: What is asked of a question as a whole -> the number of classes; also names of `Labels`.
WHOLE = {"connection": len(CONNECTIONS), "selected_count": COUNTS, "condition_count": COUNTS}

#: Tags: 0 outside, then for each operator the first token of a value and the following ones.
TAG_COUNT = 1 + 2 * len(OPERATORS)

# What is lost
QUESTION_CUT = "question whose end is not read"
COLUMN_CUT = "column that is not read, since there are so many"
NOT_FOUND = "value that is not in its question"
CUT = "value that begins or ends inside of a token, or after the last token that is read"
SELECTED_TWICE = "column selected twice"
OVERLAPPING = "value that overlaps with another one (tagging)"


class Mark(NamedTuple):
    """A condition in a question: column and operator, and the first and last token of its value, both inclusive, from
    0."""

    column: int
    operator: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Labels:
    """selections: for each column NOT_SELECTED or the number of its aggregation. connection: a number of CONNECTIONS.
    conditions: how many there are in the query; those without a mark, too."""

    selections: tuple[int, ...]
    connection: int
    conditions: int
    marks: tuple[Mark, ...]

    @property
    def selected_count(self) -> int:
        """The class of the number of selected columns."""
        return count_class(sum(selection != NOT_SELECTED for selection in self.selections))

    @property
    def condition_count(self) -> int:
        """The class of the number of conditions."""
        return condition_class(self.conditions)


def count_class(count: int) -> int:
    """0 for one, 1 for two, 2 for more."""
    return min(max(count, 1), COUNTS) - 1


def condition_class(count: int) -> int:
    """That of `count_class`, or NO_CONDITION for none."""
    return count_class(count) if count else NO_CONDITION


def whole_classes(unconditioned: bool) -> dict[str, int]:
    """WHOLE of a network. unconditioned: it tells whether a question has a condition at all."""
    return WHOLE | {"condition_count": COUNTS + unconditioned}


@dataclass(frozen=True, slots=True)
class Window:
    """A question with the columns of its table, as the encoder reads them at once.

    question: its tokens that are read. arrays: the inputs of the encoder, (length,). shared, said: `matches` and `cues`,
    as they are held. columns: int32 (columns, 3), where the name begins and ends in the sequence, the marker included,
    and 1 for text, 2 for real; 0 for a column that is not read. labels: without those of columns that are not read;
    None: unlabelled.
    """

    example: Example
    question: Encoding
    arrays: Arrays
    shared: "Sparse"
    said: "Sparse"
    columns: np.ndarray
    labels: Labels | None = None

    def __len__(self) -> int:
        return len(self.arrays["token_ids"])

    @property
    def matches(self) -> np.ndarray:
        """What each token of the question shares with each column, float32 (tokens, columns, FEATURE_COUNT)."""
        return self.shared.array()

    @property
    def cues(self) -> np.ndarray:
        """The cues of each token of the question, float32 (tokens, CUE_COUNT)."""
        return self.said.array()


class Sparse(NamedTuple):
    """An array that is mostly zeros: its shape, and where it has other values, float32, as it is read line by line."""

    shape: tuple[int, ...]
    places: np.ndarray
    values: np.ndarray

    @classmethod
    def of(cls, array: np.ndarray) -> "Sparse":
        places = np.flatnonzero(array)
        return cls(array.shape, places.astype(np.min_scalar_type(array.size)), array.ravel()[places])

    def array(self) -> np.ndarray:
        array = np.zeros(self.shape, np.float32)
        array.put(self.places, self.values)
        return array


def question_window(example: Example, encoder: Encoder, cells: int, lost: Counter[str]) -> Window:
    """The window of a question, unlabelled. It is at most as long as the encoder reads, and half of it is the question's
    at most.

    cells: how many cells of each column are shown, those first that are most like the question. lost: counts what is
    not read.
    """
    columns = columns_of(example.table)
    # One text, so that any encoder reads it; the line ends keep words apart.
    pieces = [
        example.question,
        *(f"{column.header} {' '.join(column.examples(example.question, cells))}" for column in columns),
    ]
    starts = np.cumsum([0, *(len(piece) + 1 for piece in pieces)])
    tokens = [_shifted(encoder.tokenizer.tokenize(piece), start) for piece, start in zip(pieces, starts)]
    names = [len(encoder.tokenizer.tokenize(column.header)) for column in columns]
    question = tokens[0].take(slice(encoder.max_length // 2))
    lengths = _lengths([len(one) for one in tokens[1:]], names, encoder.max_length - len(question) - 2)
    if len(question) < len(tokens[0]):
        lost[QUESTION_CUT] += 1
    if len(lengths) < len(columns):
        lost[COLUMN_CUT] += len(columns) - len(lengths)

    parts = [question, *(part.take(slice(length)) for part, length in zip(tokens[1:], lengths))]
    layout = np.zeros((len(columns), 3), np.int32)
    begins = np.cumsum([len(part) + 2 for part in parts])
    for index, (begin, length) in enumerate(zip(begins, lengths)):
        layout[index] = begin, begin + 1 + min(length, names[index]), 2 if columns[index].is_real else 1
    (arrays,) = encoder.features("\n".join(pieces), [_sequence(parts, encoder.tokenizer)])
    shared = Sparse.of(of_tokens(match(example.question, columns), question))
    said = Sparse.of(of_tokens(cues(example.question), question))
    return Window(example, question, arrays, shared, said, layout)


def labelled_windows(
    examples: Sequence[Example], encoder: Encoder, cells: int, lost: Counter[str], part: slice = slice(None)
) -> Iterator[Window]:
    """The windows of the labelled questions of this part. lost: counts what is not read, and what of their queries has no
    label, by reason."""
    for example in examples[part]:
        window = question_window(example, encoder, cells, lost)
        labels = align(example.query, example.question, window.question, columns_of(example.table), lost)
        marks = tuple(mark for mark in labels.marks if window.columns[mark.column, 2])
        yield replace(window, labels=replace(labels, marks=marks))


def _shifted(encoding: Encoding, start: int) -> Encoding:
    return Encoding(encoding.ids, encoding.offsets + np.int32(start))


def _lengths(columns: Sequence[int], names: Sequence[int], room: int) -> list[int]:
    """How many tokens of each column are read, beside its [CLS] and [SEP], in so much room.

    Cells go first, then the ends of the longest names, then the last columns. columns: tokens of the names and cells,
    names: of the names alone.
    """
    columns, room = list(columns), room - 2 * len(columns)
    if sum(columns) <= room:
        return columns
    if sum(names) <= room:
        return _cut(columns, names, room)
    if room >= 0:
        return _cut(names, [0] * len(names), room)
    return [0] * max(0, (room + 2 * len(columns)) // 2)


def _cut(longest: Sequence[int], shortest: Sequence[int], room: int) -> list[int]:
    """The longest ones cut to one length, as great as there is room for, but none below its shortest."""
    limit = 0
    while sum(min(most, max(least, limit + 1)) for most, least in zip(longest, shortest)) <= room:
        limit += 1
    return [min(most, max(least, limit)) for most, least in zip(longest, shortest)]


def _sequence(parts: Sequence[Encoding], tokenizer: WordPieceTokenizer) -> Encoding:
    """[CLS] part [SEP], one after the other."""
    ids, offsets = [], []
    for part in parts:
        start, end = (part.offsets[0, 0], part.offsets[-1, 1]) if len(part) else (0, 0)
        ids += [[tokenizer.start_id], part.ids, [tokenizer.end_id]]
        offsets += [[[start, start]], part.offsets, [[end, end]]]
    return Encoding(np.concatenate(ids).astype(np.int32), np.concatenate(offsets).astype(np.int32))


# Labels


def align(query: Query, question: str, encoding: Encoding, columns: Sequence[Column], lost: Counter[str]) -> Labels:
    """The labels of a query on the tokens of its question, without special ones. lost: counts what has no label, by
    reason.

    Where a question says a value several times, a condition takes a place that no other one of the same value has,
    nearest to the name of its column.
    """
    selections = [NOT_SELECTED] * len(columns)
    for column, aggregation in query.selected:
        if selections[column] != NOT_SELECTED:
            lost[SELECTED_TWICE] += 1
        selections[column] = aggregation
    numbers = find_numbers(question)
    taken: set[tuple[str, tuple[int, int]]] = set()
    marks = []
    for column, operator, value in query.conditions:
        places = columns[column].locate(question, numbers, value)
        free = [place for place in places if (value, place) not in taken] or places
        if not free:
            lost[NOT_FOUND] += 1
            continue
        place = min(free, key=_distance_to(columns[column].short_name, question))
        taken.add((value, place))
        tokens = encoding.token_span(*place)
        if tokens is None:
            lost[CUT] += 1
        else:
            marks.append(Mark(column, operator, *tokens))
    return Labels(tuple(selections), query.connection, len(query.conditions), tuple(dict.fromkeys(marks)))


def _distance_to(name: str, question: str) -> Callable[[tuple[int, int]], float]:
    """How far a place is from where the question shares most with the name; a place before it counts as twice as
    far."""
    shared = shared_runs(name_form(question), name)
    longest = shared.max(initial=0)
    named = np.flatnonzero(shared == longest) if longest > 1 else np.array([], int)

    def distance(place: tuple[int, int]) -> float:
        if not len(named):
            return 0.0
        after = np.where(named < place[0], place[0] - named, 2 * (named - place[1] + 1))
        return float(np.abs(after).min())

    return distance


def tags_of(labels: Labels, tokens: int, columns: int, lost: Counter[str]) -> tuple[np.ndarray, np.ndarray]:
    """Tags, int32 (tokens,), and the columns of each tagged token, int8 (tokens, columns).

    A value in two columns is one span with two columns. Of values that overlap otherwise, or of one value with two
    operators, only the first can be written; lost: counts the others.
    """
    tags, beside = np.zeros(tokens, np.int32), np.zeros((tokens, columns), np.int8)
    spans: dict[tuple[int, int], int] = {}
    for column, operator, first, last in labels.marks:
        known = spans.get((first, last))
        if known is None and not tags[first : last + 1].any():
            spans[first, last] = operator
            tags[first : last + 1] = 2 + 2 * operator
            tags[first] -= 1
        elif known != operator:
            lost[OVERLAPPING] += 1
            continue
        beside[first : last + 1, column] = 1
    return tags, beside


def tagged_spans(tags: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(operator, first, last) of every value in the tags, also of the one that ends with the last token.

    A following token without a first one, or after one of another operator, begins a value: nothing that was tagged is
    lost.
    """
    operator, first = None, 0
    for position, tag in enumerate([*tags, 0]):
        following = tag > 0 and tag % 2 == 0 and operator == (tag - 1) // 2
        if following:
            continue
        if operator is not None:
            yield operator, first, position - 1
        operator, first = ((int(tag) - 1) // 2, position) if tag else (None, 0)


def marks_of_tags(tags: np.ndarray, beside: np.ndarray) -> list[Mark]:
    """The conditions that tags and columns of `tags_of` stand for."""
    return [
        Mark(int(column), operator, first, last)
        for operator, first, last in tagged_spans(tags)
        for column in np.flatnonzero(beside[first : last + 1].mean(0) > 0.5)
    ]


# Opposites: training questions that say something else, made without a word. Where the words of a cue are hidden from
# the network, 超过 and 不到 differ in nothing but their feature. So both features can change places, and with them the
# operators of gold: a question about more is one about less. The same with 平均 and 最高. A few hundred questions then
# teach what each cue means, however rare it is.

_MORE, _LESS = OPERATORS.index(">"), OPERATORS.index("<")
#: Aggregations that any other of them may stand for. What is counted is another column than what is added up.
_ALIKE = tuple(AGGREGATIONS.index(name) for name in ("AVG", "MAX", "MIN", "SUM"))


def opposite(labels: Labels, said: np.ndarray, generator: np.random.Generator) -> tuple[Labels, np.ndarray]:
    """The labels with operators and aggregation changed at random, each with probability 1/2, where the cues say them
    all; and which feature of `cues` stands now where each one stood, int (KINDS,).

    said: bool (tokens, KINDS), the cues of each token.
    """
    kinds = np.arange(len(KINDS))
    if generator.random() < 0.5 and _says_operators(labels, said):
        turned = {_MORE: _LESS, _LESS: _MORE}
        marks = tuple(mark._replace(operator=turned.get(mark.operator, mark.operator)) for mark in labels.marks)
        labels = replace(labels, marks=marks)
        _exchange(kinds, ">", "<")
    column = _said_aggregation(labels, said)
    if generator.random() < 0.5 and column is not None:
        selections = list(labels.selections)
        other = _ALIKE[generator.integers(len(_ALIKE))]
        _exchange(kinds, AGGREGATIONS[selections[column]], AGGREGATIONS[other])
        selections[column] = other
        labels = replace(labels, selections=tuple(selections))
    return labels, kinds


def _exchange(kinds: np.ndarray, one: str, other: str) -> None:
    places = [KINDS.index(one), KINDS.index(other)]
    kinds[places] = kinds[places[::-1]]


def _says_operators(labels: Labels, said: np.ndarray) -> bool:
    """Whether there are as many words for each operator as conditions with it."""
    return all(
        _runs(said[:, KINDS.index(OPERATORS[one])]) == sum(mark.operator == one for mark in labels.marks)
        for one in (_MORE, _LESS)
    )


def _said_aggregation(labels: Labels, said: np.ndarray) -> int | None:
    """The column of the only aggregation, if it is the only one that is said."""
    columns = [column for column, selection in enumerate(labels.selections) if selection not in (NOT_SELECTED, 0)]
    found = [one for one in _ALIKE for _ in range(_runs(said[:, KINDS.index(AGGREGATIONS[one])]))]
    return columns[0] if len(columns) == 1 and found == [labels.selections[columns[0]]] else None


def _runs(inside: np.ndarray) -> int:
    return int(np.sum(np.diff(np.concatenate([[0], inside.astype(np.int8)])) == 1))


# Batches


def collate(windows: Sequence[Window]) -> Arrays:
    """The inputs of a batch, padded. A batch of questions without tokens is one token long: convolutions need one."""
    columns = max(len(window.columns) for window in windows)
    tokens = max(1, *(len(window.question) for window in windows))

    def padded(rows: np.ndarray) -> np.ndarray:
        return np.pad(rows, [(0, tokens - len(rows))] + [(0, 0)] * (rows.ndim - 1))

    matches = np.zeros((len(windows), tokens, columns, FEATURE_COUNT), np.float32)
    for row, shared in zip(matches, [window.matches for window in windows]):
        row[: shared.shape[0], : shared.shape[1]] = shared
    return {
        **pad_features([window.arrays for window in windows]),
        "matches": matches,
        "columns": pad([window.columns for window in windows]),
        "cues": np.stack([padded(window.cues) for window in windows]),
        "question": np.stack([padded(np.ones(len(window.question), np.int32)) for window in windows]),
    }


def collate_labelled(
    windows: Sequence[Window],
    generator: np.random.Generator,
    head: str,
    encoder: Encoder,
    hidden_tokens: float,
    hidden_matches: float,
) -> Arrays:
    """Inputs and labels of a batch for a head, padded. Some tokens are hidden, so that a network learns to go by what
    is known of them: how they match columns, and cues.

    hidden_tokens: share of all tokens. hidden_matches: share of the questions in which every token that matches a
    column or stands in a cue is hidden.
    """
    inputs = collate(windows)
    is_known = (inputs["cues"] == 1).any(-1) | (inputs["matches"][..., KNOWN] > 0).any((2, 3))
    delexicalised = generator.random(len(windows)) < hidden_matches
    labels = [window.labels for window in windows]
    for index in np.flatnonzero(delexicalised):
        labels[index], kinds = opposite(labels[index], windows[index].cues[:, : len(KINDS)] == 1, generator)
        by_kind = inputs["cues"][index].reshape(-1, CUE_COUNT // len(KINDS), len(KINDS))
        inputs["cues"][index] = by_kind[..., kinds].reshape(-1, CUE_COUNT)
    hidden = generator.random(inputs["token_ids"].shape) < hidden_tokens
    hidden[:, 1 : 1 + is_known.shape[1]] |= is_known & delexicalised[:, None]
    hidden &= inputs["token_ids"] > 0
    for name, unknown in encoder.unknown_ids.items():
        inputs[name] = np.where(hidden, np.int32(unknown), inputs[name])
    return {**inputs, **_label_arrays(labels, [len(window.question) for window in windows], head)}


def _label_arrays(labels: Sequence[Labels], tokens: Sequence[int], head: str) -> Arrays:
    selections = pad([np.array(one.selections, np.int32) for one in labels])
    arrays = {"selections": selections}
    arrays |= {name: np.array([getattr(one, name) for one in labels], np.int32) for name in WHOLE}
    if head == "span_column":
        return {**arrays, "marks": pad([np.array(one.marks, np.int32).reshape(-1, 4) for one in labels], -1)}
    tagged = [tags_of(one, count, selections.shape[1], Counter()) for one, count in zip(labels, tokens)]
    tags, beside = zip(*tagged)
    return {**arrays, "tags": pad(tags), "tag_columns": pad(beside)}
