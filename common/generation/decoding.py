"""Writing with a GPT2_ML, token by token: what common.decoders asks of a model, with keys and values kept.

A prompt is read in one pass, but for its last token, which the first step reads: whatever token is given to that step
stands for it.
"""

from typing import Any

from common.decoders import State
from common.generation.memory import attended, bias_of_texts, memory_of_nothing, memory_of_text, steps_of
from common.generation.steps import Steps
from common.keras_compat import keras, tf

_ATTENTION = "MultiHeadSelfAttention"
_PARTS = (_ATTENTION, "FeedForward-Norm-0", "FeedForward", "FeedForward-Norm-1")


class CachedDecoder(Steps):
    """Inputs are `token_ids`, int32 (prompts, longest), of at least one token, padded with 0.

    transformer: of `LanguageModel.transformer`. Equal to its `model` on prompt and text together, which computes all of
    them again for each token.
    """

    def __init__(self, transformer: Any):
        self.layers = transformer.layers
        self.blocks = [
            {part: self.layers[f"Transformer-{index}-{part}"] for part in _PARTS}
            for index in range(transformer.num_hidden_layers)
        ]
        seen = [block[_ATTENTION].input[0] for block in self.blocks]
        self.reading = keras.Model(transformer.model.inputs, seen)

    def first_state(self, inputs) -> State:
        tokens = inputs["token_ids"]
        lengths = tf.reduce_sum(tf.cast(tokens > 0, tf.int32), 1)
        attentions = [block[_ATTENTION] for block in self.blocks]
        seen = tf.nest.flatten(self.reading(tokens, training=False))
        prompt = {
            "memory": [memory_of_text(*both) for both in zip(attentions, seen)],
            "bias": bias_of_texts(lengths, tf.shape(tokens)[1]),
            "length": lengths,
            "last": tf.gather(tokens, lengths - 1, batch_dims=1),
        }
        count = tf.shape(tokens)[0]
        return State(prompt, [memory_of_nothing(attention, count, seen[0].dtype) for attention in attentions])

    def next_state(self, state: State, tokens):
        prompt, rows = state
        steps = steps_of(rows[0])
        ids = tf.where(steps == 0, prompt["last"][:, None], tokens)
        places = prompt["length"] - 1 + steps
        x = self.layers["Embedding-Token"](ids)
        x += tf.cast(tf.gather(self.layers["Embedding-Position"].embeddings, places), x.dtype)[:, None]
        x = self.layers["Embedding-Norm"](tf.reshape(x, [-1, x.shape[-1]]))
        memory = []
        for block, of_prompt, of_text in zip(self.blocks, prompt["memory"], rows):
            seen, of_text = attended(block[_ATTENTION], x, of_prompt, prompt["bias"], of_text)
            memory.append(of_text)
            x += seen
            x = block["FeedForward-Norm-1"](x + block["FeedForward"](block["FeedForward-Norm-0"](x)))
        logits = self.layers["Embedding-Token"](x, mode="dense")
        return tf.nn.log_softmax(logits), State(prompt, memory)
