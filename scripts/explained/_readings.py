"""What the modules of the contests share: a network's reading of an example, outputs of it, and their attributions over
the characters of the texts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from common.analysis.integrated_gradients import Rule, integrated_gradients
from common.encoders import Encoder
from common.generators import Arrays
from common.tokenizers import Encoding

#: Which text, from 0, and which of its characters [start, end).
Piece = tuple[int, int, int]


class Explanation(NamedTuple):
    """output: what was explained. texts: float64 (characters,) for each text of the example. elsewhere: what belongs to
    no character. value, baseline: f of the example and of the baseline. error: by how much of value - baseline the
    attributions miss it; 0 where there was nothing to explain."""

    output: str
    texts: list[np.ndarray]
    elsewhere: float
    value: float
    baseline: float
    error: float


@dataclass(eq=False)
class Reading:
    """One row of inputs of a network. pieces: what each token stands for, None for what is in no text. pieces_of: the
    same for embeddings, by kind, of what are no tokens. scaled: which tokens are explained; None: all. numbering_rows:
    see `integrated_gradients`."""

    network: Any
    inputs: Arrays
    encoder: Encoder
    pieces: list[Piece | None]
    pieces_of: dict[str, list[Piece | None]] = field(default_factory=dict)
    scaled: np.ndarray | None = None
    numbering_rows: tuple[str, ...] = ()

    def masked(self) -> Arrays:
        """Inputs that say nothing in place of each token that stands for characters."""
        says = np.array([piece is not None for piece in self.pieces])
        return {
            name: np.where(says & (self.inputs[name] > 0), np.int32(unknown), self.inputs[name])
            for name, unknown in self.encoder.unknown_ids.items()
        }


class Part(NamedTuple):
    """An output: `of(outputs of the network)` is one number for each copy of the reading, float32 (copies,)."""

    name: str
    reading: Reading
    of: Callable[[Any], Any]


def row(arrays: Arrays) -> Arrays:
    """Features of one window as a batch, integers int32 and all else as it is."""
    return {
        name: np.asarray(values)[None].astype(np.int32 if values.dtype.kind in "iu" else values.dtype)
        for name, values in arrays.items()
    }


def pieces_of_text(encoding: Encoding, text: int = 0) -> list[Piece | None]:
    """Of the tokens of one text."""
    return [(text, start, end) if end > start else None for start, end in encoding.offsets.tolist()]


def pieces_of_pair(pair: Any, asked: Encoding, question: int | None, context: int) -> list[Piece | None]:
    """Of the tokens of a `PairWindow`. asked: the tokens of the question, without special ones. question, context: numbers
    of the texts; None for what is none."""
    found = pieces_of_text(pair.encoding, context)
    for place, (start, end) in enumerate(asked.offsets[: pair.asked].tolist(), start=1):
        found[place] = None if question is None or end <= start else (question, start, end)
    return found


def explained(parts: Sequence[Part], lengths: Sequence[int], steps: int, rule: Rule, masked: bool) -> Explanation:
    """The sum of some outputs. lengths: of the texts. masked: the baseline is `Reading.masked`, and not zeros."""
    texts, elsewhere = [np.zeros(length) for length in lengths], 0.0
    value, baseline, total = 0.0, 0.0, 0.0
    for reading in dict.fromkeys(part.reading for part in parts):
        of = [part.of for part in parts if part.reading is reading]
        found = integrated_gradients(
            reading.network,
            reading.inputs,
            lambda outputs, of=of: sum(one(outputs) for one in of),
            steps,
            rule,
            reading.masked() if masked else None,
            reading.scaled,
            [name for name in ("coverage",) if name in reading.inputs],
            reading.numbering_rows,
        )
        others = {kind: found.by_kind[kind][0] for kind in reading.pieces_of}
        tokens = found.tokens(without=tuple(others))[0]
        for pieces, values in [(reading.pieces, tokens), *((reading.pieces_of[kind], others[kind]) for kind in others)]:
            elsewhere += _spread(values, pieces, texts)
        value, baseline = value + float(found.value[0]), baseline + float(found.baseline[0])
        total += float(found.total[0])
    change = value - baseline
    error = abs(total - change) / abs(change) if change else 0.0
    return Explanation(", ".join(part.name for part in parts), texts, elsewhere, value, baseline, error)


def _spread(values: np.ndarray, pieces: Sequence[Piece | None], texts: list[np.ndarray]) -> float:
    """Adds the values of tokens to their characters, and returns what is left over."""
    left = 0.0
    for value, piece in zip(values.tolist(), pieces, strict=True):
        if piece is None:
            left += value
        else:
            text, start, end = piece
            texts[text][start:end] += value / (end - start)
    return left
