"""The BERT family through bert4keras: from a checkpoint, or a small one built from nothing."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from common.attention_pattern import FULL, AttentionPattern
from common.command_line import UserError
from common.encoders.bert_config import (
    LONGEST_WINDOW,
    MODELS,
    SHORTEST_WINDOW,
    check_whole,
    checked_config,
    weight_count,
)
from common.encoders.checkpoint import read_checkpoint
from common.encoders.checkpoint_tokenizer import OTHER_VERSION, switches_of, tokenizer_of_run
from common.encoders.tensors import Part, Tensors, brings
from common.keras_compat import keras
from common.options import EncoderOptions
from common.runs.files import bytes_of_weights
from common.runs.values import settings_from_json
from common.tokenizers import Encoding, PairWindow, WordPieceTokenizer, build_vocabulary
from common.tokenizers.vocabulary import SPECIAL_TOKENS

_SMALL_LAYERS = 4


class BertEncoder:
    """A bert4keras transformer.

    config: see `checked_config`. model: one of MODELS. checkpoint: the weights to start from; None for random ones.
    kept_tokens: the checkpoint's ids of the tokens of the tokenizer; None for all of them. attention: which tokens see
    each other; weights are the same for all patterns.

    Raises UserError for a pattern that a NEZHA has not: each pair of its tokens has a vector for its distance.
    """

    def __init__(
        self,
        tokenizer: WordPieceTokenizer,
        config: dict[str, Any],
        max_length: int,
        model: str = "bert",
        checkpoint: Tensors | None = None,
        kept_tokens: np.ndarray | None = None,
        attention: AttentionPattern = FULL,
    ):
        if model == "nezha" and attention.kind != "full":
            raise UserError(
                f"--attention {attention.kind}: a NEZHA has it in full only, since each pair of tokens has a vector for its distance - take --attention full, or another checkpoint"
            )
        self.tokenizer, self.config, self.model, self.attention = tokenizer, config, model, attention
        self.checkpoint, self.kept_tokens = checkpoint, kept_tokens
        self.size = config["hidden_size"]
        self.max_length = min(max_length, config["max_position_embeddings"])
        self.dropout = config.get("hidden_dropout_prob", 0.1)
        self.unknown_ids = {"token_ids": tokenizer.unknown_id if tokenizer.mask_id is None else tokenizer.mask_id}

    @classmethod
    def from_checkpoint(cls, folder: Path, max_length: int, attention: AttentionPattern = FULL) -> "BertEncoder":
        """From the one checkpoint in a folder. Raises UserError naming what is missing, ambiguous or does not fit."""
        found = read_checkpoint(folder)
        encoder = cls(found.tokenizer, found.config, max_length, found.model, found.tensors, attention=attention)
        tokens = len(found.tokenizer)
        return encoder if tokens == found.config["vocab_size"] else encoder._with_tokens(np.arange(tokens))

    @classmethod
    def from_texts(cls, texts: Iterable[str], options: EncoderOptions) -> "BertEncoder":
        """A small BERT or RoFormer with a character vocabulary of `texts`."""
        tokenizer = WordPieceTokenizer(build_vocabulary(texts))
        heads = max(1, options.hidden_size // 64)
        if options.hidden_size % heads:
            raise UserError(f"--hidden-size {options.hidden_size}: must be a multiple of its {heads} attention heads")
        config = checked_config(
            {
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
            },
            f"--encoder {options.encoder}",
            options.encoder,
        )
        return cls(tokenizer, config, options.max_length, options.encoder, attention=options.pattern())

    def has(self, part: Part) -> bool:
        """Whether the checkpoint brings weights of this part. RoFormer's second version needs none for its head."""
        return (part == "head" and self.model == "roformer_v2") or brings(self.checkpoint.shapes, part)

    def save(self, folder: Path) -> dict[str, Any]:
        self.tokenizer.save(folder / "vocab.txt")
        settings = {"config": self.config, "max_length": self.max_length, "model": self.model}
        return settings | {"attention": asdict(self.attention)} | switches_of(self.tokenizer)

    @classmethod
    def load(cls, folder: Path, settings: dict[str, Any]) -> "BertEncoder":
        """Raises UserError for settings that no run of ours has."""
        source, model = folder / "encoder.json", settings["model"]
        if model not in MODELS:
            raise UserError(f"{source}: model is {model!r:.60}, which none has - {OTHER_VERSION}")
        config = checked_config(settings["config"], source, model)
        max_length = check_whole(settings["max_length"], SHORTEST_WINDOW, LONGEST_WINDOW, f"{source}: max_length")
        tokenizer = tokenizer_of_run(folder, settings, source, config["vocab_size"])
        if 4 * weight_count(config, model) > bytes_of_weights(folder):
            raise UserError(f"{source}: asks for more weights than the run has - {OTHER_VERSION}")
        attention = settings_from_json(AttentionPattern, settings.get("attention", {}), source)
        return cls(tokenizer, config, max_length, model, attention=attention)

    def features(self, text: str, windows: list[Encoding]) -> list[dict[str, np.ndarray]]:
        """For each window `token_ids` and `segment_ids`, integers (length,)."""
        return [{"token_ids": window.ids, "segment_ids": np.zeros(len(window), np.uint8)} for window in windows]

    def pair_features(
        self, question: str, asked: Encoding, context: str, tokens: Encoding, windows: list[PairWindow]
    ) -> list[dict[str, np.ndarray]]:
        """For each window of `pair_windows` `token_ids` and `segment_ids`, integers (length,)."""
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
        build_transformer_model. Raises UserError when the checkpoint cannot be read, or does not fit its config."""
        from common.encoders.transformers import build_transformer

        return build_transformer(
            self.model, self.config, self.checkpoint, self.kept_tokens, attention=self.attention, **options
        )

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
        return self._with_tokens(np.array(sorted(used | always | special)))

    def _with_tokens(self, tokens: np.ndarray) -> "BertEncoder":
        """The same encoder with these of its tokens alone."""
        pieces = [self.tokenizer.vocabulary[token] for token in tokens]
        tokenizer = WordPieceTokenizer(pieces, **switches_of(self.tokenizer))
        kept = tokens if self.kept_tokens is None else self.kept_tokens[tokens]
        config = {**self.config, "vocab_size": len(tokens)}
        return BertEncoder(tokenizer, config, self.max_length, self.model, self.checkpoint, kept, self.attention)

    def pair_network(self) -> keras.Model:
        """The same: a transformer lets question and context act on each other by itself."""
        return self.network()
