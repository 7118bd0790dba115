"""The tokens of all texts as one stream on disk, and rows of any length out of it.

Texts are tokenized once, however often they are read, and nothing but the rows of a batch is held in memory. Rows are
packed: texts follow each other, each with [SEP] behind it, and are cut where a row is full, so no place is padding.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError
from common.encoders import Encoder
from common.generators import Arrays
from common.submission import atomic_write
from common.tokenizers.segmentation import segmented
from common.tokenizers.words import token_words

_ABOUT = "corpus.json"
_EVERY = 100  # one of so many texts is for dev
_MOST_DEV = 200_000  # tokens of dev
#: What tells where words begin; 0 for special tokens: see `token_words`.
WORD_POSITIONS = "word_positions"


class Corpus:
    """A stream of tokens in a folder: for each input of an encoder, and `word_positions`, an array (tokens,)."""

    def __init__(self, folder: Path, part: str):
        """part: "train" or "dev". Raises UserError when it is not what `write_corpus` has written."""
        try:
            about = json.loads((folder / _ABOUT).read_text("utf-8"))
            self.texts, self.tokens, self.special = about["texts"][part], about["tokens"][part], about["special"]
            self.arrays = {
                name: np.memmap(_file(folder, part, name), np.dtype(kind), "r", shape=(self.tokens,))
                for name, kind in about["kinds"].items()
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(f"{folder}: its tokens cannot be read ({error}) - start a new run") from None

    def read(self, starts: np.ndarray, length: int) -> Arrays:
        """The rows that begin at these tokens, each array (rows, length): [CLS], what the stream has, [SEP]."""
        places = starts[:, None] + np.arange(length - 2)
        start, end = self.special
        rows = {name: np.pad(values[places].astype(np.int32), ((0, 0), (1, 1))) for name, values in self.arrays.items()}
        rows["token_ids"][:, 0], rows["token_ids"][:, -1] = start, end
        return rows


def write_corpus(folder: Path, texts: Iterable[str], encoder: Encoder) -> None:
    """Tokenize texts into a folder that there is. Every hundredth one is for dev, up to 200,000 tokens."""
    kinds: dict[str, str] = {}
    tokens, counts = {"train": 0, "dev": 0}, {"train": 0, "dev": 0}
    end = encoder.tokenizer.end_id
    files: dict[tuple[str, str], Any] = {}
    try:
        for number, (text, _) in enumerate(segmented(texts), 1):  # their words are remembered, and found again below
            part = "dev" if number % _EVERY == 0 and tokens["dev"] < _MOST_DEV else "train"
            arrays = _arrays(text, encoder)
            for name, values in arrays.items():
                kinds.setdefault(name, values.dtype.str)
                if (part, name) not in files:
                    files[part, name] = _file(folder, part, name).open("wb")
                separator = np.array([end if name == "token_ids" else 0])
                files[part, name].write(np.append(values, separator).astype(kinds[name]).tobytes())
            tokens[part] += len(arrays["token_ids"]) + 1
            counts[part] += 1
    finally:
        for file in files.values():
            file.close()
    about = {"texts": counts, "tokens": tokens, "kinds": kinds, "special": [encoder.tokenizer.start_id, end]}
    atomic_write(folder / _ABOUT, json.dumps(about, indent=1) + "\n")


def _arrays(text: str, encoder: Encoder) -> Arrays:
    """Of the tokens of a text, without special ones: the inputs of the encoder but segments, which are all 0, and
    places in words."""
    tokens = encoder.tokenizer.tokenize(text)
    [arrays] = encoder.features(text, [tokens])
    arrays.pop("segment_ids", None)
    return arrays | {WORD_POSITIONS: token_words(text, tokens).positions.astype(np.uint8)}


def _file(folder: Path, part: str, name: str) -> Path:
    return folder / f"{part}.{name}.bin"
