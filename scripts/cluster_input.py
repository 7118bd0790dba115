"""Texts that are to be clustered, and, where they have them, labels to compare with. No TensorFlow."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from common.command_line import UserError
from common.submission import field, json_object, read_lines
from common.texts import shape_of

_EMPTY = "empty text"


class Rows(NamedTuple):
    """labels: of each text, None where it has none. left_out: lines without a text, by reason."""

    texts: list[str]
    labels: list[str | None]
    left_out: Counter[str]


def read_rows(file: Path, text_key: str = "text", label_key: str = "label") -> Rows:
    """A text on each line, or a JSON object with one, and perhaps a label: a string or a number. Raises UserError for a
    line that is neither, and where there is no text."""
    texts: list[str] = []
    labels: list[str | None] = []
    left_out: Counter[str] = Counter()
    is_json = None
    for number, line in read_lines(file, left_out):
        is_json = shape_of(file, line) != "text" if is_json is None else is_json
        record = json_object(line, f"{file}:{number}") if is_json else {text_key: line}
        text = " ".join(field(record, text_key, str, f"{file}:{number}").split())
        if not text:
            left_out[_EMPTY] += 1
            continue
        label = record.get(label_key)
        texts.append(text)
        labels.append(None if label is None else str(field(record, label_key, (str, int), f"{file}:{number}")))
    if not texts:
        raise UserError(f'{file}: has no text under "{text_key}" that is not empty - give a file with texts')
    return Rows(texts, labels, left_out)


def scores(labels: Sequence[str | None], clusters: np.ndarray) -> dict[str, float]:
    """How well clusters, int (texts,), fit the labels of those texts that have one: `accuracy` where each cluster says the
    label that most of them have, normalised mutual information (`nmi`) and the adjusted Rand index (`ari`). Nothing
    where no text has a label."""
    has_label = np.array([label is not None for label in labels], bool)
    if not has_label.any():
        return {}
    labels = np.unique([label for label in labels if label is not None], return_inverse=True)[1]
    clusters = clusters[has_label]
    table = np.zeros((clusters.max() + 1, labels.max() + 1), int)
    np.add.at(table, (clusters, labels), 1)
    return {
        "accuracy": float(table.max(1).sum() / len(labels)),
        "nmi": float(normalized_mutual_info_score(labels, clusters)),
        "ari": float(adjusted_rand_score(labels, clusters)),
    }
