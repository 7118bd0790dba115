"""Texts that a masked language model writes, token by token, by Gibbs sampling: see common/decoders/gibbs.py.

    [CLS] 今 天 [MASK] [MASK] 很 好 [SEP]        in each chain, with required words put somewhere into the blanks
    place after place: hide the token, ask the network what may stand there, draw one

All chains are one batch of the network in each step.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from common.command_line import UserError, check_above, check_at_least
from common.decoders.gibbs import Conditionals, GibbsWalk, contains_all, gibbs_texts
from common.encoders.hub import local_folder
from common.tokenizers import WordPieceTokenizer
from common.tokenizers.normalization import is_ideograph
from common.tokenizers.wordpiece import MASK

from required_words import fit, put, runs_of, stands_in

if TYPE_CHECKING:
    from common.encoders.bert import BertEncoder


@dataclass
class MaskedWriting:
    text: str | None = None
    """The text, with [MASK] in the place of each token that is to be found."""
    length: int | None = None
    """In place of a text: so many tokens, all of which are to be found."""
    require: tuple[str, ...] = ()
    """Words that each text has, beside those that stand in it already."""
    chains: int = 8
    """Texts that are written at the same time, each by itself."""
    steps: int = 400
    """Steps of a chain: each draws one token anew."""
    burn_in: int = 300
    """The first steps, of which no text is kept."""
    thinning: int = 100
    """Of the steps that follow, the text after each so-manieth one is kept."""
    temperature: float = 1.0
    """Below 1 probable tokens become more probable, above 1 less."""
    top_k: int = 0
    """Draw among the so many most probable tokens alone; 0: among all."""
    order: Literal["random", "sweep"] = "random"
    """Order of the places: random, another one in each round and chain, or from left to right."""
    seed: int = 1
    """Decides all that is drawn."""

    def __post_init__(self):
        check_at_least(self, length=1, chains=1, steps=1, burn_in=0, thinning=1, top_k=0, seed=0)
        check_above(self, temperature=0)
        if (self.text is None) == (self.length is None):
            raise UserError("--text or --length: give one of them, a text with [MASK] in it or a number of tokens")
        if self.text is not None and MASK not in self.text:
            raise UserError(f"--text {self.text}: has no blank - put a [MASK] for each token that is to be found")
        if self.burn_in + self.thinning > self.steps:
            raise UserError(
                f"--steps {self.steps}: no text is kept - take at least --burn-in and --thinning together, {self.burn_in + self.thinning}"
            )


class Pattern(NamedTuple):
    """pieces: what stands before, between and behind the blanks. tokens: int (length,), [MASK] in the blanks. free: bool
    (length,), the blanks."""

    pieces: Sequence[str]
    tokens: np.ndarray
    free: np.ndarray


def write_texts(pretrained: Path, writing: MaskedWriting) -> Iterator[str]:
    """The texts that are kept, those of all chains together. pretrained: folder or name of a checkpoint.

    Raises UserError for a checkpoint without a head, and for texts and words that it cannot write.
    """
    encoder = encoder_with_head(pretrained)
    tokenizer = encoder.tokenizer
    pattern = pattern_of(writing, tokenizer, encoder.max_length)
    check_all_are_filled(writing, pattern)
    words = required_tokens(writing, tokenizer)
    start = first_texts(pattern, words, writing)
    walk = GibbsWalk(
        writing.steps,
        writing.burn_in,
        writing.thinning,
        writing.temperature,
        writing.top_k,
        never_written(encoder),
        writing.order,
    )
    accept = contains_all(words) if words else None
    for texts in gibbs_texts(conditionals_of(encoder), start, pattern.free, walk, accept, writing.seed):
        for tokens in texts:
            yield text_of([tokenizer.vocabulary[token] for token in tokens[pattern.free]], pattern.pieces)


# The model


def encoder_with_head(pretrained: Path) -> "BertEncoder":
    """Raises UserError for a checkpoint that does not say what stands at [MASK]."""
    from common.encoders.bert import BertEncoder
    from common.encoders.bert_config import LONGEST_WINDOW

    encoder = BertEncoder.from_checkpoint(local_folder(pretrained), LONGEST_WINDOW)
    if not encoder.has("head"):
        raise UserError(
            f"--pretrained {pretrained}: has no head of a masked language model, which says what may stand at a place - take a checkpoint that has one, or teach it one by scripts/pretrain.py --pretrained {pretrained}"
        )
    if encoder.tokenizer.mask_id is None:
        raise UserError(f"--pretrained {pretrained}: its vocabulary has no [MASK] - take another checkpoint")
    return encoder


def conditionals_of(encoder: "BertEncoder") -> Conditionals:
    """What the network says of the places, with [MASK] there."""
    from scipy.special import log_softmax  # here: it is slow to load, and --help needs none

    from common.prediction import one_trace
    from common.pretraining.model import build_network

    network, _ = build_network(encoder)
    traced = one_trace(network)

    def conditionals(texts: np.ndarray, places: np.ndarray) -> np.ndarray:
        hidden = texts.astype(np.int32)
        hidden[np.arange(len(texts)), places] = encoder.tokenizer.mask_id
        inputs = {"token_ids": hidden, "segment_ids": np.zeros_like(hidden)}
        inputs["hidden_places"] = places[:, None].astype(np.int32)
        logits = traced(inputs)["logits"].numpy()[:, 0].astype(np.float32)
        return log_softmax(logits, axis=1)

    return conditionals


def never_written(encoder: "BertEncoder") -> tuple[int, ...]:
    """Special tokens, and ideographs as continuations of words, which no text has."""
    from common.pretraining.masking import Masks

    vocabulary = encoder.tokenizer.vocabulary
    special = np.setdiff1d(np.arange(len(vocabulary)), Masks.of(encoder).others)
    inner = [index for index, token in enumerate(vocabulary) if token[:2] == "##" and any(map(is_ideograph, token))]
    return tuple(sorted({*special.tolist(), *inner}))


# Texts


def tokens_of(text: str, flag: str, tokenizer: WordPieceTokenizer) -> list[int]:
    """Raises UserError for what the vocabulary has not."""
    encoding = tokenizer.tokenize(text)
    unknown = encoding.offsets[encoding.ids == tokenizer.unknown_id]
    if len(unknown):
        first, last = unknown[0]
        raise UserError(f"{flag} {text}: the vocabulary has no {text[first:last]!r} - take other words")
    return encoding.ids.tolist()


def required_tokens(writing: MaskedWriting, tokenizer: WordPieceTokenizer) -> list[tuple[int, ...]]:
    """Raises UserError for words of which nothing is left, or that the vocabulary has not."""
    words = [tuple(tokens_of(word, "--require", tokenizer)) for word in writing.require]
    if () in words:
        raise UserError(f"--require {writing.require[words.index(())]!r}: is blank - leave it out")
    return list(dict.fromkeys(words))


def pattern_of(writing: MaskedWriting, tokenizer: WordPieceTokenizer, longest: int) -> Pattern:
    """longest: of a text, in tokens, [CLS] and [SEP] included. Raises UserError for a text that is longer, or not of
    the vocabulary."""
    pieces = [""] * (writing.length + 1) if writing.text is None else writing.text.split(MASK)
    tokens, free = [tokenizer.start_id], [False]
    for number, piece in enumerate(pieces):
        blanks = [tokenizer.mask_id] * (number > 0)
        found = tokens_of(piece, "--text", tokenizer)
        tokens += [*blanks, *found]
        free += [True] * len(blanks) + [False] * len(found)
    if len(tokens) + 1 > longest:
        given = f"--length {writing.length}" if writing.text is None else f"--text {writing.text}"
        raise UserError(
            f"{given}: has {len(tokens) - 1} tokens, and the checkpoint has places for {longest - 2} beside [CLS] and [SEP] - take a shorter text"
        )
    return Pattern(pieces, np.array([*tokens, tokenizer.end_id]), np.array([*free, False]))


def check_all_are_filled(writing: MaskedWriting, pattern: Pattern) -> None:
    """Raises UserError where a text would be kept before each blank was visited."""
    first, blanks = writing.burn_in + writing.thinning, pattern.free.sum()
    if first < blanks:
        raise UserError(
            f"--burn-in {writing.burn_in}: the first text is kept after {first} steps, with --thinning, and {blanks} blanks take a step each - take more"
        )


def first_texts(pattern: Pattern, words: Sequence[tuple[int, ...]], writing: MaskedWriting) -> np.ndarray:
    """Where the chains begin, int (chains, length): the pattern, with each word that is not there yet in blanks at
    random. Raises UserError where they do not fit side by side."""
    lacking = [word for word in words if not stands_in(word, pattern.tokens)]
    lacking = [word for word in lacking if not any(stands_in(word, other) for other in lacking if other != word)]
    runs = runs_of(pattern.free)
    if not fit(lacking, runs):
        raise UserError(
            f"--require {' '.join(writing.require)}: {sum(map(len, lacking))} tokens do not fit into blanks in a row ({' + '.join(str(len(run)) for run in runs)}), each word in one piece - take more blanks, or fewer words"
        )
    texts = np.tile(pattern.tokens, (writing.chains, 1))
    for number, text in enumerate(texts):
        # Another stream than that of the steps.
        put(lacking, runs, text, np.random.default_rng([writing.seed, number, 1]))
    return texts


def text_of(tokens: Sequence[str], pieces: Sequence[str]) -> str:
    """The text with these tokens in the blanks, a blank between two words of Latin letters or digits."""
    text = pieces[0]
    for token, piece in zip(tokens, pieces[1:]):
        text = text + token[2:] if token.startswith("##") else _joined(text, token)
        text = _joined(text, piece)
    return text


def _joined(text: str, piece: str) -> str:
    apart = all(end.isascii() and end.isalnum() for end in (text[-1:], piece[:1]))
    return f"{text} {piece}" if apart else text + piece
