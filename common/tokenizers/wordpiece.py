"""WordPiece with character offsets: the ids of bert4keras' `Tokenizer`, and exact positions in the original text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers

from common.tokenizers.character_table import CharacterTable
from common.tokenizers.normalization import Normalizer, has_surrogate

PAD, UNKNOWN, START, END, MASK = "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"
LONGEST_WORD = 200  # a longer word is one [UNK], as in bert4keras (`word_maxlen`)
_LARGEST_FILE = 100_000_000  # bytes; the vocabulary of LaBSE, with half a million tokens, has 5 million


@dataclass(frozen=True, eq=False, slots=True)
class Encoding:
    """Tokens of one text.

    ids: int32 (n,); of a window uint16, where no token of the vocabulary has a greater one.
    offsets: int32 (n, 2); of a window int16, where the text is short enough. The half-open character range of each
        token in the original text. Starts and ends never decrease. Special tokens have an empty range: [CLS] (0, 0),
        [SEP] (e, e) with e the end of the last token. Several tokens may share one character (the jamo of a Hangul
        syllable).
    """

    ids: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, tokens: slice | np.ndarray) -> "Encoding":
        """Only these tokens (a slice, or indices in increasing order), with the same offsets."""
        return Encoding(self.ids[tokens], self.offsets[tokens])

    def token_span(self, start: int, end: int) -> tuple[int, int] | None:
        """First and last token (inclusive) that together cover exactly the characters [start, end).

        None when no token starts at `start` or none ends at `end`: a boundary inside a token or at a blank, an empty
        range, or a range cut off by truncation. Special tokens never match. Look-ups in two dictionaries, which are
        kept for the encodings that were asked last.
        """
        first_at, last_at = _edges(self)
        first, last = first_at.get(start), last_at.get(end)
        if first is None or last is None or first > last or start >= end:
            return None
        return first, last

    def char_span(self, first: int, last: int) -> tuple[int, int]:
        """Characters [start, end) covered by the tokens first..last (inclusive).

        ValueError when the tokens do not exist, stand in the wrong order, or one of the two is special.
        """
        if not 0 <= first <= last < len(self.offsets):
            raise ValueError(f"tokens {first}..{last} are no span of an encoding with {len(self.offsets)} tokens")
        start, first_end = self.offsets[first].tolist()
        last_start, end = self.offsets[last].tolist()
        if start == first_end or last_start == end:
            raise ValueError(f"tokens {first}..{last} begin or end with a special token, which covers no character")
        return start, end


@lru_cache(maxsize=64)  # labels are found text by text; kept with each encoding, these were most of a training set
def _edges(encoding: Encoding) -> tuple[dict[int, int], dict[int, int]]:
    """Start -> the first token there, and end -> the last one."""
    tokens = np.flatnonzero(encoding.offsets[:, 0] < encoding.offsets[:, 1])
    starts, ends = encoding.offsets[tokens].T.tolist()
    tokens = tokens.tolist()
    # Of tokens that start together the first one counts, and a dict keeps what comes last.
    return dict(zip(starts[::-1], tokens[::-1])), dict(zip(ends, tokens))


def offset_kind(offsets: np.ndarray) -> type:
    """The integers in which a window holds offsets like these. With a sign, since places before them are reckoned."""
    return np.int16 if not len(offsets) or offsets[-1, 1] < 2**15 else np.int32


class WordPieceTokenizer:
    """WordPiece over a BERT vocabulary: the ids of `bert4keras.tokenizers.Tokenizer(..., do_lower_case=lowercase)`.

    Special tokens written in a text, such as "[SEP]" or "[unused1]", are ordinary text: brackets are punctuation.

    vocabulary: one token per id, the later id where a token stands twice, as in Google's BERT (ERNIE has "$" twice);
        ValueError on a token no line of a file can hold, or a missing [PAD], [UNK], [CLS] or [SEP].
    lowercase: True for uncased models (every common Chinese checkpoint).
    strip_accents: whether letters lose their accents; None: as `lowercase`, the only way of bert4keras.
    tokenize_chinese_chars: whether each CJK ideograph is a word; False for a vocabulary whose words hold several.

    Attributes: `vocabulary` (list), `ids` (token -> id), `pad_id`, `unknown_id`, `start_id` ([CLS]), `end_id` ([SEP]),
    `mask_id` (None without [MASK]), `lowercase`, `strip_accents` (a bool), `tokenize_chinese_chars`, `id_kind` (the
    integers in which windows hold ids).
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        lowercase: bool = True,
        strip_accents: bool | None = None,
        tokenize_chinese_chars: bool = True,
    ):
        self.vocabulary = list(vocabulary)
        for index, problem in _problems(self.vocabulary):
            raise ValueError(f"vocabulary: {problem}" if index is None else f"vocabulary[{index}]: {problem}")
        normalizer = Normalizer(lowercase, strip_accents, tokenize_chinese_chars)
        self.lowercase, self.strip_accents = lowercase, normalizer.strip_accents
        self.tokenize_chinese_chars = tokenize_chinese_chars
        self.ids = {token: index for index, token in enumerate(self.vocabulary)}
        self.pad_id, self.unknown_id = self.ids[PAD], self.ids[UNKNOWN]
        self.start_id, self.end_id = self.ids[START], self.ids[END]
        self.mask_id = self.ids.get(MASK)
        self.id_kind = np.uint16 if len(self.vocabulary) <= 2**16 else np.int32
        self._by_library = _WordPieceByLibrary(self.ids, normalizer)
        self._table = CharacterTable(normalizer, self._by_library.tokenize, self.ids, self.unknown_id)

    @classmethod
    def from_file(
        cls,
        path: str | PathLike,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        tokenize_chinese_chars: bool = True,
    ) -> "WordPieceTokenizer":
        """Read a `vocab.txt`: UTF-8, one token per line (the first column where there are several). The file says
        nothing of the switches.

        ValueError names file and line. Blank lines at the end are ignored; one inside counts as a token, since ids
        are line numbers.
        """
        try:
            with Path(path).open("rb") as file:
                content = file.read(_LARGEST_FILE + 1)
        except OSError as error:
            raise ValueError(f"{path}: cannot read this vocabulary: {error.strerror or error}") from error
        if len(content) > _LARGEST_FILE:
            raise ValueError(f"{path}: has more than {_LARGEST_FILE:,} bytes, so this is no vocab.txt")
        tokens = []
        for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
            try:
                tokens.append(_token_of_line(line.decode("utf-8").removesuffix("\r")))
            except UnicodeDecodeError as error:
                raise ValueError(f"{path}:{number}: not UTF-8, so this is no vocab.txt") from error
        while tokens and not tokens[-1]:
            tokens.pop()
        for index, problem in _problems(tokens):
            raise ValueError(f"{path}: {problem}" if index is None else f"{path}:{index + 1}: {problem}")
        return cls(tokens, lowercase, strip_accents, tokenize_chinese_chars)

    def save(self, path: str | PathLike) -> None:
        """Write the vocabulary as `vocab.txt`, one token per line; `from_file` gives the same back when told the same
        switches."""
        Path(path).write_bytes("".join(token + "\n" for token in self.vocabulary).encode("utf-8"))

    def __len__(self) -> int:
        return len(self.vocabulary)

    def tokenize(self, text: str) -> Encoding:
        """Tokens of the text, without special tokens; any string will do, empty ones and lone surrogates included."""
        return Encoding(*self._table.tokenize(text))

    def tokenize_by_library(self, text: str) -> Encoding:
        """The same, with each word of the text read by the `tokenizers` library: what `tokenize` does for words that it
        has not seen, and a reference for it."""
        return Encoding(*self._by_library.tokenize(text))

    def encode(self, text: str, max_length: int | None = None) -> Encoding:
        """[CLS] tokens [SEP], dropping the text's last tokens where that would be longer than `max_length`.

        ValueError when max_length < 2.
        """
        if max_length is not None and max_length < 2:
            raise ValueError(f"max_length is {max_length}, but [CLS] and [SEP] alone take 2")
        tokens = self.tokenize(text)
        count = len(tokens) if max_length is None else min(len(tokens), max_length - 2)
        ids = np.empty(count + 2, self.id_kind)
        ids[0], ids[1:-1], ids[-1] = self.start_id, tokens.ids[:count], self.end_id
        offsets = np.zeros((count + 2, 2), offset_kind(tokens.offsets))
        offsets[1:-1] = tokens.offsets[:count]
        offsets[-1] = offsets[-2, 1]
        return Encoding(ids, offsets)


class _WordPieceByLibrary:
    """Text normalised here, and its words cut into tokens by the `tokenizers` library.

    ids: token -> id, with [UNK]. Instances may be shared between threads.
    """

    def __init__(self, ids: dict[str, int], normalizer: Normalizer):
        self.normalizer = normalizer
        self._surrogates = dict.fromkeys(range(0xD800, 0xE000), _unused_character(ids))
        model = models.WordPiece(vocab=ids, unk_token=UNKNOWN, max_input_chars_per_word=LONGEST_WORD)
        self._library = Tokenizer(model)
        self._library.pre_tokenizer = pre_tokenizers.CharDelimiterSplit(" ")

    def tokenize(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        """ids int32 (n,) and offsets int32 (n, 2), as in `Encoding`."""
        normalized = self.normalizer.normalize(text)
        words = normalized.text
        if has_surrogate(words):
            # The library takes no lone surrogates. No vocabulary knows them, so any unknown character stands in.
            words = words.translate(self._surrogates)
        encoding = self._library.encode(words, add_special_tokens=False)
        ranges = np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2)
        offsets = np.stack([normalized.starts[ranges[:, 0]], normalized.ends[ranges[:, 1] - 1]], axis=1)
        return np.array(encoding.ids, dtype=np.int32), offsets


def _token_of_line(line: str) -> str:
    # A line of white space alone (U+2028, say) stays a token, so that ids remain line numbers.
    columns = line.split()
    return columns[0] if columns else line


def _problems(vocabulary: Sequence[str]) -> Iterator[tuple[int | None, str]]:
    """(index or None, sentence) for everything wrong with a vocabulary."""
    for index, token in enumerate(vocabulary):
        if "\n" in token or token.endswith("\r") or _token_of_line(token) != token:
            yield index, f"the token {token!r} contains white space"
        if has_surrogate(token):
            yield index, f"the token {token!r} contains a lone surrogate"
    if vocabulary and not vocabulary[-1]:
        yield len(vocabulary) - 1, "the last token is empty"
    for token in (PAD, UNKNOWN, START, END):
        if token not in vocabulary:
            yield None, f"no token {token} among {len(vocabulary)}; is this a BERT vocabulary, one token per line?"


def _unused_character(vocabulary: Iterable[str]) -> str:
    used = set().union(*vocabulary)
    return next(character for character in map(chr, range(0x10FFFF, 0, -1)) if character not in used)
