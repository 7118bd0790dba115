"""Texts that go on after prompts, drawn token by token."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from common.command_line import UserError
from common.decoders import Hypothesis, Model, Rules, sample
from common.generation.language_model import LanguageModel
from common.generators import pad
from common.tokenizers import SPECIAL_TOKENS
from common.tokenizers.joining import with_tokens


class Prompt(NamedTuple):
    """ids: its tokens, int32 (length,). room: how many tokens more the model has positions for."""

    text: str
    ids: np.ndarray
    room: int


@dataclass(frozen=True)
class Drawing:
    """How texts are drawn: see `common.decoders.sample`. end: the token that ends them, always a candidate from
    `min_length` tokens on. Lengths count what stands behind the prompt; where the positions of the model leave less,
    that is the limit. count: texts for each prompt. rows: texts that are written at once, at least those of one
    prompt."""

    end: str
    count: int = 1
    top_k: int = 5
    top_p: float = 1.0
    temperature: float = 1.0
    max_length: int = 256
    min_length: int = 0
    seed: int = 1
    rows: int = 32


def read_prompt(text: str, model: LanguageModel, where: str) -> Prompt:
    """Raises UserError, which begins with `where`, for a prompt without tokens, with one that the model has not, or
    that is too long for it."""
    tokens = model.tokenizer.tokenize(text)
    if not len(tokens):
        raise UserError(f"{where}: is empty - give the beginning of a text")
    if (unknown := np.flatnonzero(tokens.ids == model.tokenizer.unknown_id)).size:
        start, end = tokens.offsets[unknown[0]]
        raise UserError(
            f"{where}: {text[start:end]!r}, character {start + 1}, is not in the vocabulary of the model - write it in another way"
        )
    room = model.positions - len(tokens)
    if room < 1:
        raise UserError(
            f"{where}: has {len(tokens):,} tokens, and the model has {model.positions:,} positions for it and what follows - shorten it"
        )
    return Prompt(text, tokens.ids, room)


def check_end(token: str, model: LanguageModel) -> None:
    """Raises UserError where the model has no such token."""
    if token not in model.tokenizer.ids:
        raise UserError(f"--end {token}: is no token of the model - give one of its vocabulary, such as {model.end}")


def write_texts(decoder: Model, model: LanguageModel, prompts: Sequence[Prompt], drawing: Drawing) -> list[list[str]]:
    """`drawing.count` texts for each prompt, which each begins with. What is drawn for a prompt depends on the seed and
    its place among the prompts alone."""
    limits = [min(prompt.room, drawing.max_length) for prompt in prompts]
    texts: list[list[str]] = [[]] * len(prompts)
    together = max(1, drawing.rows // drawing.count)
    for limit in sorted(set(limits), reverse=True):
        places = [place for place, one in enumerate(limits) if one == limit]
        for begin in range(0, len(places), together):
            batch = places[begin : begin + together]
            found = _drawn(decoder, model, [prompts[place] for place in batch], batch, limit, drawing)
            for place, hypotheses in zip(batch, found):
                texts[place] = [_text(prompts[place], one, model, drawing.end) for one in hypotheses]
    return texts


def _drawn(
    decoder: Model,
    model: LanguageModel,
    prompts: Sequence[Prompt],
    numbers: Sequence[int],
    limit: int,
    drawing: Drawing,
) -> list[list[Hypothesis]]:
    ids = model.tokenizer.ids
    end_id = ids[drawing.end]
    never = {ids[token] for token in SPECIAL_TOKENS if token in ids} - {end_id}
    rules = Rules(end_id, end_id, limit, min(drawing.min_length, limit), banned=tuple(sorted(never)))
    inputs = {"token_ids": pad([prompt.ids for prompt in prompts])}
    how = {name: getattr(drawing, name) for name in ("count", "temperature", "top_k", "top_p", "seed")}
    return sample(decoder, inputs, rules, **how, numbers=numbers)


def _text(prompt: Prompt, hypothesis: Hypothesis, model: LanguageModel, end: str) -> str:
    tokens = [model.tokenizer.vocabulary[token] for token in hypothesis.tokens]
    is_shown = hypothesis.finished and end not in SPECIAL_TOKENS
    return with_tokens(prompt.text, [*tokens, end] if is_shown else tokens)
