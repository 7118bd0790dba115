"""What `benchmark.py writing` measures: a GPT2_ML of random weights that goes on after made-up prompts, with keys and
values kept and without."""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from common.command_line import table
from common.decoders import Hypothesis, Rules, sample
from common.encoders.bert_config import checked_config
from common.generation.config import MODEL
from common.generation.decoding import CachedDecoder
from common.generation.language_model import LanguageModel
from common.keras_compat import keras, seed_everything, tf
from common.tokenizers import SPECIAL_TOKENS, WordPieceTokenizer
from common.tokenizers.wordpiece import END

HEADS = 12
BATCHES = (1, 32)
GOAL = 10
_PROMPT = 8  # tokens
_STRIDE = 16  # without a memory one step in so many is measured
_END = SPECIAL_TOKENS.index(END)
_CHARACTERS = [chr(0x4E00 + index) for index in range(5000)]


class PlainPass:
    """The log-probabilities of the next token by bert4keras' own forward pass, which reads all tokens again: as the
    originals decode. One graph for all lengths, and logits of the last place alone: faster than the originals are."""

    def __init__(self, transformer: Any):
        self.layers = transformer.layers
        last = self.layers[f"Transformer-{transformer.num_hidden_layers - 1}-FeedForward-Norm-1"]
        self.states = keras.Model(transformer.model.inputs, last.output)
        signature = [tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((), tf.int32)]
        self.next = tf.function(self._next, input_signature=signature, autograph=False)

    def _next(self, ids, count):
        """Of the `count` last places, float (rows, count, tokens)."""
        states = self.states(ids, training=False)[:, -count:]
        return tf.nn.log_softmax(self.layers["Embedding-Token"](states, mode="dense"))


def random_model(layers: int, hidden_size: int, length: int) -> tuple[LanguageModel, Any]:
    """The same every time, with positions for a prompt and `length` tokens, and its transformer. hidden_size: a
    multiple of HEADS."""
    seed_everything(1)
    tokenizer = WordPieceTokenizer([*SPECIAL_TOKENS, *_CHARACTERS])
    config = {
        "hidden_size": hidden_size,
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS,
        "intermediate_size": 4 * hidden_size,
        "max_position_embeddings": _PROMPT + length,
        "vocab_size": len(tokenizer),
    }
    model = LanguageModel(tokenizer, checked_config(config, "config", MODEL))
    return model, model.transformer()


def prompts_of(model: LanguageModel, count: int) -> np.ndarray:
    """The same every time, int32 (count, tokens)."""
    generator = np.random.default_rng(1)
    return generator.integers(len(SPECIAL_TOKENS), len(model.tokenizer), (count, _PROMPT), np.int32)


def write(decoder: CachedDecoder, model: LanguageModel, prompts: np.ndarray, length: int) -> list[Hypothesis]:
    """One text of exactly `length` tokens for each prompt."""
    end = model.tokenizer.end_id
    rules = Rules(end, end, length, length, banned=tuple(range(end)))
    return [found for [found] in sample(decoder, {"token_ids": prompts}, rules, top_k=5, seed=1)]


def check_equal(plain: PlainPass, prompts: np.ndarray, found: Sequence[Hypothesis]) -> None:
    """Raises RuntimeError unless the plain pass gives the texts the same log-probabilities, to 1e-4 a token."""
    texts = np.array([one.tokens for one in found])
    ids = np.concatenate([prompts, texts], 1).astype(np.int32)
    count = texts.shape[1] + 1  # of the first token to that of the end
    for row, text, one in zip(ids, texts, found):
        scores = plain.next(row[None], count).numpy()[0]
        expected = scores[np.arange(len(text)), text].sum(dtype=np.float64)
        if one.finished:
            expected += scores[-1, _END]
        if not abs(expected - one.log_probability) < 1e-4 * count:
            raise RuntimeError(f"the memory changes a text: {one.log_probability} and {expected} without it")


def plain_seconds(plain: PlainPass, ids: np.ndarray) -> float:
    """The mean of a step, of the processor, over all steps of writing these texts, of which some are measured. ids: int32 (rows,
    length)."""
    seconds = []
    for length in range(_PROMPT + _STRIDE // 2, ids.shape[1], _STRIDE):
        begun = time.process_time()
        plain.next(ids[:, :length], 1).numpy()
        seconds.append(time.process_time() - begun)
    return float(np.mean(seconds))


def compare(layers: int, hidden_size: int, length: int, rounds: int) -> dict[str, float]:
    """Prints tokens per second of the processor in both ways, for each of BATCHES; the best of all rounds counts.
    Returns the figures by name."""
    model, transformer = random_model(layers, hidden_size, length)
    decoder, plain = CachedDecoder(transformer), PlainPass(transformer)
    for batch in (2, 1, 3):  # compiling, once for all sizes, is no part of the speed
        write(decoder, model, prompts_of(model, batch), 4)
    plain.next(prompts_of(model, 2), 1)
    figures: dict[str, float] = {}
    rows = []
    for batch in BATCHES:
        prompts = prompts_of(model, batch)
        cached, uncached = [], []
        for _ in range(rounds):
            begun = time.process_time()
            found = write(decoder, model, prompts, length)
            cached.append(batch * length / (time.process_time() - begun))
            check_equal(plain, prompts, found)
            ids = np.concatenate([prompts, [one.tokens for one in found]], 1).astype(np.int32)
            uncached.append(batch / plain_seconds(plain, ids))
        best = max(cached), max(uncached)
        figures |= {f"cached, batch {batch}": best[0], f"plain, batch {batch}": best[1]}
        rows.append([f"batch {batch}", f"{best[0]:,.0f}", f"{best[1]:,.1f}", f"{best[0] / best[1]:.1f}"])
    print(f"{layers} layers of {hidden_size}, texts of {length} tokens after {_PROMPT}")
    print(table(["tokens/CPU s", "with a memory", "without", f"ratio (goal {GOAL})"], rows))
    return figures
