"""Encoders: text in, one vector per token out.

A light encoder on characters mixed with words that trains from nothing on a CPU (`light.LightEncoder`), and the BERT
family through bert4keras, from a checkpoint or from nothing (`bert.BertEncoder`). Both are an `Encoder`. `save_encoder`
puts all that `load_encoder` needs into a run directory, weights excepted. TensorFlow loads with the first encoder.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from common.command_line import UserError
from common.encoders.hub import local_folder
from common.encoders.segmentation import load_segmentation, prepare_segmentation, save_segmentation
from common.generators import Arrays
from common.options import TRANSFORMERS, EncoderOptions
from common.runs.directory import Run
from common.runs.files import check_plain, file_of_run, read_json
from common.tokenizers import Encoding, WordPieceTokenizer

if TYPE_CHECKING:
    from common.keras_compat import keras

__all__ = ["Encoder", "build_encoder", "encoder_of", "load_encoder", "prepare_segmentation", "save_encoder"]


class Encoder(Protocol):
    """What both encoders offer.

    max_length: of a window, in tokens. size: of a vector. dropout: what suits heads on it. unknown_ids: for each input
    that says which token it is, the id that says nothing.
    """

    tokenizer: WordPieceTokenizer
    max_length: int
    size: int
    dropout: float
    unknown_ids: dict[str, int]

    def features(self, text: str, windows: list[Encoding]) -> list[Arrays]:
        """The inputs of the network for each window of a text, each integers (length,), in few bytes: `pad` makes int32
        of them."""

    def pair_features(self, question: str, context: str, windows) -> list[Arrays]:
        """The same for a question and windows of a context (see `common.tokenizers.pair_windows`); an input may also be
        float (length, values)."""

    def network(self) -> "keras.Model":
        """A network of those inputs, padded by token id 0 in `token_ids`, -> [states, residual], each float (batch,
        length, size). `states` is `residual` after the last layer normalisation; a conditional layer normalisation
        starts from `residual`."""

    def pair_network(self) -> "keras.Model":
        """The same for the inputs of `pair_features`: the question acts on the context."""


_FILE = "encoder.json"
#: The weights of a network on a light encoder, in the folder of a run or of a pretrained one.
WEIGHTS = "best.weights.h5"
_MOST_BYTES = 2**26  # of it, and of a vocabulary


def _kinds() -> dict[str, type]:
    from common.encoders.bert import BertEncoder
    from common.encoders.light import LightEncoder

    return {"bert": BertEncoder, "light": LightEncoder}


def build_encoder(options: EncoderOptions, texts: Iterable[str]) -> Encoder:
    """The encoder that the flags ask for; without a checkpoint its vocabularies come from `texts`, which are gone
    through twice, and its words from the word vectors if there are any.

    From here on the process cuts words as the flags say. Raises UserError for a checkpoint that is missing, incomplete
    or incompatible, and for a file that holds no words or word vectors.
    """
    prepare_segmentation(options)
    kinds = _kinds()
    if options.pretrained_light:
        return _pretrained_light(options.pretrained_light, options)
    if options.pretrained:
        return kinds["bert"].from_checkpoint(local_folder(options.pretrained), options.max_length, options.pattern())
    if options.encoder in TRANSFORMERS:
        return kinds["bert"].from_texts(texts, options)
    return kinds["light"].from_texts(texts, options)


def _pretrained_light(folder: Path, options: EncoderOptions) -> Encoder:
    weights = folder / WEIGHTS
    if not weights.is_file() or not (folder / _FILE).is_file():
        raise UserError(
            f"--pretrained-light {folder}: has no {_FILE} and {WEIGHTS} - give what scripts/pretrain.py has made of a light encoder, or the run of a contest"
        )
    found = load_encoder(folder)
    if not isinstance(found, _kinds()["light"]):
        raise UserError(
            f"--pretrained-light {folder}: is a BERT - give a light encoder, or a checkpoint by --pretrained"
        )
    what = found.settings
    print(
        f"weights   {what.architecture}, {what.layers} layers of {what.hidden_size}, {len(found.tokenizer)} tokens, {len(found.words)} words  ({folder})"
    )
    return found.beginning_with(weights, options)


def encoder_of(run: Run | None) -> Encoder | None:
    """The encoder of a run that is continued; None for a new run, and for one that ended before its first state was
    written."""
    return load_encoder(run.path) if run is not None and run.last_state.is_file() else None


def save_encoder(encoder: Encoder, folder: Path) -> None:
    """Write vocabularies, encoder.json, and what texts are cut by, into a run directory."""
    save_segmentation(folder)
    kind = next(name for name, kind in _kinds().items() if isinstance(encoder, kind))
    settings = {"kind": kind, **encoder.save(folder)}
    (folder / _FILE).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def load_encoder(folder: Path) -> Encoder:
    """The encoder of a run directory, with weights still to be loaded; from here on the process cuts words as the run
    did. Raises UserError when it is damaged, or of another version."""
    load_segmentation(folder)
    settings = read_json(file_of_run(folder, _FILE), _MOST_BYTES)
    try:
        check_plain(file_of_run(folder, "vocab.txt"), _MOST_BYTES)
        return _kinds()[settings.pop("kind")].load(folder, settings)
    except UserError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{folder}: its encoder cannot be read ({error}) - use the version that trained the run, or train it again"
        ) from None
