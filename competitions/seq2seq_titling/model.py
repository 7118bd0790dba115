"""The network: one of three that write a title, token by token (kexue.fm/archives/5861, 6877, 6933); and its loss.

    copy_lstm        an encoder, an LSTM that attends to it           log p(title) = sum of log p(token | text, tokens before)
    bidirectional    the same from both ends at once, each side seeing the other
    unilm            one BERT that sees the whole text, and of the title what is written

The first two are in lstm.py, the third in unilm.py. All of them end in the head of copying.py, and offer:

    training             keras.Model: what `collate` makes -> `Scores` by side; its weights are all there are
    start, step, take    what common.decoders asks of a model; step_pairs in place of step where it writes from both ends

This is the file to begin with when you change one: it says what comes out, and which network it goes to.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from common.command_line import UserError
from common.encoders import Encoder, build_encoder
from common.losses import LossTerm
from common.options import EncoderOptions

from copying import Scores, title_loss
from features import SIDES, WritingOptions
from lstm import Bidirectional, CopyLstm
from unilm import UniLM

Network = CopyLstm | Bidirectional | UniLM


def build_writing_encoder(
    encoder: EncoderOptions, writing: WritingOptions, texts: Iterable[str], max_title_length: int
) -> Encoder:
    """The encoder that the flags ask for. A checkpoint keeps the tokens that the texts use, unless it is told to keep
    all; unilm leaves room for a title behind the text."""
    texts = list(texts)
    if writing.model == "unilm":
        built = build_encoder(replace(encoder, encoder="bert", max_length=encoder.max_length + max_title_length), texts)
        built.max_length -= max_title_length
        if built.max_length < 3:
            raise UserError(
                f"--max-title-length {max_title_length}: leaves the checkpoint no room for a text - lower it"
            )
    else:
        built = build_encoder(encoder, texts)
    return built.with_vocabulary_of(texts) if encoder.pretrained and writing.cut_vocabulary else built


def build_network(encoder: Encoder, options: WritingOptions) -> Network:
    return {"copy_lstm": CopyLstm, "bidirectional": Bidirectional, "unilm": UniLM}[options.model](encoder, options)


def loss(batch: dict[str, Any], outputs: dict[str, Scores]) -> list[LossTerm]:
    """The loss of a batch of `collate`: that of the title, or half of that of each side."""
    sides = ("title",) if "title" in outputs else SIDES
    return [
        title_loss(f"{side}_loss", batch[f"{side}_targets"], batch["copy_ids"], outputs[side], 1 / len(sides))
        for side in sides
    ]
