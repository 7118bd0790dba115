"""Sentences for learn_trees.py: lines of text as rows of ids, and sentences whose trees are known."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from common.analysis.trees import Brackets, dependency_brackets, read_bracketed
from common.command_line import UserError
from common.submission import field, json_object, read_lines
from common.tokenizers.segmentation import segmented
from common.tokenizers.words import normal_form

PAD, UNKNOWN, START, END = range(4)
SPECIAL = ("[PAD]", "[UNK]", "[START]", "[END]")
Unit = Literal["jieba", "blanks", "characters"]
_LEAST_COUNT = 2  # of a token in the vocabulary
_EVERY, _MOST_DEV = 20, 2000  # one in so many lines is for dev, up to so many
_MARKS = frozenset("。！？；，.!?;,")  # behind which a long line is cut


class Vocabulary:
    """Ids of tokens in normal form, which has no capital letters: the special ones, then `tokens`."""

    def __init__(self, tokens: Sequence[str]):
        self.tokens = [*SPECIAL, *tokens]
        self.ids = {token: number for number, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    @classmethod
    def of(cls, lines: Iterable[Sequence[str]], size: int) -> "Vocabulary":
        """The most frequent tokens that occur twice, `size` with the special ones."""
        counts = Counter(normal_form(token) for line in lines for token in line)
        found = [token for token, count in counts.items() if count >= _LEAST_COUNT]
        return cls(sorted(found, key=lambda token: (-counts[token], token))[: size - len(SPECIAL)])

    def row(self, tokens: Sequence[str]) -> np.ndarray:
        """int32 (tokens + 2,): with the beginning and the end."""
        ids = [self.ids.get(normal_form(token), UNKNOWN) for token in tokens]
        return np.array([START, *ids, END], np.int32)


def lines_of(texts: Iterable[str], unit: Unit) -> Iterator[list[str]]:
    """The tokens of each text that has any."""
    if unit == "jieba":
        lines = ([text[start:end] for start, end in ranges] for text, ranges in segmented(texts))
    elif unit == "blanks":
        lines = (text.split() for text in texts)
    else:
        lines = (list(text) for text in texts)
    tokens = ([token for token in line if not token.isspace()] for line in lines)
    return (line for line in tokens if line)


def pieces(tokens: Sequence[str], room: int) -> Iterator[Sequence[str]]:
    """A line in parts of at most `room` tokens, cut behind the last mark that is in the second half of the room."""
    start = 0
    while len(tokens) - start > room:
        places = range(start + room, start + room // 2, -1)
        end = next((place for place in places if tokens[place - 1] in _MARKS), start + room)
        yield tokens[start:end]
        start = end
    yield tokens[start:]


class Corpus(NamedTuple):
    """Rows of ids to train on and for dev, the tokens of the latter, and how many lines there were."""

    vocabulary: Vocabulary
    train: list[np.ndarray]
    dev: list[np.ndarray]
    dev_tokens: list[Sequence[str]]
    lines: int


def read_corpus(texts: Iterable[str], unit: Unit, vocabulary_size: int, room: int) -> Corpus:
    """texts are gone through twice. One line in 20 is for dev. Raises UserError for less than two lines."""
    vocabulary = Vocabulary.of(lines_of(texts, unit), vocabulary_size)
    train, dev, dev_tokens, lines = [], [], [], 0
    for lines, tokens in enumerate(lines_of(texts, unit), 1):
        parts = list(pieces(tokens, room))
        if lines % _EVERY == min(2, _EVERY - 1) and len(dev) < _MOST_DEV:
            dev_tokens += parts
            dev += map(vocabulary.row, parts)
        else:
            train += map(vocabulary.row, parts)
    if not dev:
        raise UserError(f"--input: has {lines} different lines with words - give two at least, better thousands")
    return Corpus(vocabulary, train, dev, dev_tokens, lines)


class GoldSentence(NamedTuple):
    words: list[str]
    brackets: Brackets


def read_gold(path: Path) -> list[GoldSentence]:
    """JSON lines with `words` and `heads` (from 1, 0 for a root), or a tree in brackets on each line. Raises UserError
    with file and line."""
    return [_gold_of(line, f"{path}:{number}") for number, line in read_lines(path)]


def _gold_of(line: str, where: str) -> GoldSentence:
    try:
        if not line.lstrip().startswith("{"):
            return GoldSentence(*read_bracketed(line))
        record = json_object(line, where)
        words, heads = listed(record, "words", str, where), listed(record, "heads", int, where)
        if len(words) != len(heads):
            raise ValueError(f"{len(words)} words and {len(heads)} heads")
        blank = next((number for number, word in enumerate(words, 1) if not word.strip()), None)
        if blank:
            raise ValueError(f"word {blank} is blank")
        return GoldSentence(words, dependency_brackets(heads))
    except UserError:
        raise
    except ValueError as error:
        raise UserError(f"{where}: {error} - mend or remove this line") from None


def listed(record: dict[str, Any], key: str, kind: type, where: str) -> list[Any]:
    """A list under a key, all of one kind. Raises UserError, which begins with `where`."""
    values = field(record, key, list, where)
    for number, value in enumerate(values):
        field({f"{key}[{number}]": value}, f"{key}[{number}]", kind, where)
    return values


def tokens_of(words: Sequence[str], unit: Unit) -> tuple[list[str], list[int]]:
    """The tokens of a sentence whose words are known, and the place of the first one of each word."""
    if unit != "characters":
        return list(words), list(range(len(words)))
    characters = [[one for one in word if not one.isspace()] for word in words]
    firsts = np.cumsum([0, *map(len, characters)])[:-1].tolist()
    return [one for word in characters for one in word], firsts


def is_punctuation(word: str) -> bool:
    return not any(character.isalnum() for character in word)
