"""common/layers/attention_patterns.py and nystrom.py, beside dense attention in numpy; and in transformers."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import common.layers.attention_patterns as attention_patterns
from common.attention_pattern import PATTERNS, AttentionPattern
from common.command_line import UserError
from common.encoders import build_encoder, load_encoder, save_encoder
from common.encoders.bert import BertEncoder
from common.keras_compat import seed_everything, set_precision, tf
from common.layers import atrous_attention, local_attention, nystrom_attention, sparse_attention
from common.optimizers.recompute import recompute
from common.options import EncoderOptions, TrainingOptions, check_combination
from common.tokenizers import SPECIAL_TOKENS, WordPieceTokenizer

from helpers import mostly_slow

HEADS, SIZE = 2, 4
SPARSE = [name for name in PATTERNS if name not in ("full", "nystrom")]


def case(lengths, leading, seed=0, scale=2.0):
    """queries, keys, values, mask, leading: texts of these lengths, padded."""
    generator = np.random.default_rng(seed)
    shape = (len(lengths), HEADS, max(lengths), SIZE)
    vectors = [scale * generator.normal(size=shape), *generator.normal(size=(2, *shape))]
    mask = np.arange(max(lengths)) < np.array(lengths)[:, None]
    return *(one.astype(np.float32) for one in vectors), mask, np.array(leading, np.int32)


def visible(pattern, mask, leading, window, rate):
    """bool (batch, queries, keys), token by token."""
    batch, length = mask.shape
    seen = np.zeros((batch, length, length), bool)
    for text, i, j in np.ndindex(seen.shape):
        near, multiple = abs(i - j) <= window, (i - j) % rate == 0
        within = {"local": near, "atrous": multiple, "sparse": near or multiple}.get(pattern, True)
        leads = i < leading[text] or j < leading[text]
        seen[text, i, j] = mask[text, j] and (within or leads)
    return seen


def dense(queries, keys, values, seen):
    """Attention with all scores, those that are not seen hidden."""
    scores = tf.where(seen[:, None], tf.matmul(queries, keys, transpose_b=True), -1e9)
    return tf.matmul(tf.nn.softmax(scores), values)


def attend(pattern, arguments, window=3, rate=4, landmarks=8, **kwargs):
    numbers = {"window": window, "rate": rate}
    named = {name: numbers[name] for flag in PATTERNS[pattern] for name in numbers if flag.endswith(name)}
    if pattern == "nystrom":
        return nystrom_attention(*arguments, landmarks=landmarks, **kwargs)
    functions = {"local": local_attention, "atrous": atrous_attention, "sparse": sparse_attention}
    return functions[pattern](*arguments, **named, **kwargs)


def of_tokens(values, mask):
    """The rows (tokens, heads, size) of what is no padding."""
    return np.asarray(values, np.float32).transpose(0, 2, 1, 3)[mask]


ALWAYS, NEVER = 1e9, 0.0  # in groups


@pytest.fixture(autouse=True)
def in_groups(monkeypatch):
    """However short a text is."""
    monkeypatch.setattr(attention_patterns, "_LARGEST_SHARE", ALWAYS)


@pytest.mark.parametrize("pattern", SPARSE)
@pytest.mark.parametrize("share", [ALWAYS, NEVER])
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_a_pattern_is_dense_attention_under_its_mask(share, pattern, data):
    attention_patterns._LARGEST_SHARE = share
    lengths = data.draw(st.lists(st.integers(1, 150), min_size=1, max_size=3))
    leading = [data.draw(st.integers(0, min(length, 6))) for length in lengths]
    window, rate = data.draw(st.integers(1, 160)), data.draw(st.integers(2, 160))
    arguments = case(lengths, leading)
    expected = dense(*arguments[:3], visible(pattern, *arguments[3:], window, rate))
    found = attend(pattern, arguments, window, rate)
    assert np.abs(of_tokens(found, arguments[3]) - of_tokens(expected, arguments[3])).max() < 1e-5


def test_a_short_text_is_not_cut_into_groups(monkeypatch):
    """Where that would take longer."""
    monkeypatch.undo()
    monkeypatch.setattr(attention_patterns, "_in_groups", lambda *_: tf.constant("groups"))
    monkeypatch.setattr(attention_patterns, "_dense", lambda *_: tf.constant("dense"))
    for length, expected in ((256, b"dense"), (400, b"groups"), (900, b"groups")):
        assert attend("local", case([length], [1]), window=64) == expected, length
    assert attend("sparse", case([400], [1]), window=64, rate=16) == b"dense"


@pytest.mark.parametrize("pattern", [*SPARSE, "nystrom"])
@pytest.mark.parametrize("length", [5, 37, 96])
def test_its_gradients_are_those_of_dense_attention(pattern, length):
    """Those of the Nystrom one where each token is a landmark."""
    arguments = case([length, 3], [1, 2])
    weights = np.random.default_rng(1).normal(size=(2, HEADS, length, SIZE)) * arguments[3][:, None, :, None]

    def gradients(function):
        vectors = [tf.constant(one) for one in arguments[:3]]
        with tf.GradientTape() as tape:
            tape.watch(vectors)
            loss = tf.reduce_sum(function(vectors) * weights)
        return [gradient.numpy() for gradient in tape.gradient(loss, vectors)]

    seen = visible(pattern, *arguments[3:], 3, 4)
    found = gradients(lambda vectors: attend(pattern, (*vectors, *arguments[3:]), landmarks=96))
    for one, other in zip(found, gradients(lambda vectors: dense(*vectors, seen))):
        assert np.abs(one - other).max() < 1e-5


def test_sparse_attention_sees_true_neighbours_and_each_token_once():
    """The original looks for neighbours at multiples of the rate, where the other half of it looks already."""
    queries, keys, _, mask, leading = case([20], [0], scale=0.0)
    seen = sparse_attention(queries, keys, np.eye(20, dtype=np.float32)[None, None], mask, leading, window=2, rate=5)
    expected = {5: 1, 8: 1, 9: 1, 10: 1, 11: 1, 12: 1, 15: 1, 0: 1}
    assert {j: round(8 * float(share)) for j, share in enumerate(seen[0, 0, 10]) if share > 1e-6} == expected


@pytest.mark.parametrize("pattern", [*SPARSE, "nystrom"])
@pytest.mark.parametrize("padding", [1, 30, 64])
def test_padding_is_never_seen(pattern, padding):
    arguments = case([41, 12, 3], [1, 5, 0])
    grown = [np.pad(one, [(0, 0), (0, 0), (0, padding), (0, 0)], constant_values=7) for one in arguments[:3]]
    mask = np.pad(arguments[3], [(0, 0), (0, padding)])
    found = attend(pattern, (*grown, mask, arguments[4]))[:, :, :41]
    expected = attend(pattern, arguments)
    assert np.abs(of_tokens(found, arguments[3]) - of_tokens(expected, arguments[3])).max() < 1e-5


@pytest.mark.parametrize("pattern", [*SPARSE, "nystrom"])
@pytest.mark.parametrize("dtype, tolerance", [("float16", 4e-3), ("bfloat16", 4e-2)])
def test_half_precision_bears_large_scores(pattern, dtype, tolerance):
    arguments = case([70, 33], [1, 1], scale=1.0)
    halves = [tf.cast(one, dtype) for one in arguments[:3]]
    expected = attend(pattern, (*(tf.cast(one, tf.float32) for one in halves), *arguments[3:]), landmarks=64)
    found = attend(pattern, (*halves, *arguments[3:]), landmarks=64)
    assert found.dtype == dtype
    # Beside the largest values: an approximate inverse has larger ones than the values it weighs.
    scale = max(1, np.abs(expected).max())
    assert np.abs(of_tokens(found, arguments[3]) - of_tokens(expected, arguments[3])).max() < tolerance * scale
    loud = attend(pattern, (halves[0] * 100, *halves[1:], *arguments[3:]), landmarks=64)
    assert np.isfinite(of_tokens(loud, arguments[3])).all()


@pytest.mark.parametrize("pattern", [*SPARSE, "nystrom"])
def test_the_size_of_a_head_is_known_while_the_graph_is_built(pattern):
    size, length, text = (
        tf.TensorSpec(shape, dtype)
        for shape, dtype in (([None, 1, None, 4], tf.float32), ([None, None], tf.bool), ([None], tf.int32))
    )
    traced = tf.function(lambda *arguments: attend(pattern, arguments)).get_concrete_function(
        size, size, size, length, text
    )
    assert traced.output_shapes[1:].as_list() == [1, None, 4]


@settings(deadline=None, max_examples=20)
@given(lengths=st.lists(st.integers(1, 60), min_size=1, max_size=3), more=st.integers(0, 20))
def test_nystrom_is_exact_where_each_token_is_a_landmark(lengths, more):
    arguments = case(lengths, [0] * len(lengths))
    expected = dense(*arguments[:3], visible("full", *arguments[3:], 1, 1))
    found = attend("nystrom", arguments, landmarks=max(lengths) + more)
    assert np.abs(of_tokens(found, arguments[3]) - of_tokens(expected, arguments[3])).max() < 1e-5


def slow_nystrom(queries, keys, values, landmarks):
    """One text and one head in numpy; the inverse is that of numpy."""

    def softmax(scores):
        weights = np.exp(scores - scores.max(1, keepdims=True))
        return weights / weights.sum(1, keepdims=True)

    segments = np.arange(len(queries)) * landmarks // len(queries)
    of_queries, of_keys = (
        np.stack([one[segments == segment].mean(0) for segment in range(landmarks)]) for one in (queries, keys)
    )
    inverse = np.linalg.inv(softmax(of_queries @ of_keys.T))
    return softmax(queries @ of_keys.T) @ inverse @ softmax(of_queries @ keys.T) @ values


def test_nystrom_against_a_slow_reference(monkeypatch):
    monkeypatch.setattr("common.layers.nystrom._ITERATIONS", 20)
    queries, keys, values, mask, leading = case([23, 17], [0, 0])
    found = nystrom_attention(queries, keys, values, mask, landmarks=3)
    for text, length in enumerate((23, 17)):
        for head in range(HEADS):
            expected = slow_nystrom(
                *(one[text, head, :length].astype(np.float64) for one in (queries, keys, values)), 3
            )
            assert np.abs(found[text, head, :length] - expected).max() < 1e-3 * max(1, np.abs(expected).max())


def test_nystrom_does_not_depend_on_the_other_texts():
    """The original scales the inverse by a norm of the whole batch."""
    alone = case([30], [0])
    others = case([30, 30], [0, 0], seed=5, scale=9.0)
    both = [np.concatenate([one, other[1:]]) for one, other in zip(alone, others)]
    assert np.abs(attend("nystrom", both)[0] - attend("nystrom", alone)[0]).max() < 1e-5


# In transformers

TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *map(chr, range(0x4E00, 0x4E00 + 60))])
CONFIG = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 80,
    "vocab_size": len(TOKENIZER),
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.3,
}
FAMILIES = ("albert", "bert", "electra", "roformer", "roformer_v2")


def pattern_of(attention, number=None):
    return AttentionPattern(attention, **{name: number or 4 for name in PATTERNS[attention]})


def network(attention, family="bert", number=None, layers=2):
    """The same weights whatever the pattern, large enough for attention to matter."""
    seed_everything(1)
    config = CONFIG | {"num_hidden_layers": layers}
    made = BertEncoder(TOKENIZER, config, 80, family, attention=pattern_of(attention, number)).network()
    for weight in made.trainable_weights:
        if len(weight.shape) > 1:
            weight.assign(weight * 10)
    return made


def pairs(length=60):
    """A pair, a short pair, and one text."""
    generator = np.random.default_rng(0)
    lengths, asked = np.array([length, length // 2, length - 7])[:, None], np.array([6, 4, 99])[:, None]
    places = np.arange(length)[None]
    tokens = np.where(places < lengths, generator.integers(5, len(TOKENIZER), (3, length)), 0)
    segments = (places >= asked) & (places < lengths)
    return {"token_ids": tokens.astype(np.int32), "segment_ids": segments.astype(np.int32)}


@pytest.mark.parametrize(
    ("attention", "family"),
    mostly_slow(
        product(["local", "sparse", "nystrom"], FAMILIES),
        *[("local", "bert"), ("sparse", "albert"), ("nystrom", "roformer")],
        reason="each pattern is tried by default, with one family",
    ),
)
def test_a_pattern_that_sees_all_is_full_attention(family, attention):
    inputs = pairs()
    real = inputs["token_ids"] > 0
    full = network("full", family, layers=1)(inputs)[0].numpy()[real]
    assert np.abs(network(attention, family, number=80, layers=1)(inputs)[0].numpy()[real] - full).max() < 2e-4
    assert np.abs(network(attention, family, layers=1)(inputs)[0].numpy()[real] - full).max() > 1e-2


def changed_by(made, place):
    """For each text the places whose states change when the token at this place does."""
    inputs = pairs()
    other = inputs["token_ids"].copy()
    other[:, place] = 5 + other[:, place] % 9
    before, after = (made(inputs | {"token_ids": tokens})[0].numpy() for tokens in (inputs["token_ids"], other))
    changed = (np.abs(before - after).max(2) > 1e-6) & (inputs["token_ids"] > 0)
    return [set(np.flatnonzero(text).tolist()) for text in changed]


def test_questions_and_cls_are_seen_by_all_and_see_all():
    made = network("local", layers=1)
    near = set(range(16, 25))
    assert changed_by(made, 20) == [near | set(range(6)), near | set(range(4)), near | {0}]
    assert changed_by(made, 3) == [set(range(60)), set(range(30)), set(range(8))]
    assert changed_by(made, 0) == [set(range(60)), set(range(30)), set(range(53))]


@pytest.mark.parametrize(
    "attention", mostly_slow([*SPARSE, "nystrom"], "local", "nystrom", reason="two patterns stand for all")
)
def test_recompute_repeats_the_dropout_of_a_pattern(attention):
    inputs = pairs()

    def gradients(recomputed):
        made = network(attention)
        if recomputed:
            recompute(made)

        @tf.function
        def step():
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(made(inputs, training=True)[0] ** 2)
            return tape.gradient(loss, made.trainable_weights)

        return [np.asarray(tf.convert_to_tensor(one)) for one in step()]

    for one, other in zip(gradients(False), gradients(True)):
        assert np.abs(one - other).max() <= 1e-3 * max(1e-3, np.abs(one).max())


@pytest.mark.parametrize(
    "attention", mostly_slow([*SPARSE, "nystrom"], "local", "nystrom", reason="two patterns stand for all")
)
def test_a_network_in_half_precision(attention):
    inputs = pairs()
    real = inputs["token_ids"] > 0
    full = network(attention, layers=1)(inputs)[0].numpy()[real]
    set_precision("float16")
    try:
        half = network(attention, layers=1)(inputs)[0].numpy()[real]
    finally:
        set_precision("no")
    assert np.isfinite(half).all() and np.abs(half - full).mean() < 0.05


def test_a_run_keeps_its_pattern(tmp_path):
    texts = ["一二三四五六七八九十"] * 3
    options = EncoderOptions(encoder="roformer", hidden_size=16, layers=1, attention="sparse", attention_rate=3)
    encoder = build_encoder(options, texts)
    save_encoder(encoder, tmp_path)
    assert load_encoder(tmp_path).attention == AttentionPattern("sparse", attention_window=64, attention_rate=3)
    file, whole = tmp_path / "encoder.json", (tmp_path / "encoder.json").read_text(encoding="utf-8")
    for old, new, message in (
        ('"sparse"', '"dense"', "kind 'dense', which must be full"),
        ('"attention_rate": 3', '"attention_rate": null', "--attention sparse: has no --attention-rate"),
        ('"attention_window": 64', '"attention_window": 70000', "must be at most 65536"),
    ):
        file.write_text(whole.replace(old, new), encoding="utf-8")
        with pytest.raises(UserError, match=message):
            load_encoder(tmp_path)


def test_defaults_fit_the_longest_window():
    assert EncoderOptions(encoder="bert", attention="local", max_length=20).pattern().attention_window == 20
    assert EncoderOptions(encoder="bert", attention="nystrom").pattern() == AttentionPattern("nystrom", landmarks=64)


@pytest.mark.parametrize(
    "flags, message",
    [
        ({"attention": "local", "attention_window": 0}, "--attention-window 0: must be at least 1"),
        ({"attention": "atrous", "attention_rate": 1}, "--attention-rate 1: must be at least 2"),
        ({"attention": "nystrom", "landmarks": 0}, "--landmarks 0: must be at least 1"),
        ({"attention": "local", "attention_window": 257}, "--attention-window 257: must be at most the 256 tokens"),
        ({"attention": "sparse", "attention_rate": 300}, "--attention-rate 300: must be at most the 256 tokens"),
        ({"attention": "nystrom", "landmarks": 4097}, "--landmarks 4097: must be at most the 256 tokens"),
        ({"attention": "local", "landmarks": 8}, "--landmarks 8: is for --attention nystrom, and this is local"),
        ({"attention_window": 8}, "--attention-window 8: is for --attention local or sparse, and this is full"),
    ],
)
def test_numbers_that_make_no_sense(flags, message):
    with pytest.raises(UserError, match=f"^{message}"):
        EncoderOptions(encoder="bert", **flags)


def test_a_light_encoder_has_no_attention():
    with pytest.raises(UserError, match="^--attention local: is for transformers, and --encoder dgcnn is none"):
        check_combination(EncoderOptions(attention="local"), TrainingOptions())


def test_a_nezha_has_full_attention_only():
    with pytest.raises(UserError, match="^--attention local: a NEZHA has it in full only"):
        BertEncoder(TOKENIZER, CONFIG, 80, "nezha", attention=pattern_of("local"))
