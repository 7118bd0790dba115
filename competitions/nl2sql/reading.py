"""From a trained network to a query for every question: batched scoring, then decoding."""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import expit as sigmoid
from scipy.special import softmax

from common.encoders import Encoder
from common.generators import prediction_order
from common.keras_compat import tf
from common.prediction import one_trace

from decoding import Decoder, Found, Scores
from features import Features, collate, features
from labels import tagged_spans
from model import Networks
from task import OPERATORS, Example, Query

# Least probability of an edge or a column, and largest number of the values, and of the conditions, that are looked at.
_LEAST, _MOST = 0.02, 20
_LONGEST = 40  # tokens of a value


class Reader:
    """Answers questions, whatever their order and number and their tables. tries: queries that may be tried for a
    question, see `Decoder`."""

    def __init__(self, networks: Networks, encoder: Encoder, cells: int, batch_size: int = 64, tries: int = 100):
        self.encoder, self.cells, self.batch_size = encoder, cells, batch_size
        self._read = one_trace(networks.reading)
        self._decoder = Decoder(tries)

    def read(self, examples: Sequence[Example]) -> list[Query]:
        """The query for every question, in order."""
        rows = [features(example, self.encoder, self.cells) for example in examples]
        return self.decode(rows, self.score(rows))

    def score(self, rows: Sequence[Features]) -> list[Scores]:
        """Questions of all tables share batches."""
        scores: list[Scores | None] = [None] * len(rows)
        for batch in prediction_order([len(row) for row in rows], self.batch_size):
            inputs = {name: tf.constant(values) for name, values in collate([rows[index] for index in batch]).items()}
            outputs = {name: values.numpy() for name, values in self._read(inputs).items()}
            for number, index in enumerate(batch):
                scores[index] = _scores(rows[index], {name: values[number] for name, values in outputs.items()})
        return scores

    def decode(self, rows: Sequence[Features], scores: Sequence[Scores]) -> list[Query]:
        return [self._decoder.decode(row.example, row.question, one) for row, one in zip(rows, scores)]


def _scores(row: Features, logits: dict[str, np.ndarray]) -> Scores:
    tokens, columns = len(row.question), len(row.arrays["columns"])
    selections = softmax(logits["selections"][:columns], axis=-1)
    # A column that was not read is as good as not selected.
    selections[row.arrays["columns"][:, 2] == 0] = np.eye(selections.shape[1])[-1]
    value_columns = logits["value_columns"][:tokens, :columns]
    if "edges" in logits:
        found = _pointed(sigmoid(logits["edges"][:tokens]), value_columns)
    else:
        found = _tagged(softmax(logits["tags"][:tokens], axis=-1), value_columns)
    whole = (softmax(logits[name]) for name in ("connection", "selected_count", "condition_count"))
    return Scores(selections, *whole, found)


def _pointed(edges: np.ndarray, value_columns: np.ndarray) -> list[Found]:
    """The best values, of those that overlap in a column the best only.

    edges: probabilities (tokens, OPERATORS, 2). value_columns: logits (tokens, columns).
    """
    strengths: dict[tuple[int, int], np.ndarray] = {}
    for starts, ends in edges.transpose(1, 2, 0):
        for first in np.flatnonzero(starts > _LEAST).tolist():
            for last in (first + np.flatnonzero(ends[first : first + _LONGEST] > _LEAST)).tolist():
                strengths[first, last] = np.sqrt(edges[first, :, 0] * edges[last, :, 1])
    # A network that has not learned anything yet says of every token that it may be one: only the likeliest values meet
    # the columns.
    likeliest = sorted(strengths, key=lambda span: (-strengths[span].max(), span[1] - span[0], span))[:_MOST]
    found = [
        one
        for span in likeliest
        for one in _in_columns(*span, strengths[span], sigmoid(value_columns[span[0]] + value_columns[span[1]]))
    ]
    kept: list[Found] = []
    for one in sorted(found, key=lambda one: -one.probability):
        if not any(
            other.column == one.column and other.first <= one.last and one.first <= other.last for other in kept
        ):
            kept.append(one)
        if len(kept) == _MOST:
            break
    return kept


def _tagged(tags: np.ndarray, value_columns: np.ndarray) -> list[Found]:
    """The tagged values with each of the columns that may be theirs.

    tags: probabilities (tokens, TAG_COUNT). value_columns: logits (tokens, columns).
    """
    # Of both tags of an operator together.
    by_operator = tags[:, 1:].reshape(len(tags), len(OPERATORS), 2).sum(2)
    found = []
    for _, first, last in tagged_spans(tags.argmax(1)):
        inside = slice(first, last + 1)
        found += _in_columns(first, last, by_operator[inside].mean(0), sigmoid(value_columns[inside]).mean(0))
    return sorted(found, key=lambda one: -one.probability)[:_MOST]


def _in_columns(first: int, last: int, operators: np.ndarray, columns: np.ndarray) -> Iterator[Found]:
    """A value in each of the columns that may be its own. operators, columns: probabilities."""
    for column in np.flatnonzero(columns > _LEAST).tolist():
        yield Found(column, first, last, float(min(operators.sum(), 1) * columns[column]), operators / operators.sum())
