"""Questions that mean the same as others, drawn token by token and ranked by how near they are."""

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from common.decoders import Rules, sample
from common.generators import pad
from common.similarity.drawing import Drawing
from common.similarity.model import SimilarityNetwork
from common.tokenizers import SPECIAL_TOKENS
from common.tokenizers.joining import with_tokens

_ROWS = 128  # that are written at once, at least those of one question


class Candidate(NamedTuple):
    text: str
    cosine: float


def similar_questions(
    network: SimilarityNetwork, texts: Sequence[str], drawing: Drawing, first_number: int = 0
) -> list[list[Candidate]]:
    """For each text those of the drawn questions that are kept, nearest first; the text itself and what differs from it, or
    from a nearer one, in marks, blanks or capital letters alone is left out. What is drawn for a text depends on the
    seed and its number, from `first_number` on, alone."""
    together = max(1, _ROWS // drawing.count)
    written: list[list[str]] = []
    for first in range(0, len(texts), together):
        written += _drawn(network, texts[first : first + together], drawing, first_number + first)
    vectors = network.vectors_of([*texts, *(text for of_text in written for text in of_text)])
    ends = len(texts) + np.cumsum([len(of_text) for of_text in written])
    cosines = [vectors[end - len(of_text) : end] @ vector for end, of_text, vector in zip(ends, written, vectors)]
    return [kept(ranked(*all_of_text), drawing) for all_of_text in zip(texts, written, cosines)]


def kept(candidates: Sequence[Candidate], drawing: Drawing) -> list[Candidate]:
    """Of candidates, nearest first, those that are near enough, and no more than there may be."""
    return [one for one in candidates[: drawing.kept] if one.cosine >= drawing.least_cosine]


def _drawn(network: SimilarityNetwork, texts: Sequence[str], drawing: Drawing, first_number: int) -> list[list[str]]:
    encoder = network.encoder
    tokenizer, ids = encoder.tokenizer, encoder.tokenizer.ids
    never = {ids[token] for token in SPECIAL_TOKENS if token in ids} - {tokenizer.end_id}
    rules = Rules(tokenizer.start_id, tokenizer.end_id, encoder.max_length - 2, banned=tuple(sorted(never)))
    inputs = {"token_ids": pad([tokenizer.encode(text, encoder.max_length).ids for text in texts])}
    how = {name: getattr(drawing, name) for name in ("count", "temperature", "top_k", "top_p", "seed")}
    found = sample(network, inputs, rules, **how, numbers=range(first_number, first_number + len(texts)))
    return [
        [with_tokens("", [tokenizer.vocabulary[token] for token in one.tokens]) for one in of_text] for of_text in found
    ]


def ranked(text: str, written: Sequence[str], cosines: np.ndarray) -> list[Candidate]:
    """What was written for a text, nearest first, without copies."""
    seen, found = {"", comparable(text)}, []
    for place in np.argsort(-cosines, kind="stable"):
        form = comparable(written[place])
        if form not in seen:
            seen.add(form)
            found.append(Candidate(written[place], float(cosines[place])))
    return found


def comparable(text: str) -> str:
    """A text without marks and blanks, in lower case and half width."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).lower()))
