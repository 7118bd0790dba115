"""The BERT family through bert4keras: from a TensorFlow checkpoint, or a small one built from nothing."""

import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError
from common.keras_compat import keras, tf
from common.options import EncoderOptions
from common.tokenizers import Encoding, PairWindow, WordPieceTokenizer, build_vocabulary
from common.tokenizers.vocabulary import SPECIAL_TOKENS

_SMALL_LAYERS = 4


class BertEncoder:
    """A bert4keras transformer.

    config: a bert_config.json. model: what bert4keras calls it, such as "bert", "nezha" or "roformer". checkpoint: its
    weights; None starts from random ones. kept_tokens: the checkpoint's ids of the tokens of the tokenizer; None for
    all of them.
    """

    def __init__(
        self,
        tokenizer: WordPieceTokenizer,
        config: dict[str, Any],
        max_length: int,
        model: str = "bert",
        checkpoint: Path | None = None,
        kept_tokens: np.ndarray | None = None,
    ):
        self.tokenizer, self.config, self.model, self.checkpoint, self.kept_tokens = (
            tokenizer,
            config,
            model,
            checkpoint,
            kept_tokens,
        )
        self.size = config["hidden_size"]
        self.max_length = min(max_length, config["max_position_embeddings"])
        self.dropout = config.get("hidden_dropout_prob", 0.1)
        self.unknown_ids = {"token_ids": tokenizer.unknown_id if tokenizer.mask_id is None else tokenizer.mask_id}

    @classmethod
    def from_checkpoint(cls, folder: Path, max_length: int) -> "BertEncoder":
        """From bert_config.json, bert_model.ckpt.* and vocab.txt. Raises UserError naming what is missing or does not
        fit."""
        tree = "a checkpoint folder holds bert_config.json, vocab.txt and bert_model.ckpt.index with its .data files"
        if not folder.is_dir():
            raise UserError(f"--pretrained {folder}: no such folder - {tree}")
        indices = sorted(folder.glob("*.ckpt*.index"))
        missing = [name for name in ("bert_config.json", "vocab.txt") if not (folder / name).is_file()]
        missing += [] if indices else ["bert_model.ckpt.index"]
        if missing:
            raise UserError(f"--pretrained {folder}: has no {', no '.join(missing)} - {tree}")
        try:
            config = json.loads((folder / "bert_config.json").read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise UserError(
                f"{folder / 'bert_config.json'}: not JSON ({error}) - download the checkpoint again"
            ) from None
        needed = (
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "intermediate_size",
            "max_position_embeddings",
            "vocab_size",
        )
        absent = [
            key
            for key in needed
            if not (isinstance(config, dict) and isinstance(config.get(key), int) and config[key] > 0)
        ]
        if absent:
            raise UserError(f"{folder / 'bert_config.json'}: has no {', '.join(absent)} - is it the config of a BERT?")
        try:
            tokenizer = WordPieceTokenizer.from_file(folder / "vocab.txt")
        except ValueError as error:
            raise UserError(f"{error} - take the vocab.txt that belongs to this checkpoint") from None
        if len(tokenizer) != config["vocab_size"]:
            raise UserError(
                f"{folder / 'vocab.txt'}: has {len(tokenizer)} tokens, but bert_config.json says {config['vocab_size']} - they belong to different checkpoints"
            )
        preferred = [index for index in indices if index.name == "bert_model.ckpt.index"]
        checkpoint = (preferred or indices)[0].with_suffix("")
        return cls(tokenizer, config, max_length, _model_of(checkpoint, config), checkpoint)

    @classmethod
    def from_texts(cls, texts: Iterable[str], options: EncoderOptions) -> "BertEncoder":
        """A small BERT with a character vocabulary of `texts`."""
        tokenizer = WordPieceTokenizer(build_vocabulary(texts))
        heads = max(1, options.hidden_size // 64)
        if options.hidden_size % heads:
            raise UserError(f"--hidden-size {options.hidden_size}: must be a multiple of its {heads} attention heads")
        config = {
            "hidden_size": options.hidden_size,
            "num_hidden_layers": options.layers or _SMALL_LAYERS,
            "num_attention_heads": heads,
            "intermediate_size": 4 * options.hidden_size,
            "max_position_embeddings": options.max_length,
            "vocab_size": len(tokenizer),
            "type_vocab_size": 2,
            "hidden_act": "gelu",
            "hidden_dropout_prob": options.dropout,
            "attention_probs_dropout_prob": 0.0,
        }
        return cls(tokenizer, config, options.max_length)

    def save(self, folder: Path) -> dict[str, Any]:
        self.tokenizer.save(folder / "vocab.txt")
        return {"config": self.config, "max_length": self.max_length, "model": self.model}

    @classmethod
    def load(cls, folder: Path, settings: dict[str, Any]) -> "BertEncoder":
        return cls(
            WordPieceTokenizer.from_file(folder / "vocab.txt"),
            settings["config"],
            settings["max_length"],
            settings["model"],
        )

    def features(self, text: str, windows: list[Encoding]) -> list[dict[str, np.ndarray]]:
        """For each window `token_ids` and `segment_ids`, int32 (length,)."""
        return [{"token_ids": window.ids, "segment_ids": np.zeros_like(window.ids)} for window in windows]

    def pair_features(
        self, question: str, asked: Encoding, context: str, tokens: Encoding, windows: list[PairWindow]
    ) -> list[dict[str, np.ndarray]]:
        """For each window of `pair_windows` `token_ids` and `segment_ids`, int32 (length,)."""
        return [{"token_ids": window.encoding.ids, "segment_ids": window.segment_ids} for window in windows]

    def network(self) -> keras.Model:
        """Raises UserError when the checkpoint's tensors do not fit its config."""
        transformer = self.transformer()
        inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in ("token_ids", "segment_ids")}
        # The last layer is a normalisation, which ALBERT uses in every block: its input is that of its last use.
        states = transformer.model.output
        normalisation, use = states._keras_history[:2]
        both = keras.Model(transformer.model.inputs, [states, normalisation.get_input_at(use)], name="bert")
        return keras.Model(inputs, both([inputs["token_ids"], inputs["segment_ids"]]), name="bert_encoder")

    def transformer(self, **options: Any) -> Any:
        """The bert4keras transformer, with the weights of the checkpoint if there is one. options: further ones of
        build_transformer_model. Raises UserError when the checkpoint's tensors do not fit its config."""
        from bert4keras.models import build_transformer_model

        from common.encoders.transformers import transformer_class

        config = {
            **self.config,
            "max_position": self.config["max_position_embeddings"],
            "segment_vocab_size": self.config.get("type_vocab_size", 2),
            "attention_dropout_rate": self.config.get("attention_probs_dropout_prob", 0.1),
            "dropout_rate": self.config.get("hidden_dropout_prob", 0.1),
            "keep_tokens": None if self.kept_tokens is None else self.kept_tokens.tolist(),
            **options,
        }
        try:
            with warnings.catch_warnings():  # about the shared initializer, whose work is done anew below
                warnings.filterwarnings("ignore", "The initializer", UserWarning)
                transformer = build_transformer_model(
                    model=transformer_class(self.model), return_keras_model=False, **config
                )
            _draw_weights_anew(transformer.model)
            if self.checkpoint is not None:
                mapping = transformer.variable_mapping()
                if not any(name.startswith("cls/predictions/") for name in _variables_of(self.checkpoint)):
                    # Some checkpoints come without the head of the masked language model: it is learned anew then.
                    mapping = {layer: names for layer, names in mapping.items() if not layer.startswith("MLM-")}
                transformer.load_weights_from_checkpoint(str(self.checkpoint), mapping)
        except (ValueError, LookupError, tf.errors.OpError) as error:
            if self.checkpoint is None:
                raise
            reason = str(error).strip().splitlines()[0]
            raise UserError(
                f"--pretrained {self.checkpoint.parent}: the checkpoint does not fit its bert_config.json ({reason}) - download both again, together"
            ) from None
        return transformer

    def with_vocabulary_of(self, texts: Iterable[str]) -> "BertEncoder":
        """The same encoder without the tokens of the checkpoint that neither the texts have nor a letter, digit or mark
        could need: the rows of the others leave the embeddings (`keep_tokens` of bert4keras). Most of a Chinese
        vocabulary never occurs in a contest."""
        used = {token for text in texts for token in set(self.tokenizer.tokenize(text).ids.tolist())}
        always = {
            token
            for piece, token in self.tokenizer.ids.items()
            if len(piece.removeprefix("##")) == 1 and ord(piece[-1]) < 0x2E80
        }
        special = {self.tokenizer.ids[piece] for piece in SPECIAL_TOKENS if piece in self.tokenizer.ids}
        kept = np.array(sorted(used | always | special))
        tokenizer = WordPieceTokenizer([self.tokenizer.vocabulary[token] for token in kept])
        config = {**self.config, "vocab_size": len(kept)}
        return BertEncoder(tokenizer, config, self.max_length, self.model, self.checkpoint, kept)

    def pair_network(self) -> keras.Model:
        """The same: a transformer lets question and context act on each other by itself."""
        return self.network()


def _draw_weights_anew(model: keras.Model) -> None:
    """Give every matrix values of its own. bert4keras shares one initializer, which gives tf_keras matrices of equal
    values: query, key, value and output of an attention would start, and so partly stay, the same."""
    for weight in model.trainable_weights:  # NEZHA's table of sinusoids is none of them, and stays
        if len(weight.shape) > 1:
            initializer = keras.initializers.TruncatedNormal(stddev=0.02, seed=np.random.randint(2**31))
            weight.assign(initializer(weight.shape))


def _model_of(checkpoint: Path, config: dict[str, Any]) -> str:
    """The bert4keras name of the architecture, told from the variables of a checkpoint: its config seldom says."""
    names = _variables_of(checkpoint)
    if any(name.startswith("electra/") for name in names):
        return "electra"
    if any("/transformer/group_0/" in name for name in names):
        return "albert"
    if config.get("use_relative_position"):
        return "nezha"
    if any(name.endswith("embeddings/position_embeddings") for name in names):
        return "bert"
    # RoFormer turns queries and keys instead of adding positions; its second version has no biases.
    return "roformer" if any(name.endswith("self/query/bias") for name in names) else "roformer_v2"


def _variables_of(checkpoint: Path) -> set[str]:
    try:
        return {name for name, _ in tf.train.list_variables(str(checkpoint))}
    except (tf.errors.OpError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise UserError(f"{checkpoint}.index: cannot be read ({reason}) - download the checkpoint again") from None
