"""GPT2_ML through bert4keras (kexue.fm/archives/7292): from a checkpoint, or a small one built from nothing.

x   = norm(table of tokens + table of positions)
x   = x + attention(x), each token seeing itself and those before it
x   = norm(x + feed-forward(norm(x)))                       these two lines for each layer
log p(next token) = log softmax(x . table of tokens)
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from common.command_line import UserError
from common.encoders.bert_config import checked_config, weight_count
from common.encoders.checkpoint_tokenizer import OTHER_VERSION, switches_of, tokenizer_of_run
from common.encoders.tensors import Tensors
from common.generation.checkpoint import read_checkpoint
from common.generation.config import MODEL
from common.runs.files import bytes_of_weights, check_plain, file_of_run, read_json
from common.tokenizers import SPECIAL_TOKENS, WordPieceTokenizer, build_vocabulary
from common.tokenizers.normalization import is_isolated
from common.tokenizers.wordpiece import END

_FILE = "language_model.json"
_MOST_BYTES = 2**26  # of it, and of a vocabulary
_FULL_STOP = "。"
_HEAD_SIZE = 64


class LanguageModel:
    """A network of bert4keras, still to be built, and its tokens.

    config: see `language_model_config`. end: the token that ends a text. checkpoint: the weights to start from; None
    for random ones. kept_tokens: the checkpoint's ids of the tokens of the tokenizer; None for all of them.
    """

    def __init__(
        self,
        tokenizer: WordPieceTokenizer,
        config: dict[str, Any],
        end: str = END,
        checkpoint: Tensors | None = None,
        kept_tokens: np.ndarray | None = None,
    ):
        self.tokenizer, self.config, self.end = tokenizer, config, end
        self.checkpoint, self.kept_tokens = checkpoint, kept_tokens
        self.positions = config["max_position_embeddings"]

    @classmethod
    def from_checkpoint(cls, folder: Path) -> "LanguageModel":
        """From the one checkpoint in a folder, of whose tokens it keeps the usable ones. A text ends with a full stop,
        as the post has it. Raises UserError as `read_checkpoint` does."""
        found = read_checkpoint(folder)
        kept = usable_tokens(found.tokenizer)
        pieces = [found.tokenizer.vocabulary[token] for token in kept]
        tokenizer = WordPieceTokenizer(pieces, **switches_of(found.tokenizer))
        config = {**found.config, "vocab_size": len(kept)}
        end = _FULL_STOP if _FULL_STOP in tokenizer.ids else END
        all_rows = len(kept) == found.config["vocab_size"]
        return cls(tokenizer, config, end, found.tensors, None if all_rows else kept)

    @classmethod
    def from_texts(
        cls, texts: Iterable[str], hidden_size: int, layers: int, dropout: float, positions: int
    ) -> "LanguageModel":
        """A small one with a character vocabulary of `texts`. hidden_size: a multiple of its heads, which are as many
        as it has 64 dimensions. Raises UserError where it is not."""
        heads = max(1, hidden_size // _HEAD_SIZE)
        if hidden_size % heads:
            raise UserError(f"--hidden-size {hidden_size}: must be a multiple of its {heads} attention heads")
        tokenizer = WordPieceTokenizer(build_vocabulary(texts))
        config = {
            "hidden_size": hidden_size,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "intermediate_size": 4 * hidden_size,
            "max_position_embeddings": positions,
            "vocab_size": len(tokenizer),
            "hidden_dropout_prob": dropout,
            "attention_probs_dropout_prob": 0.0,
        }
        return cls(tokenizer, checked_config(config, "--hidden-size, --layers and --max-length", MODEL))

    def save(self, folder: Path) -> None:
        """Write vocabulary and settings into the folder of a run. Texts of a run end with [SEP]."""
        self.tokenizer.save(folder / "vocab.txt")
        settings = {"config": self.config, **switches_of(self.tokenizer)}
        (folder / _FILE).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "LanguageModel":
        """That of a run, with weights still to be loaded. Raises UserError when it is damaged, or of another
        version."""
        source = file_of_run(folder, _FILE)
        settings = read_json(source, _MOST_BYTES)
        try:
            check_plain(file_of_run(folder, "vocab.txt"), _MOST_BYTES)
            config = checked_config(settings["config"], source, MODEL)
            tokenizer = tokenizer_of_run(folder, settings, source, config["vocab_size"])
        except UserError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{folder}: its model cannot be read ({error}) - {OTHER_VERSION}") from None
        if 4 * weight_count(config, MODEL) > bytes_of_weights(folder):
            raise UserError(f"{source}: asks for more weights than the run has - {OTHER_VERSION}")
        return cls(tokenizer, config)

    def transformer(self) -> Any:
        """The bert4keras transformer, whose `model` has the logits of the next token at each place, float32 (batch,
        length, tokens), of ids (batch, length) with 0 as padding. Weights are those of the checkpoint if there is one,
        read one at a time. Raises UserError when it cannot be read."""
        from common.encoders.transformers import build_transformer

        return build_transformer(
            MODEL, self.config, self.checkpoint, self.kept_tokens, final_activation="linear", name=MODEL
        )


def usable_tokens(tokenizer: WordPieceTokenizer) -> np.ndarray:
    """The ids of the special tokens, and of those that a text can have, int (tokens,). Ideographs and marks are words
    of their own, so no text has [unused1] or ##中: of the vocabulary of a Chinese BERT a third is left out."""

    def is_usable(token: str, number: int) -> bool:
        piece = token.removeprefix("##") or token
        alone = any(is_isolated(character, tokenizer.tokenize_chinese_chars) for character in piece)
        return tokenizer.ids[token] == number and (token in SPECIAL_TOKENS or len(token) == 1 or not alone)

    return np.array([number for number, token in enumerate(tokenizer.vocabulary) if is_usable(token, number)])
