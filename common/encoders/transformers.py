"""bert4keras' transformers, made fit for mixed precision: what does not bear 16 bits is computed in float32.

That is the softmax of the attention, the statistics of normalisations, and the logits of the masked language model;
products of matrices, which are nearly all of the work, stay in 16 bits. Weights and names are bert4keras' own, and in
float32 so is the result.
"""

from functools import reduce
from typing import Any

import numpy as np

from common.attention_pattern import FULL, AttentionPattern
from common.command_line import UserError
from common.encoders.tensors import Tensors, brings
from common.keras_compat import keras, tf
from common.layers import (
    Dropout,
    atrous_attention,
    drop_out,
    local_attention,
    masked_softmax,
    nystrom_attention,
    sparse_attention,
)

from bert4keras import layers, models  # isort: skip - after keras_compat, which tells it the Keras to use

#: For each kind of pattern that is not full.
ATTENTIONS = {
    "local": local_attention,
    "atrous": atrous_attention,
    "sparse": sparse_attention,
    "nystrom": nystrom_attention,
}


class Embedding(layers.Embedding):
    """mode="dense", the logits of all tokens, in float32."""

    def call(self, inputs, mode="embedding"):
        if mode == "embedding":
            return super().call(inputs)
        return tf.matmul(tf.cast(inputs, tf.float32), self.embeddings, transpose_b=True)


class LayerNormalization(layers.LayerNormalization):
    """Returns the dtype of its input. In float16 the square of 256 overflows, and the epsilon of 1e-12 is 0."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs, dtype="float32", autocast=False)

    def call(self, inputs):
        return tf.cast(super().call(tf.cast(inputs, tf.float32)), inputs.dtype)


class MultiHeadAttention(layers.MultiHeadAttention, keras.__internal__.layers.BaseRandomLayer):
    """With the softmax in float32: kernels for half precision exponentiate in it, and weights come out wrong by 7 %.

    With dropout of the attention weights, `attention_dropout`, that can be repeated: bert4keras makes a new dropout
    layer at each call, which no seed reaches. Here each call in training draws one seed from the generator of the
    layer, which `seed_layers` restarts; all that follows is a function of its arguments, and so `recompute` may compute
    it twice.

    attention: which tokens see each other. In a pattern of less than all, `a_bias` is no bias, but how many first
    tokens of each text see all and are seen by all, int (batch,).
    """

    def __init__(self, *arguments, attention=FULL, **kwargs):
        super().__init__(*arguments, **kwargs)
        self.attention = attention

    def call(self, inputs, mask=None, training=None, **kwargs):
        seed = self._random_generator.make_seed_for_stateless_op() if training and self.attention_dropout else None
        return self.attend(inputs, mask, seed=seed, **kwargs)

    def attend(self, inputs, mask=None, **kwargs):
        return super().call(inputs, mask, **kwargs)

    def pay_attention_to(self, inputs, mask=None, a_bias=None, p_bias=None, seed=None):
        queries, keys, values, *others = inputs
        bias = others.pop(0) if a_bias else None
        if p_bias == "rotary":
            queries, keys = layers.apply_rotary_position_embeddings(others[0], queries, keys)
        # Scaled before the product, which could leave float16 otherwise. No einsum: on a CPU it adds up in 16 bits,
        # matmul in 32.
        queries, keys, values = (
            tf.transpose(vectors, [0, 2, 1, 3]) for vectors in (queries / self.key_size**0.5, keys, values)
        )
        if self.attention.kind != "full":
            return tf.transpose(self._in_pattern(queries, keys, values, mask[1], bias, seed), [0, 2, 1, 3]), None
        seen = [] if mask[1] is None else [mask[1][:, None, None]]
        if bias is not None:
            seen.append(bias[..., None, :, :])  # of a batch, or of all alike
        scores = tf.matmul(queries, keys, transpose_b=True)
        if p_bias == "typical_relative":
            scores += _in_float32("bhjd,jkd->bhjk", queries, others[0])
        weights = masked_softmax(scores, reduce(tf.logical_and, seen, True))
        if seed is not None:
            weights = drop_out(weights, self.attention_dropout, seed)
        outputs = tf.matmul(weights, values)
        if p_bias == "typical_relative":
            outputs += _in_float32("bhjk,jkd->bhjd", weights, others[0])
        return tf.transpose(outputs, [0, 2, 1, 3]), weights

    def _in_pattern(self, queries, keys, values, mask, leading, seed):
        def drop(weights, part):
            return weights if seed is None else drop_out(weights, self.attention_dropout, seed + part)

        attend = ATTENTIONS[self.attention.kind]
        return attend(queries, keys, values, mask, leading, **self.attention.arguments(), drop=drop)


def _in_float32(equation, one, other):
    """An einsum that is computed in float32, of the dtype of its arguments."""
    return tf.cast(tf.einsum(equation, tf.cast(one, tf.float32), tf.cast(other, tf.float32)), one.dtype)


_LAYERS = {
    layers.Dropout: Dropout,
    layers.Embedding: Embedding,
    layers.LayerNormalization: LayerNormalization,
    layers.MultiHeadAttention: MultiHeadAttention,
}
# Bias and activation of the logits.
_IN_FLOAT32 = (layers.ScaleOffset, layers.Activation)

_TRANSFORMERS = {
    "albert": models.ALBERT,
    "bert": models.BERT,
    "electra": models.ELECTRA,
    "gpt2_ml": models.GPT2_ML,
    "nezha": models.NEZHA,
    "roformer": models.RoFormer,
    "roformer_v2": models.RoFormerV2,
}


def without_values(shape, dtype=None):
    """An initializer for what `build_transformer` fills, all matrices that is: whatever the memory holds. Drawing is most
    of the work of building a large network, and memory that is not touched before its values are read is not taken."""
    return tf.raw_ops.Empty(shape=shape, dtype=dtype or tf.float32, init=False)


class _OurLayers:
    """Puts our layers in the place of bert4keras', heeds what of a config bert4keras does not, and leaves it to others
    to fill the matrices.

    attention: which tokens see each other. layer_norm_eps: None for that of bert4keras: 1e-12, or 1e-7 of NEZHA and
    RoFormer. max_relative_position: of NEZHA, the largest distance of tokens that is told from a larger one.
    """

    @property
    def initializer(self):
        return without_values

    def __init__(self, *arguments, attention=FULL, layer_norm_eps=None, max_relative_position=64, **kwargs):
        super().__init__(*arguments, **kwargs)
        self.attention = attention
        self.layer_norm_eps, self.max_relative_position = layer_norm_eps, max_relative_position

    def load_embeddings(self, embeddings):
        """The rows of the kept tokens, float32 as they come: bert4keras would copy the table once more."""
        return embeddings if self.keep_tokens is None else embeddings[self.keep_tokens]

    def compute_attention_bias(self, inputs=None):
        if self.attention.kind == "full":
            return super().compute_attention_bias(inputs)
        if self.attention_bias is None:
            self.attention_bias = self.apply(
                self.inputs, layers.Lambda, function=leading_tokens, name="Attention-Leading"
            )
        return self.attention_bias

    def apply(self, inputs=None, layer=None, arguments=None, **kwargs):
        if layer in _IN_FLOAT32:
            kwargs["dtype"] = "float32"
        elif layer is layers.LayerNormalization and self.layer_norm_eps is not None:
            kwargs["epsilon"] = self.layer_norm_eps
        elif layer is layers.RelativePositionEmbedding:
            kwargs["input_dim"] = 2 * self.max_relative_position + 1
        elif layer is layers.MultiHeadAttention:
            kwargs["attention"] = self.attention
        return super().apply(inputs, _LAYERS.get(layer, layer), arguments, **kwargs)


def leading_tokens(inputs):
    """How many first tokens of each text are to be seen by all, int (batch,): those of segment 0 in a pair, which are
    the question, and [CLS] otherwise. inputs: token and segment ids, int (batch, length)."""
    tokens, segments = inputs
    asked = tf.reduce_sum(tf.cast((tokens > 0) & (segments == 0), tf.int32), 1)
    return tf.where(tf.reduce_any(segments > 0, 1), asked, 1)


def transformer_class(model: str) -> type[models.Transformer]:
    """The class of bert4keras with this name ("bert", "nezha", ...) and our layers. Raises KeyError for other names."""
    return type(model, (_OurLayers, _TRANSFORMERS[model]), {})


def build_transformer(
    model: str,
    config: dict[str, Any],
    checkpoint: Tensors | None = None,
    kept_tokens: np.ndarray | None = None,
    attention: AttentionPattern = FULL,
    **options: Any,
) -> models.Transformer:
    """The bert4keras transformer of this name, with the weights of a checkpoint if there is one, and random ones
    elsewhere.

    config: see `checked_config`. kept_tokens: the checkpoint's ids of the tokens that there are; None for all of them.
    options: further ones of build_transformer_model. Raises UserError when the checkpoint cannot be read, or does not
    fit its config.
    """
    config = {
        **config,
        "max_position": config["max_position_embeddings"],
        "segment_vocab_size": config.get("type_vocab_size", 2),
        "attention_dropout_rate": config.get("attention_probs_dropout_prob", 0.1),
        "dropout_rate": config.get("hidden_dropout_prob", 0.1),
        "keep_tokens": None if kept_tokens is None else kept_tokens.tolist(),
        "attention": attention,
        **options,
    }
    transformer = models.build_transformer_model(model=transformer_class(model), return_keras_model=False, **config)
    read = {id(weight) for weight in load_weights(transformer, checkpoint)} if checkpoint is not None else set()
    _draw([weight for weight in transformer.model.trainable_weights if id(weight) not in read])
    return transformer


def _draw(weights: list[tf.Variable]) -> None:
    """Give every matrix values of its own: bert4keras shares one initializer, which gives tf_keras matrices of equal
    values, and query, key, value and output of an attention would start, and so partly stay, the same. Ours gives them
    none at all (`without_values`)."""
    for weight in weights:
        if len(weight.shape) > 1:
            initializer = keras.initializers.TruncatedNormal(stddev=0.02, seed=np.random.randint(2**31))
            weight.assign(initializer(weight.shape))


def load_weights(transformer: models.Transformer, tensors: Tensors) -> list[tf.Variable]:
    """Read a checkpoint into a transformer, and return the weights that it filled. Raises UserError when it cannot be
    read, or when a tensor is missing, of another shape or type, or has values that are no numbers."""
    # The largest first: what a matrix leaves is room for the next, in a heap that may not be given back.
    wanted = sorted(_wanted(transformer, tensors), key=lambda one: -one[1].shape.num_elements())
    for (name, weight), values in zip(wanted, tensors.read([name for name, _ in wanted])):
        if not np.isfinite(values).all():
            raise UserError(
                f"{tensors.path}: {tensors.name_in_file(name)} has values that are no numbers - take another checkpoint"
            )
        weight.assign(transformer.load_variable({name: values}, name))
    return [weight for _, weight in wanted]


def _wanted(transformer: models.Transformer, tensors: Tensors) -> list[tuple[str, tf.Variable]]:
    """The tensors that the transformer needs, and its weights that take them."""
    shapes = tensors.shapes
    has_head, has_pooler = brings(shapes, "head"), brings(shapes, "pooler")  # what is missing is learned anew
    mapping = transformer.variable_mapping()
    [embeddings] = mapping["Embedding-Token"]
    wanted = []
    for layer, names in mapping.items():
        if layer not in transformer.layers or (layer.startswith("MLM-") and not has_head):
            continue
        if layer.startswith("Pooler") and not has_pooler:
            continue
        for weight, name in zip(transformer.layers[layer].trainable_weights, names):
            shape = tuple(weight.shape)
            if transformer.keep_tokens is not None and layer in ("Embedding-Token", "MLM-Bias"):
                shape = shapes[embeddings][0], *shape[1:]
            if shapes.get(name) != shape:
                raise UserError(
                    f"{tensors.path}: does not fit its config ({tensors.name_in_file(name)} is {shapes.get(name, 'missing')} and not {shape}) - take both from one checkpoint"
                )
            wanted.append((name, weight))
    return wanted
