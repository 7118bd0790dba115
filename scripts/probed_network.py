"""The states of a pretrained transformer, as perturbed masking asks for them: at two places of each row."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from common.analysis.perturbed_masking import Probe
from common.command_line import UserError
from common.encoders.hub import local_folder
from common.generators import Arrays

if TYPE_CHECKING:
    from pathlib import Path

    from common.encoders.bert import BertEncoder


def probed_encoder(pretrained: "Path", layer: int) -> "BertEncoder":
    """The encoder of a checkpoint up to a layer, from 1; 0 is the last. Raises UserError for a layer that it has not,
    and for a vocabulary without [MASK]."""
    from common.encoders.bert import BertEncoder
    from common.encoders.bert_config import LONGEST_WINDOW

    encoder = BertEncoder.from_checkpoint(local_folder(pretrained), LONGEST_WINDOW)
    layers = encoder.config["num_hidden_layers"]
    if layer > layers:
        raise UserError(f"--layer {layer}: must be at most {layers}, the layers of {pretrained}")
    if encoder.tokenizer.mask_id is None:
        raise UserError(f"--pretrained {pretrained}: its vocabulary has no [MASK] - take another checkpoint")
    encoder.config = {**encoder.config, "num_hidden_layers": layer or layers}
    return encoder


def probe_of(encoder: "BertEncoder", batch_tokens: int) -> Probe:
    """What asks its last layer, in batches of so many tokens. Weights stay as they are, and nothing is drawn."""
    from common.keras_compat import keras, tf
    from common.prediction import in_batches, one_trace

    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in ("token_ids", "segment_ids")}
    states = encoder.network()(inputs)[0]
    places = keras.Input((2,), dtype="int32", name="places")
    traced = one_trace(keras.Model({**inputs, "places": places}, tf.gather(states, places, batch_dims=1)))

    def probe(rows: list[Arrays]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        asked = [row | {"segment_ids": np.zeros_like(row["token_ids"])} for row in rows]
        for indices, found in in_batches(traced, asked, batch_tokens):
            yield indices, found.numpy()

    return probe
