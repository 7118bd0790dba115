"""Long texts as overlapping windows, so that no model length ever costs an answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from common.tokenizers.wordpiece import Encoding, WordPieceTokenizer, offset_kind


def windows(tokenizer: WordPieceTokenizer, encoding: Encoding, max_length: int, overlap: int = 64) -> list[Encoding]:
    """[CLS] part [SEP] for consecutive parts of an encoding without special tokens, each at most `max_length` long.

    Neighbouring parts share `overlap` tokens (at most half a window), so what is shorter than that lies whole in one of
    them. A text that fits, an empty one too, is one window. Offsets stay those of the whole text. ValueError for
    max_length < 3.
    """
    start, end = [tokenizer.start_id], [tokenizer.end_id]
    room = _room(max_length, 2)
    step = room - min(overlap, room // 2)
    kind = tokenizer.id_kind
    return [_between(start, encoding, first, first + room, end, kind) for first in _starts(len(encoding), room, step)]


@dataclass(frozen=True, slots=True)
class PairWindow:
    """[CLS] question [SEP] part [SEP]. The part begins with token `first` of the context, and the question has `asked`
    tokens.

    Offsets are those of the context; the tokens of the question have empty ranges like special ones, so that no span
    begins or ends there.
    """

    encoding: Encoding
    asked: int
    first: int

    def __len__(self) -> int:
        return len(self.encoding)

    @property
    def context_places(self) -> range:
        """The places of the tokens of the context."""
        return range(self.asked + 2, len(self) - 1)

    @property
    def segment_ids(self) -> np.ndarray:
        """0 up to the first [SEP], then 1; uint8 (length,)."""
        ids = np.ones(len(self), np.uint8)
        ids[: self.asked + 2] = 0
        return ids

    @property
    def is_context(self) -> np.ndarray:
        """Which tokens are of the context, bool (length,)."""
        places = self.context_places
        inside = np.zeros(len(self), bool)
        inside[places.start : places.stop] = True
        return inside

    def lay_out(self, question: np.ndarray, context: np.ndarray) -> np.ndarray:
        """Values of all tokens of the question (m, ...) and of the whole context (n, ...) at their places in the
        window, zeros at special tokens."""
        values = np.zeros((len(self), *context.shape[1:]), context.dtype)
        places = self.context_places
        values[1 : self.asked + 1] = question[: self.asked]
        values[places.start : places.stop] = context[self.first : self.first + len(places)]
        return values

    def crop(
        self, first: int, last: int, length: int, generator: np.random.Generator
    ) -> tuple["PairWindow", np.ndarray]:
        """The window with only a piece of its context, drawn from those that hold its tokens `first` to `last`
        (inclusive): of `length` tokens, or of as many as these, or the whole context if it has no more. And the places
        of the tokens that are left, int (their number,)."""
        begin, end = self.context_places.start, self.context_places.stop
        size = max(length, last + 1 - first)
        if end - begin <= size:
            return self, np.arange(len(self))
        start = int(generator.integers(max(begin, last + 1 - size), min(first, end - size) + 1))
        kept = np.r_[0:begin, start : start + size, end]
        return PairWindow(self.encoding.take(kept), self.asked, self.first + start - begin), kept


def pair_windows(
    tokenizer: WordPieceTokenizer, question: Encoding, context: Encoding, max_length: int, stride: int | None = None
) -> list[PairWindow]:
    """The question with consecutive parts of the context, each window at most `max_length` long.

    Both encodings are without special tokens. A question that would fill more than half of a window loses its last
    tokens. A part begins `stride` tokens after the one before it, or follows it directly where that would leave a gap:
    no token of the context is out of reach. Without a stride a quarter of each part is seen again in the next one.
    ValueError for max_length < 4.
    """
    asked = min(len(question), max(0, max_length - 3) // 2)
    head = [tokenizer.start_id, *question.ids[:asked].tolist(), tokenizer.end_id]
    room = _room(max_length, len(head) + 1)
    step = 3 * room // 4 if stride is None else stride
    starts = _starts(len(context), room, min(max(step, 1), room))
    tail, kind = [tokenizer.end_id], tokenizer.id_kind
    return [PairWindow(_between(head, context, first, first + room, tail, kind), asked, first) for first in starts]


def _room(max_length: int, taken: int) -> int:
    if max_length <= taken:
        raise ValueError(f"a window of {max_length} tokens has no room for text beside the {taken} that come with it")
    return max_length - taken


def _starts(length: int, room: int, step: int) -> list[int]:
    starts = [0]
    while starts[-1] + room < length:
        starts.append(starts[-1] + step)
    return starts


def _between(
    head: Sequence[int], encoding: Encoding, first: int, end: int, tail: Sequence[int], kind: type
) -> Encoding:
    inside = encoding.offsets[first:end]
    begin, stop = len(head), len(head) + len(inside)
    ids = np.empty(stop + len(tail), kind)
    offsets = np.zeros((stop + len(tail), 2), offset_kind(inside))
    ids[:begin], ids[begin:stop], ids[stop:] = head, encoding.ids[first:end], tail
    offsets[begin:stop] = inside
    if len(inside):
        offsets[:begin], offsets[stop:] = inside[0, 0], inside[-1, 1]
    return Encoding(ids, offsets)
