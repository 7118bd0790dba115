"""Long texts as overlapping windows, so that no model length ever costs an answer."""

import numpy as np

from common.tokenizers.wordpiece import Encoding, WordPieceTokenizer


def windows(tokenizer: WordPieceTokenizer, encoding: Encoding, max_length: int, overlap: int = 64) -> list[Encoding]:
    """[CLS] part [SEP] for consecutive parts of an encoding without special tokens, each at most `max_length` long.

    Neighbouring parts share `overlap` tokens (at most half a window), so what is shorter than that lies whole in one of
    them. A text that fits, an empty one too, is one window. Offsets stay those of the whole text. ValueError for max_length < 3.
    """
    room = max_length - 2
    if room < 1:
        raise ValueError(f"a window of {max_length} tokens has no room for text between [CLS] and [SEP]")
    step = room - min(overlap, room // 2)
    starts = [0]
    while starts[-1] + room < len(encoding):
        starts.append(starts[-1] + step)
    return [_with_special_tokens(tokenizer, encoding, start, start + room) for start in starts]


def _with_special_tokens(tokenizer: WordPieceTokenizer, encoding: Encoding, first: int, end: int) -> Encoding:
    ids, offsets = encoding.ids[first:end], encoding.offsets[first:end]
    begin, finish = (offsets[0, 0], offsets[-1, 1]) if len(offsets) else (0, 0)
    return Encoding(
        np.concatenate([[tokenizer.start_id], ids, [tokenizer.end_id]]).astype(np.int32),
        np.concatenate([[(begin, begin)], offsets, [(finish, finish)]]).astype(np.int32),
    )
