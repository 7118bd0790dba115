"""common/layers/global_pointer.py against its formula, span by span, and against bert4keras."""

import numpy as np
import pytest

from common.decoders import spans_above
from common.keras_compat import keras, seed_everything, tf
from common.layers import EfficientGlobalPointer, GlobalPointer, text_mask
from common.layers.global_pointer import IMPOSSIBLE
from common.losses import sparse_multilabel_cross_entropy

BOTH = [GlobalPointer, EfficientGlobalPointer]


@pytest.fixture(autouse=True)
def seed():
    seed_everything(1)


def random(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def randomise(layer):
    generator = np.random.default_rng(7)
    layer.set_weights([generator.normal(0, 0.5, weight.shape) for weight in layer.get_weights()])


def turned(vector, position):
    """Pairs of elements as complex numbers: a turn is a product."""
    angles = position / 10000.0 ** (2 * np.arange(len(vector) // 2) / len(vector))
    pairs = (vector[::2] + 1j * vector[1::2]) * np.exp(1j * angles)
    return np.stack([pairs.real, pairs.imag], 1).ravel()


def slow_global_pointer(layer, states, head, first, last):
    kernel, bias = (weight.astype(np.float64) for weight in layer.get_weights())
    size = layer.head_size
    columns = slice(2 * size * head, 2 * size * (head + 1))
    query = (states[first] @ kernel + bias)[columns][:size]
    key = (states[last] @ kernel + bias)[columns][size:]
    return turned(query, first) @ turned(key, last) / size**0.5


def slow_efficient_global_pointer(layer, states, head, first, last):
    kernel, bias, class_kernel, class_bias = (weight.astype(np.float64) for weight in layer.get_weights())
    of_first, of_last = states[first] @ kernel + bias, states[last] @ kernel + bias
    bias = (of_first @ class_kernel + class_bias)[2 * head + 1] + (of_last @ class_kernel + class_bias)[2 * head]
    return turned(of_first[::2], first) @ turned(of_last[1::2], last) / layer.head_size**0.5 + bias / 2


@pytest.mark.parametrize(
    ("kind", "slow"), [(GlobalPointer, slow_global_pointer), (EfficientGlobalPointer, slow_efficient_global_pointer)]
)
def test_scores_against_a_slow_reference(kind, slow):
    layer, states, mask = kind(heads=3, head_size=6), random(2, 7, 5), np.ones((2, 7), np.int8)
    mask[1, 4:] = mask[0, 2] = 0  # a hole is not needed, but what is no token must not begin a span either
    layer(states, mask)
    randomise(layer)
    logits = layer(states, mask).numpy()
    assert logits.shape == (2, 3, 7, 7) and logits.dtype == np.float32
    for row, head, first, last in np.ndindex(logits.shape):
        if first <= last and mask[row, first] and mask[row, last]:
            np.testing.assert_allclose(
                logits[row, head, first, last], slow(layer, states[row], head, first, last), rtol=1e-4, atol=1e-5
            )
        else:
            assert logits[row, head, first, last] == IMPOSSIBLE


@pytest.mark.filterwarnings("ignore:The initializer LecunNormal")  # theirs is one for both kernels
@pytest.mark.parametrize("kind", BOTH)
def test_same_scores_as_bert4keras(kind):
    import bert4keras.layers

    states, mask = random(2, 9, 5), np.array([[1] * 9, [1] * 5 + [0] * 4], bool)
    layer = kind(heads=4, head_size=8)
    layer(states, mask)
    randomise(layer)
    theirs = getattr(bert4keras.layers, kind.__name__)(heads=4, head_size=8)
    inputs = keras.Input((9, 5))
    model = keras.Model(inputs, theirs(inputs, mask=tf.constant(mask)))
    theirs.set_weights(layer.get_weights())
    expected, ours = model(states).numpy(), layer(states, mask).numpy()
    np.testing.assert_array_equal(np.isneginf(expected), ours == IMPOSSIBLE)
    possible = np.isfinite(expected)
    assert possible.sum() == 4 * (45 + 15)
    np.testing.assert_allclose(ours[possible], expected[possible], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", BOTH)
def test_scores_do_not_depend_on_padding_or_on_where_a_text_begins(kind):
    layer, states = kind(heads=2, head_size=8), random(1, 6, 5)
    layer(states, np.ones((1, 6)))
    randomise(layer)
    alone = layer(states, np.ones((1, 6))).numpy()
    padded = layer(np.pad(states, ((0, 0), (0, 9), (0, 0)), constant_values=3.0), np.arange(15)[None] < 6).numpy()
    np.testing.assert_allclose(padded[:, :, :6, :6], alone, atol=1e-5)
    assert (padded[:, :, 6:] == IMPOSSIBLE).all() and (padded[:, :, :, 6:] == IMPOSSIBLE).all()
    # Rotary positions: only the distance of two tokens counts, so the same states further back score the same.
    shifted = layer(np.pad(states, ((0, 0), (20, 0), (0, 0))), np.ones((1, 26))).numpy()
    np.testing.assert_allclose(shifted[:, :, 20:, 20:], alone, atol=1e-4)
    same = np.tile(states[:, :1], (1, 6, 1))
    logits = layer(same, np.ones((1, 6))).numpy()
    assert len(np.unique(np.round(logits[0, 0, 0], 4))) == 6, "but the distance does count"


def test_an_impossible_score_is_a_number_in_every_precision():
    for kind in (tf.float16, tf.bfloat16):
        assert np.isfinite(tf.cast(tf.cast(IMPOSSIBLE, kind), tf.float32))
    assert np.exp(np.float32(IMPOSSIBLE)) == 0


@pytest.mark.parametrize("kind", BOTH)
def test_scores_are_float32_in_mixed_precision(kind):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        layer = kind(heads=2, head_size=4)
        logits = layer(tf.cast(random(1, 3, 5), tf.bfloat16), np.ones((1, 3)))
        assert logits.dtype == tf.float32 and all(weight.dtype == tf.float32 for weight in layer.weights)
        expected = layer(tf.cast(tf.cast(random(1, 3, 5), tf.bfloat16), tf.float32), np.ones((1, 3)))
        np.testing.assert_array_equal(logits, expected)
    finally:
        keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize("kind", BOTH)
def test_no_two_weights_start_equal(kind):
    layer = kind(heads=4, head_size=4)
    layer.build((None, None, 8))
    kernels = [weight.numpy() for weight in layer.weights if len(weight.shape) == 2]
    values = np.concatenate([kernel.ravel() for kernel in kernels])
    assert len(np.unique(values)) > 0.99 * len(values) and all(
        not weight.numpy().any() for weight in layer.weights if len(weight.shape) == 1
    )
    again = kind(heads=4, head_size=4)
    again.build((None, None, 8))
    assert (again.weights[0].numpy() != layer.weights[0].numpy()).all(), "nor do two layers"


def test_a_class_of_the_efficient_pointer_is_cheap():
    sizes = []
    for heads in (1, 2):
        layer = EfficientGlobalPointer(heads)
        layer.build((None, None, 100))
        sizes.append(layer.count_params())
    assert sizes[1] - sizes[0] == 4 * 64 + 2
    layer = GlobalPointer(2)
    layer.build((None, None, 100))
    assert layer.count_params() == 2 * 2 * 64 * 101


@pytest.mark.parametrize("kind", BOTH)
def test_the_config_makes_the_layer_again(kind):
    config = kind(heads=3, head_size=10, name="known").get_config()
    assert config["name"] == "known" and config["heads"] == 3 and config["head_size"] == 10
    assert kind.from_config(config).get_config() == config
    with pytest.raises(ValueError, match="even, not 7"):
        kind(heads=3, head_size=7)


@pytest.mark.parametrize("kind", BOTH)
def test_a_network_learns_nested_spans_and_its_weights_come_back(kind, tmp_path):
    def network():
        ids, positives = keras.Input((None,), dtype="int32"), keras.Input((4,), dtype="int32")
        states = keras.layers.Embedding(12, 16)(ids)
        logits = kind(heads=2, head_size=8)(states, ids > 0)
        model = keras.Model([ids, positives], logits)
        model.add_loss(tf.reduce_mean(sparse_multilabel_cross_entropy(positives, logits, axes=2)))
        return model

    ids = np.array([[3, 4, 5, 6, 7, 0], [8, 3, 9, 4, 10, 11]])
    gold = [[(0, 3, 0, -1), (1, 2, 0, -1), (1, 2, 1, -1)], [(2, 2, 1, -1), (0, 5, 0, -1)]]
    positives = np.array([(row, head, first, last) for row, spans in enumerate(gold) for first, last, head, _ in spans])
    model = network()
    optimizer = keras.optimizers.Adam(0.03)

    @tf.function
    def train():
        with tf.GradientTape() as tape:
            model([ids, positives], training=True)
            [loss] = model.losses
        optimizer.apply_gradients(zip(tape.gradient(loss, model.trainable_weights), model.trainable_weights))
        return loss

    for _ in range(80):
        loss = train()
    assert loss < 0.1
    model.save_weights(tmp_path / "model.weights.h5")
    other = network()
    other.load_weights(tmp_path / "model.weights.h5")
    for scores, spans in zip(other([ids, positives]).numpy(), gold):
        assert [span[:3] for span in spans_above(scores, 0.0)] == sorted(span[:3] for span in spans)


@pytest.mark.parametrize("ordered", [True, False])
def test_the_parts_of_a_factored_one_add_up_to_the_scores(ordered):
    states, mask = random(2, 6, 5), np.array([[0, 1, 1, 1, 1, 0], [0, 1, 1, 0, 0, 0]])
    whole, parts = (EfficientGlobalPointer(3, 4, factored=factored, ordered=ordered) for factored in (False, True))
    whole(states, mask), parts(states, mask)
    randomise(whole)
    parts.set_weights(whole.get_weights())
    pairs, first, last = (part.numpy().transpose(0, 2, 1) for part in parts(states, mask))
    logits = pairs.transpose(0, 2, 1)[:, None] + first[..., None] + last[:, :, None]
    scores = whole(states, mask).numpy()
    legal = scores > IMPOSSIBLE
    expected = mask[:, :, None] * mask[:, None] * (np.triu(np.ones((6, 6))) if ordered else 1)
    np.testing.assert_array_equal(legal, np.broadcast_to(expected[:, None], legal.shape) > 0)
    np.testing.assert_allclose(scores[legal], logits[legal], rtol=1e-5, atol=1e-5)
    assert (logits[~legal] < IMPOSSIBLE / 2).all()


def test_scores_of_a_new_network_begin_at_the_bias():
    states = np.zeros((1, 4, 5), np.float32)
    logits = EfficientGlobalPointer(2, 4, bias=-8.0)(states, np.ones((1, 4))).numpy()
    assert logits[0, 1, 1, 2] == -8.0


def test_text_is_what_is_between_the_special_tokens():
    found = text_mask(np.array([[2, 7, 8, 3, 0], [2, 3, 0, 0, 0]], np.int32)).numpy()
    assert found.tolist() == [[False, True, True, False, False], [False] * 5]
