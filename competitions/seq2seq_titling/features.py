"""From examples to arrays: what the network reads and writes, mistakes in what it is told it wrote, and batches. No
TensorFlow.

A title is a list of ids: tokens of the vocabulary, or tokens that only its text has, from the vocabulary's size on.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from common.command_line import UserError
from common.encoders import Encoder
from common.generators import pad, pad_features
from common.tokenizers import Encoding, WordPieceTokenizer

from task import Example

#: Stands in id arrays where there is no token: padding, special tokens, and what cannot be known.
NOTHING = -1
#: Of the bidirectional network, in the order of common.decoders.synchronous.DIRECTIONS.
SIDES = ("forward", "backward")


@dataclass
class WritingOptions:
    model: Literal["copy_lstm", "bidirectional", "unilm"] = "copy_lstm"
    """Network: an encoder and an LSTM that copies; two such LSTMs that write from both ends at once; or one BERT that
    reads and writes (with --pretrained a checkpoint, else a small one, whatever --encoder says)."""
    copy: Literal["none", "prior", "pointer"] = "pointer"
    """Where a title's characters come from: the vocabulary alone; with a preference for those of the text (the
    original's copy prior); or also straight out of the text, place by place."""
    cut_vocabulary: bool = True
    """Of a checkpoint's vocabulary keep only what the training texts use, and letters, digits and marks: fewer weights,
    faster steps."""
    self_terminating: bool = False
    """copy_lstm only: the end of a title gets more probable with each character, so that every title ends."""

    def __post_init__(self):
        if self.self_terminating and self.model != "copy_lstm":
            raise UserError(
                "--self-terminating: only copy_lstm has such a layer - leave it out, or take --model copy_lstm"
            )


@dataclass(frozen=True, slots=True)
class Article:
    """A text as the networks read it.

    encoding: its tokens, with special ones. arrays: inputs of the encoder, each (length, ...), and `copy_ids` int32
    (length,): what each place would add to a title, NOTHING for special tokens. unknown: the ids of tokens that the
    vocabulary lacks.
    """

    text: str
    encoding: Encoding
    arrays: dict[str, np.ndarray]
    unknown: dict[str, int]


class Pair(NamedTuple):
    """An article and the ids of its title, int32 (length,). ended: the end of the title is within the limit. told: the
    title that the network is told it has written, as long. partners: what each of SIDES itself writes, the start
    first."""

    article: Article
    title: np.ndarray
    ended: bool
    told: np.ndarray
    partners: tuple[list[int], list[int]] | None = None


def read_article(text: str, encoder: Encoder) -> Article:
    """The beginning of a text, as much as the encoder takes."""
    tokenizer = encoder.tokenizer
    encoding = tokenizer.encode(text, encoder.max_length)
    (arrays,) = encoder.features(text, [encoding])
    copy_ids, unknown = encoding.ids.astype(np.int32), {}
    copy_ids[[0, -1]] = NOTHING
    for place in np.flatnonzero(encoding.ids == tokenizer.unknown_id):
        start, end = encoding.offsets[place]
        copy_ids[place] = unknown.setdefault(text[start:end].lower(), len(tokenizer) + len(unknown))
    return Article(text, encoding, arrays | {"copy_ids": copy_ids}, unknown)


def title_ids(title: str, article: Article, encoder: Encoder) -> np.ndarray:
    """The tokens of a title, int32 (length,). What the vocabulary lacks has the id that it has in the text, or NOTHING
    if it is not there."""
    tokens = encoder.tokenizer.tokenize(title)
    ids = tokens.ids.copy()
    for place in np.flatnonzero(ids == encoder.tokenizer.unknown_id):
        start, end = tokens.offsets[place]
        ids[place] = article.unknown.get(title[start:end].lower(), NOTHING)
    return ids


def labelled_pairs(
    examples: Sequence[Example],
    encoder: Encoder,
    max_title_length: int,
    lost: Counter[str],
    part: slice = slice(None),
) -> Iterator[Pair]:
    """Articles of this part with their titles. lost: counts what is lost on the way, by reason."""
    for example in examples[part]:
        article = read_article(example.text, encoder)
        ids = title_ids(example.title, article, encoder)
        if not len(ids):
            lost["blank title: left out"] += 1
            continue
        # What follows the last token of a text that is not cut is blank, or cannot be seen.
        read, length = article.encoding.offsets[-1, 1], len(article.encoding)
        if length == encoder.max_length and read < len(example.text.rstrip()):
            lost["text longer than --max-length: its end is not read"] += 1
        if len(ids) > max_title_length:
            lost["title longer than --max-title-length: its end is not learned"] += 1
        if unknown := int((ids == NOTHING).sum()):
            lost["character of a title that neither vocabulary nor text has: not learned"] += unknown
        title = ids[:max_title_length]
        yield Pair(article, title, len(ids) <= max_title_length, title)


def with_random_tokens(pairs: Sequence[Pair], rate: float, generator: np.random.Generator) -> list[Pair]:
    """Told something else: in half of the examples this share of the tokens is replaced by tokens of the same text or
    title, so that the network learns to go on after a mistake (exposure bias)."""
    told = []
    for pair in pairs:
        if rate and generator.random() < 0.5:
            pool = np.concatenate([pair.title, pair.article.arrays["copy_ids"]])
            pool = pool[pool != NOTHING]
            replaced = generator.random(len(pair.title)) < rate
            if len(pool):
                others = pool[generator.integers(0, len(pool), len(pair.title))]
                pair = pair._replace(told=np.where(replaced, others, pair.title))
        told.append(pair)
    return told


# Batches


def collate_articles(articles: Sequence[Article]) -> dict[str, np.ndarray]:
    """The inputs of a network for a batch of texts, padded."""
    arrays = pad_features([article.arrays for article in articles])
    return arrays | {"copy_ids": pad([article.arrays["copy_ids"] for article in articles], NOTHING)}


def collate(pairs: Sequence[Pair], tokenizer: WordPieceTokenizer, model: str) -> dict[str, np.ndarray]:
    """What the training network of a `WritingOptions.model` reads, and what is to be written.

    To the inputs for texts come, int32 (titles, longest + 1) with NOTHING where there is none, `title_before`, what
    stands before each token, and `title_targets`, the tokens: start a b, and a b end. For bidirectional the same for
    each of SIDES, as it writes, in place of `title`, and `SIDE_partner`, what it wrote itself; for unilm the title
    stands behind its text in `token_ids`, too.
    """
    arrays = collate_articles([pair.article for pair in pairs])
    if model == "bidirectional":
        for number, (side, step) in enumerate(zip(SIDES, (1, -1))):
            # A title that is cut has no end to begin with from behind; the piece that is left has both.
            turned = [
                pair._replace(title=pair.title[::step], told=pair.told[::step], ended=pair.ended or step < 0)
                for pair in pairs
            ]
            partners = [pair.partners[number] if pair.partners else [NOTHING] for pair in pairs]
            arrays |= _title_arrays(side, turned, tokenizer) | {f"{side}_partner": _padded(partners)}
        return arrays
    if model == "unilm":
        texts, size = [pair.article.encoding.ids for pair in pairs], len(tokenizer)
        titles = [np.where((one.told >= 0) & (one.told < size), one.told, tokenizer.unknown_id) for one in pairs]
        arrays["token_ids"] = _padded(map(np.concatenate, zip(texts, titles)), 0)
        arrays["segment_ids"] = _padded(([0] * len(text) + [1] * len(title) for text, title in zip(texts, titles)), 0)
    return arrays | _title_arrays("title", pairs, tokenizer)


def _title_arrays(side: str, pairs: Sequence[Pair], tokenizer: WordPieceTokenizer) -> dict[str, np.ndarray]:
    ends = (tokenizer.end_id if pair.ended else NOTHING for pair in pairs)
    return {
        f"{side}_before": _padded([tokenizer.start_id, *pair.told] for pair in pairs),
        f"{side}_targets": _padded([*pair.title, end] for pair, end in zip(pairs, ends)),
    }


def _padded(rows, value: int = NOTHING) -> np.ndarray:
    return pad([np.array(row, np.int32) for row in rows], value)
