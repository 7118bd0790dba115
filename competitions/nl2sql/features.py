"""What a network sees of a question and its table, and of gold: arrays, and batches of them.

    [CLS] question [SEP] [CLS] name and cells of column 1 [SEP] [CLS] name and cells of column 2 [SEP] ...

is one sequence for an encoder; what the question shares with each column (matching.py) and its cues
(cues.py) go with it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from common.encoders import Encoder
from common.generators import Arrays, pad, pad_features
from common.tokenizers import Encoding, WordPieceTokenizer

from augmentation import opposite
from cues import CUE_COUNT, KINDS, cues
from labels import NOT_SELECTED, Labels, align, count_class, tags_of
from matching import KNOWN, match, of_tokens
from task import Example
from values import columns_of

QUESTION_CUT = "question whose end is not read"
COLUMN_CUT = "column that is not read, since there are so many"


@dataclass(frozen=True)
class Features:
    """A question with the columns of its table.

    question: its tokens that are read. arrays: the inputs of the encoder, (length,); `matches` float32 (tokens of the
    question, columns, FEATURE_COUNT); `columns` int32 (columns, 3): where the name begins and ends in the sequence, the
    marker included, and 1 for text, 2 for real; 0 for a column that is not read.
    """

    example: Example
    question: Encoding
    arrays: Arrays

    def __len__(self) -> int:
        return len(self.arrays["token_ids"])


@dataclass(frozen=True)
class LabelledFeatures(Features):
    """A question with its labels; those of columns that are not read are left out."""

    labels: Labels


def features(example: Example, encoder: Encoder, cells: int, lost: Counter[str] | None = None) -> Features:
    """The features of a question, labelled or not. A sequence is at most as long as the encoder reads, and half of it
    is the question's at most.

    cells: how many cells of each column are shown, those first that are most like the question. `lost` counts what is
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
    if lost is not None:
        lost[QUESTION_CUT] += len(question) < len(tokens[0])
        lost[COLUMN_CUT] += len(columns) - len(lengths)

    sequence = _Sequence(encoder.tokenizer)
    sequence.add(question)
    layout = np.zeros((len(columns), 3), np.int32)
    for index, length in enumerate(lengths):
        begin = sequence.add(tokens[index + 1].take(slice(length)))
        layout[index] = begin, begin + 1 + min(length, names[index]), 2 if columns[index].is_real else 1
    (arrays,) = encoder.features("\n".join(pieces), [sequence.encoding()])
    matches = of_tokens(match(example.question, columns), question)
    return Features(
        example,
        question,
        {**arrays, "matches": matches, "cues": of_tokens(cues(example.question), question), "columns": layout},
    )


def labelled(examples: Sequence[Example], encoder: Encoder, cells: int) -> tuple[list[LabelledFeatures], Counter[str]]:
    """The features of labelled questions, and what of their queries has no label, counted by reason."""
    lost: Counter[str] = Counter()
    rows = []
    for example in examples:
        row = features(example, encoder, cells, lost)
        labels = align(example.query, example.question, row.question, columns_of(example.table), lost)
        is_read = row.arrays["columns"][:, 2] > 0
        labels = replace(labels, marks=tuple(mark for mark in labels.marks if is_read[mark.column]))
        rows.append(LabelledFeatures(row.example, row.question, row.arrays, labels))
    return rows, +lost


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


class _Sequence:
    """[CLS] part [SEP], one after the other."""

    def __init__(self, tokenizer: WordPieceTokenizer):
        self.tokenizer = tokenizer
        self.ids: list[np.ndarray] = []
        self.offsets: list[np.ndarray] = []
        self.length = 0

    def add(self, part: Encoding) -> int:
        """The place of its [CLS]."""
        begin = self.length
        edges = (part.offsets[0, 0], part.offsets[-1, 1]) if len(part) else (0, 0)
        self.ids.append(np.concatenate([[self.tokenizer.start_id], part.ids, [self.tokenizer.end_id]]))
        self.offsets.append(np.concatenate([[[edges[0]] * 2], part.offsets, [[edges[1]] * 2]]))
        self.length += len(part) + 2
        return begin

    def encoding(self) -> Encoding:
        return Encoding(np.concatenate(self.ids).astype(np.int32), np.concatenate(self.offsets).astype(np.int32))


def collate(rows: Sequence[Features]) -> Arrays:
    """The inputs of a batch, padded."""
    special = ("matches", "cues", "columns")
    inputs = pad_features(
        [{name: values for name, values in row.arrays.items() if name not in special} for row in rows]
    )
    columns = max(len(row.arrays["columns"]) for row in rows)
    wide = [np.pad(row.arrays["matches"], ((0, 0), (0, columns - len(row.arrays["columns"])), (0, 0))) for row in rows]
    return {
        **inputs,
        "matches": pad(wide),
        "columns": pad([row.arrays["columns"] for row in rows]),
        "cues": pad([row.arrays["cues"] for row in rows]),
        "question": pad([np.ones(len(row.question), np.int32) for row in rows]),
    }


@dataclass(frozen=True)
class Hiding:
    """Which tokens a network may not read in training, so that it learns to go by what is known of them: how they match
    columns, and cues.

    tokens: share of all tokens. known: share of the questions in which every token that matches a column or stands in a
    cue is hidden.
    """

    tokens: float
    known: float


def collate_labelled(
    rows: Sequence[LabelledFeatures], head: str, encoder: Encoder, hiding: Hiding, generator: np.random.Generator
) -> Arrays:
    """Inputs and labels of a batch, padded."""
    inputs = collate(rows)
    is_known = (inputs["cues"] == 1).any(-1) | (inputs["matches"][..., KNOWN] > 0).any((2, 3))
    delexicalised = generator.random(len(rows)) < hiding.known
    labels = [row.labels for row in rows]
    for index in np.flatnonzero(delexicalised):
        said = rows[index].arrays["cues"][:, : len(KINDS)] == 1
        labels[index], kinds = opposite(labels[index], said, generator)
        cues = inputs["cues"][index].reshape(-1, CUE_COUNT // len(KINDS), len(KINDS))
        inputs["cues"][index] = cues[..., kinds].reshape(-1, CUE_COUNT)
    hidden = generator.random(inputs["token_ids"].shape) < hiding.tokens
    hidden[:, 1 : 1 + is_known.shape[1]] |= is_known & delexicalised[:, None]
    hidden &= inputs["token_ids"] > 0
    for name, unknown in encoder.unknown_ids.items():
        inputs[name] = np.where(hidden, np.int32(unknown), inputs[name])
    return {**inputs, **_label_arrays(labels, [len(row.question) for row in rows], head)}


def _label_arrays(labels: Sequence[Labels], tokens: Sequence[int], head: str) -> Arrays:
    selections = pad([np.array(one.selections, np.int32) for one in labels])
    arrays = {
        "selections": selections,
        "connection": np.array([one.connection for one in labels], np.int32),
        "selected_count": np.array(
            [count_class(sum(selection != NOT_SELECTED for selection in one.selections)) for one in labels], np.int32
        ),
        "condition_count": np.array([count_class(one.conditions) for one in labels], np.int32),
    }
    if head == "span_column":
        return {**arrays, "marks": pad([np.array(one.marks, np.int32).reshape(-1, 4) for one in labels], -1)}
    tags, beside = zip(*(tags_of(one, count, selections.shape[1]) for one, count in zip(labels, tokens)))
    return {**arrays, "tags": pad(tags), "tag_columns": pad(beside)}
