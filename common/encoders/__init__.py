"""Encoders: text in, one vector per token out.

A light encoder on characters mixed with words that trains from nothing on a CPU (`LightEncoder`), and the BERT family
through bert4keras, from a checkpoint or from nothing (`BertEncoder`). Both offer the same:

    encoder.tokenizer                         WordPieceTokenizer
    encoder.max_length                        longest window in tokens
    encoder.features(text, windows)           for each window {input name: int32 (length,)}
    encoder.network()                         keras.Model: those inputs, padded -> [states, residual], float (batch, length, size)
    encoder.pair_features(...)                the same for a question and windows of a context (see common.tokenizers.pair_windows);
                                              an input may also be float (length, values)
    encoder.pair_network()                    keras.Model: those inputs -> the same, in which the question acts on the context
    encoder.unknown_ids                       for each input that says which token it is, the id that says nothing
    encoder.size, encoder.dropout             size of a vector; the dropout that suits heads on it

`save_encoder` puts all that `load_encoder` needs into a run directory, weights excepted.

`states` is `residual` after the last layer normalisation; a conditional layer normalisation starts from `residual`.
Padding is token id 0 in the input `token_ids`.
"""

import json
from collections.abc import Iterable
from pathlib import Path

from common.command_line import UserError
from common.encoders.bert import BertEncoder
from common.encoders.light import LightEncoder
from common.options import EncoderOptions
from common.runs.directory import Run

__all__ = ["BertEncoder", "LightEncoder", "build_encoder", "encoder_of", "load_encoder", "save_encoder"]

_FILE = "encoder.json"
_KINDS = {"bert": BertEncoder, "light": LightEncoder}

Encoder = BertEncoder | LightEncoder


def build_encoder(options: EncoderOptions, texts: Iterable[str]) -> Encoder:
    """The encoder that the flags ask for; without a checkpoint its vocabularies come from `texts`, and its words from
    the word vectors if there are any.

    Raises UserError for a checkpoint that is missing, incomplete or incompatible, and for a file that holds no word
    vectors.
    """
    if options.pretrained:
        return BertEncoder.from_checkpoint(options.pretrained, options.max_length)
    if options.encoder == "bert":
        return BertEncoder.from_texts(texts, options)
    return LightEncoder.from_texts(texts, options)


def encoder_of(run: Run | None) -> Encoder | None:
    """The encoder of a run that is continued; None for a new run, and for one that ended before its first state was
    written."""
    return load_encoder(run.path) if run is not None and run.last_state.is_file() else None


def save_encoder(encoder: Encoder, folder: Path) -> None:
    """Write vocabularies and encoder.json into a run directory."""
    kind = next(name for name, kind in _KINDS.items() if isinstance(encoder, kind))
    settings = {"kind": kind, **encoder.save(folder)}
    (folder / _FILE).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def load_encoder(folder: Path) -> Encoder:
    """The encoder of a run directory, with weights still to be loaded. Raises UserError when it is damaged, or of
    another version."""
    try:
        settings = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return _KINDS[settings.pop("kind")].load(folder, settings)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{folder}: its encoder cannot be read ({error}) - use the version that trained the run, or train it again"
        ) from None
