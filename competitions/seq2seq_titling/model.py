"""The model: one of three networks that write a title, token by token (kexue.fm/archives/5861, 6877, 6933).

    copy_lstm.py        an encoder, an LSTM that attends to it                    log p(title) = sum of log p(token | text, tokens before)
    bidirectional.py    the same from both ends at once, each side seeing the other
    unilm.py            one BERT that sees the whole text, and of the title what is written

All of them end in the head of copying.py, and offer:

    training                        keras.Model: inputs of `training_batch` -> its own loss; its weights are all there are
    training_batch(pairs, told)     those inputs for a batch; `told` are the titles as the network is told they were written
    start, step, take               what common.decoders asks of a model

This is the file to begin with when you change one: it says what goes in, and which network it goes to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from common.command_line import UserError
from common.encoders import Encoder, build_encoder
from common.options import EncoderOptions

from bidirectional import Bidirectional
from copy_lstm import CopyLstm
from features import Pair, with_random_tokens
from options import WritingOptions
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


def collate(
    batch: Sequence[Pair], generator: np.random.Generator, network: Network, replaced: float
) -> dict[str, np.ndarray]:
    """The inputs of the training network. replaced: share of the tokens that are replaced in half of the titles, others
    each time."""
    return network.training_batch(batch, with_random_tokens(batch, replaced, generator))
