"""common/encoders: what each encoder promises, and BERT checkpoints against a forward pass in plain numpy."""

import json
import math
import shutil
import tracemalloc

import numpy as np
import pytest

from common.command_line import UserError
from common.encoders import build_encoder, load_encoder, save_encoder
from common.encoders.bert import BertEncoder
from common.encoders.bert_config import weight_count
from common.encoders.light import LightEncoder
from common.generators import pad_features
from common.keras_compat import keras, seed_everything, tf
from common.losses import batch_mean
from common.optimizers import build_optimizer
from common.optimizers.training_model import TrainingModel
from common.options import EncoderOptions, TrainingOptions
from common.runs.weights import assign, load_arrays, named_values, save_arrays
from common.tokenizers import SPECIAL_TOKENS, pair_windows, windows

import tiny_training
from helpers import mostly_slow

import bert4keras.models  # isort: skip - after keras_compat, which tells it the Keras to use

TEXTS = [
    "陆青河在2011年写完了小说《南山的灯》，第二年由云桥出版社出版",
    "电影《南山的灯》由周不凡执导，陆青河编剧，票房2.5亿元",
    "周不凡毕业于澜江戏剧学院，妻子是歌手林晚秋",
    "AB12公司",
]


def from_nothing(kind, **options):
    return build_encoder(
        EncoderOptions(**{"encoder": kind, "hidden_size": 16, "layers": 2, "max_length": 48, **options}), TEXTS * 3
    )


def with_network(kind, seed=1):
    seed_everything(seed)
    encoder = from_nothing(kind)
    return encoder, encoder.network()


@pytest.fixture(
    scope="module",
    params=mostly_slow(
        ["dgcnn", "bilstm", "on_lstm", "bert"], "dgcnn", "bilstm", "bert", reason="built and read as a BiLSTM is"
    ),
)
def built(request):
    """An encoder of each kind, and its network; no test changes them."""
    return request.param, *with_network(request.param)


def features(encoder, text):
    return encoder.features(text, windows(encoder.tokenizer, encoder.tokenizer.tokenize(text), encoder.max_length))


def batch_of(encoder, texts):
    return pad_features([window for text in texts for window in features(encoder, text)])


# Every encoder


def test_windows_and_their_features_are_held_in_few_bytes(built):
    """As in training, where they stay: labelled, with the places of spans looked up in each."""
    kind, encoder, _ = built
    texts = [f"{number}号{text}" for number in range(400) for text in TEXTS[:3]]
    held = []
    tracemalloc.start()
    for text in texts:
        [window] = windows(encoder.tokenizer, encoder.tokenizer.tokenize(text), encoder.max_length)
        assert window.token_span(0, text.index("号"))
        held.append((window, encoder.features(text, [window])[0]))
    size = tracemalloc.get_traced_memory()[0] / len(texts)  # what is remembered elsewhere, too
    tracemalloc.stop()
    assert size < 2500, f"{size:.0f} bytes of a {kind} window"


def test_pairs_are_held_in_few_bytes(built):
    kind, encoder, _ = built
    question, context = "谁写了《南山的灯》", "".join(TEXTS) * 20
    asked, tokens = encoder.tokenizer.tokenize(question), encoder.tokenizer.tokenize(context)
    pairs = pair_windows(encoder.tokenizer, asked, tokens, max_length=512, stride=512)
    arrays = encoder.pair_features(question, asked, context, tokens, pairs)
    size = sum(array.nbytes for array in arrays[0].values()) + pairs[0].encoding.offsets.nbytes
    expected = 2 + 1 + 4 + (0 if kind == "bert" else 1 + 1 + 1 + 1 + 8)  # the last eight: two float32 of coverage
    assert len(pairs[0]) == 512 and size == 512 * expected


def test_shapes_and_names(built):
    kind, encoder, network = built
    assert isinstance(encoder, BertEncoder if kind == "bert" else LightEncoder)
    inputs = batch_of(encoder, TEXTS)
    assert set(inputs) == {tensor.name for tensor in network.inputs} and "token_ids" in inputs
    assert all(values.dtype == np.int32 for values in inputs.values())
    states, residual = network(inputs)
    assert states.shape == residual.shape == (len(TEXTS), max(map(len, TEXTS)) + 2, 16)
    assert encoder.size == 16 and encoder.max_length == 48


def test_states_are_the_residual_after_the_last_normalisation(built):
    kind, encoder, network = built
    states, residual = (tensor.numpy() for tensor in network(batch_of(encoder, TEXTS)))
    centred = residual - residual.mean(-1, keepdims=True)
    # 1e-3: the epsilon of Keras' own layer normalisation.
    expected = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + (1e-7 if kind == "bert" else 1e-3))
    np.testing.assert_allclose(states, expected, atol=1e-4)


def test_padding_changes_nothing(built):
    _, encoder, network = built
    shortest, others = features(encoder, TEXTS[3])[0], batch_of(encoder, TEXTS)
    length = len(shortest["token_ids"])
    alone = network({name: values[None] for name, values in shortest.items()})
    among = network(others)
    for one, other in zip(alone, among):
        np.testing.assert_allclose(one[0], other[3, :length], atol=1e-5)
    assert np.abs(alone[0]).max() > 0.1


def test_neighbours_are_seen_on_both_sides(built):
    _, encoder, network = built
    inputs = batch_of(encoder, TEXTS[:1])
    other = {name: values.copy() for name, values in inputs.items()}
    other["token_ids"][0, 10] = encoder.tokenizer.start_id
    difference = np.abs(network(other)[0] - network(inputs)[0])[0].max(-1)
    assert difference[9] > 1e-4 and difference[11] > 1e-4


def test_a_saved_encoder_with_its_weights_is_the_same_encoder(built, tmp_path):
    _, encoder, network = built
    save_encoder(encoder, tmp_path)
    seed_everything(2)
    loaded = load_encoder(tmp_path)
    assert type(loaded) is type(encoder)
    assert (loaded.size, loaded.max_length, loaded.dropout) == (encoder.size, encoder.max_length, encoder.dropout)
    again = loaded.network()
    assert not all(map(np.array_equal, again.get_weights(), network.get_weights())), "another seed, the same weights"
    again.set_weights(network.get_weights())
    for one, other in zip(again(batch_of(loaded, TEXTS)), network(batch_of(encoder, TEXTS))):
        np.testing.assert_array_equal(one, other)


def test_one_seed_gives_one_network(built):
    kind, _, network = built
    assert all(map(np.array_equal, with_network(kind)[1].get_weights(), network.get_weights()))


def test_no_two_matrices_start_with_equal_values(built):
    seen = {}
    for weight in built[2].weights:
        if len(weight.shape) > 1:
            start = weight.numpy().ravel()[:16]
            start = tuple((start / start[0]).round(4))  # two initializers may scale the same random numbers differently
            assert start not in seen, f"{weight.name} starts as {seen[start]}"
            seen[start] = weight.name
    assert len(seen) >= 5


def test_query_key_value_and_output_of_a_new_bert_differ():
    _, network = with_network("bert")
    for layer in range(2):
        attention = [weight.numpy() for weight in network.weights if f"Transformer-{layer}-MultiHead" in weight.name]
        kernels = [weight for weight in attention if weight.shape == (16, 16)]
        assert len(kernels) == 4
        for index, kernel in enumerate(kernels):
            assert kernel.std() == pytest.approx(0.02, rel=0.3)
            assert all(np.abs(kernel - other).max() > 0.01 for other in kernels[:index])


def test_dropout_is_off_unless_training(built):
    _, encoder, network = built
    inputs = batch_of(encoder, TEXTS)
    np.testing.assert_array_equal(network(inputs)[0], network(inputs)[0])
    assert np.abs(network(inputs, training=True)[0] - network(inputs)[0]).max() > 0.01


def test_a_long_text_is_several_windows_with_features_each():
    encoder = from_nothing("dgcnn", max_length=16)
    parts = features(encoder, TEXTS[0] + TEXTS[1])
    assert len(parts) > 1 and all(len(values) <= 16 for part in parts for values in part.values())
    assert features(encoder, "")[0]["token_ids"].tolist() == [encoder.tokenizer.start_id, encoder.tokenizer.end_id]


def test_words_and_their_places_come_with_every_character():
    encoder = LightEncoder.from_texts(TEXTS * 5, EncoderOptions(hidden_size=8))
    [window] = features(encoder, TEXTS[1])
    name = TEXTS[1].index("编剧")
    assert window["word_positions"][name + 1 : name + 3].tolist() == [1, 3]
    assert window["word_ids"][name + 1] == window["word_ids"][name + 2] == encoder.words.ids["编剧"]
    assert window["word_ids"][[0, -1]].tolist() == window["word_positions"][[0, -1]].tolist() == [0, 0]


# Word vectors


#: Words of TEXTS, words of none of them, and one that is blank.
VECTORS = {
    "电影": [2, 0, 1, 1, 0],
    "天气": [0, 1, 0, -1, 2],
    "小说": [1, 0, 0, 2, 1],
    "\u3000": [9, 9, 9, 9, 9],
    "编剧": [0, -2, 1, 0, 0],
    "歌手": [1, 1, 1, 1, 1],
    "公司": [-1, 0, 3, 0, 1],
    "火车": [0, 0, 0, 0, 1],
}


@pytest.fixture
def vectors_file(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text(
        f"{len(VECTORS)} 5\n" + "".join(f"{word} {' '.join(map(str, values))}\n" for word, values in VECTORS.items()),
        encoding="utf-8",
    )
    return path


def word_table(network):
    [table] = [weight for weight in network.weights if weight.name == "word_ids_embedding/embeddings:0"]
    return table


def test_vectors_of_a_file_are_the_words_of_the_network(vectors_file, capsys):
    encoder = from_nothing("dgcnn", word_vectors=vectors_file)
    assert "vectors   7 words of size 5, 5 of the " in capsys.readouterr().out
    assert encoder.words.words == ["电影", "小说", "编剧", "歌手", "公司", "天气", "火车"], (
        "first the words of the texts"
    )
    table = word_table(encoder.network()).numpy()
    given = np.array([VECTORS[word] for word in encoder.words.words])
    np.testing.assert_allclose(table[2:], given * 0.05 / np.sqrt((given**2).mean()), rtol=1e-5)
    np.testing.assert_allclose(table[:2], [np.zeros(5), table[2:].mean(0)], atol=1e-7)
    assert table.shape == (9, 5) and table.dtype == np.float32
    ids = features(encoder, "电影和天气")[0]["word_ids"]
    assert ids[[1, 2, 4, 5]].tolist() == [2, 2, 7, 7] and ids[3] == 1, "a word that only other texts have is known too"


@pytest.mark.parametrize("factor", [1e-30, 1e3, 1e37])
def test_the_scale_of_a_file_does_not_matter(vectors_file, factor):
    table = from_nothing("dgcnn", word_vectors=vectors_file).word_table
    lines = [line.split(" ") for line in vectors_file.read_text("utf-8").splitlines()[1:]]
    scaled = [" ".join([*fields[:-5], *(repr(float(value) * factor) for value in fields[-5:])]) for fields in lines]
    vectors_file.write_text("\n".join(scaled) + "\n", encoding="utf-8")
    np.testing.assert_allclose(from_nothing("dgcnn", word_vectors=vectors_file).word_table, table, rtol=1e-4)


def test_vectors_of_a_file_are_not_trained(vectors_file):
    encoder = from_nothing("dgcnn", word_vectors=vectors_file)
    network, inputs = encoder.network(), batch_of(encoder, TEXTS)
    table = word_table(network)
    before = table.numpy()
    assert [weight.name for weight in network.non_trainable_weights] == [table.name]
    [projection] = [weight for weight in network.weights if weight.name.startswith("word_projection")]
    assert projection.shape == (5, 16)
    assert from_nothing("dgcnn").network().non_trainable_weights == []
    optimizer = build_optimizer(TrainingOptions(epochs=1, warmup=0), 1e-2, 10)
    projected = projection.numpy()
    optimizer.minimize(
        lambda: tf.reduce_mean(tf.square(network(inputs, training=True)[1] - 1.0)), network.trainable_weights
    )
    np.testing.assert_array_equal(table, before)
    assert (projection.numpy() != projected).all()
    assert not any(variable.shape == table.shape for variable in optimizer.variables), (
        "the optimizer keeps nothing for it"
    )


def test_a_run_does_not_need_the_vectors_file_any_more(vectors_file, tmp_path):
    encoder = from_nothing("dgcnn", word_vectors=vectors_file)
    network, pairs = encoder.network(), encoder.pair_network()
    run = tmp_path / "run"
    run.mkdir()
    save_encoder(encoder, run)
    for name, each in (("one", network), ("pair", pairs)):
        save_arrays(run / name, {"model": named_values(each.weights)})
    vectors_file.unlink()
    loaded = load_encoder(run)
    assert loaded.word_table is None and loaded.words.words == encoder.words.words
    for name, each, again in (("one", network, loaded.network()), ("pair", pairs, loaded.pair_network())):
        assign(again.weights, load_arrays(run / name, "model"), run / name)
        assert len(again.trainable_weights) == len(each.weights) - 1
        assert all(map(np.array_equal, again.get_weights(), each.get_weights()))
    inputs = batch_of(encoder, TEXTS)
    again = loaded.network()
    again.set_weights(network.get_weights())
    np.testing.assert_array_equal(again(batch_of(loaded, TEXTS))[0], network(inputs)[0])


def test_a_run_with_vectors_resumes_exactly(vectors_file, tmp_path, monkeypatch):
    encoder = from_nothing("dgcnn", word_vectors=vectors_file)
    rows = [window for text in TEXTS * 3 for window in features(encoder, text)]
    monkeypatch.setattr(tiny_training, "EXAMPLES", rows)
    monkeypatch.setattr(tiny_training, "LENGTHS", [len(row["token_ids"]) for row in rows])
    monkeypatch.setattr(tiny_training, "collate", lambda batch, generator: pad_features(batch))

    def train(run, encoder, callbacks=()):
        def build():
            return TrainingModel(encoder.network(), loss)

        def loss(batch, outputs):
            return [batch_mean("loss", tf.reduce_mean(tf.square(outputs[1] - 1.0), [1, 2]), batch["token_ids"])]

        monkeypatch.setattr(tiny_training, "build", build)
        return tiny_training.train(run, epochs=3, callbacks=callbacks)[0].get_weights()

    def interrupted(epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    whole, killed = tiny_training.new_run(tmp_path), tiny_training.new_run(tmp_path, "killed")
    save_encoder(encoder, killed.path)
    expected = train(whole, encoder)
    with pytest.raises(KeyboardInterrupt):
        train(killed, encoder, [keras.callbacks.LambdaCallback(on_epoch_end=interrupted)])
    vectors_file.unlink()
    assert all(map(np.array_equal, train(killed, load_encoder(killed.path)), expected))


def test_the_size_of_learned_vectors():
    for size in (64, 12):
        assert word_table(from_nothing("dgcnn", word_size=size).network()).shape[1] == size
    many = " ".join(f"a{number}" for number in range(1000))
    encoder = LightEncoder.from_texts([many] * 3, EncoderOptions(word_size=0))
    assert len(encoder.words.words) == 1000 and encoder.settings.word_size == 58


def test_a_run_from_before_there_were_files_of_vectors(tmp_path):
    encoder = from_nothing("dgcnn")
    save_encoder(encoder, tmp_path)
    stored = json.loads((tmp_path / "encoder.json").read_text())
    del stored["fixed_words"]
    (tmp_path / "encoder.json").write_text(json.dumps(stored))
    assert load_encoder(tmp_path).settings == encoder.settings


def test_a_file_of_vectors_that_is_none(vectors_file):
    vectors_file.write_text("2 3\n天 1 2\n", encoding="utf-8")
    assert f"{vectors_file}:2: 2 values instead of 3" in error_of(
        lambda: from_nothing("dgcnn", word_vectors=vectors_file)
    )


# A question and a context


PAIRS = [
    ("南山的灯是谁写的", "陆青河在2011年写完了小说《南山的灯》，第二年出版"),
    ("林晚秋的丈夫", "周不凡的妻子是歌手林晚秋"),
    ("票房", "电影《南山的灯》由周不凡执导，票房2.5亿元"),
    ("", "AB12公司"),
    ("电影由哪家公司出版？陆青河还是云桥", "电影。"),
]


def pair_features(encoder, question, context, stride=10):
    """The features of all windows, and the windows."""
    asked, tokens = encoder.tokenizer.tokenize(question), encoder.tokenizer.tokenize(context)
    pairs = pair_windows(encoder.tokenizer, asked, tokens, encoder.max_length, stride)
    return encoder.pair_features(question, asked, context, tokens, pairs), pairs


def context_states(encoder, network, pairs, padding=0):
    """For each pair (one window each) the states of the tokens of its context, and the residuals; all pairs in one
    batch."""
    made = [pair_features(encoder, *pair) for pair in pairs]
    inputs = pad_features([features for [features], _ in made])
    inputs = {
        name: np.pad(values, [(0, 0), (0, padding), *[(0, 0)] * (values.ndim - 2)]) for name, values in inputs.items()
    }
    outputs = [tensor.numpy() for tensor in network(inputs)]
    masks = [window.is_context for _, [window] in made]
    return [np.stack([output[row, : len(mask)][mask] for output in outputs]) for row, mask in enumerate(masks)]


@pytest.fixture(
    scope="module",
    params=[
        "dgcnn",
        pytest.param(
            "bilstm", marks=pytest.mark.slow(reason="a slow graph; texts that are no pairs show its cells above")
        ),
        "on_lstm",
        "bert",
    ],
)
def reader(request):
    """An encoder for pairs of each kind, and its network with weights of no special value; no test changes them."""
    seed_everything(1)
    # Three layers: one of them after question and context have met half-way.
    encoder = build_encoder(EncoderOptions(encoder=request.param, hidden_size=8, layers=3, max_length=64), TEXTS * 3)
    network = encoder.pair_network()
    generator = np.random.default_rng(3)
    network.set_weights([weight + generator.normal(0, 0.2, weight.shape) for weight in network.get_weights()])
    return request.param, encoder, network


def test_shapes_and_names_of_pairs(reader):
    kind, encoder, network = reader
    made = [pair_features(encoder, *pair) for pair in PAIRS]
    inputs = pad_features([features for [features], _ in made])
    assert set(inputs) == {tensor.name for tensor in network.inputs} >= {"token_ids", "segment_ids"}
    for tensor in network.inputs:
        assert inputs[tensor.name].dtype == tensor.dtype.as_numpy_dtype and inputs[tensor.name].ndim == len(
            tensor.shape
        )
    for [features], [window] in made:
        assert features["token_ids"].tolist() == window.encoding.ids.tolist()
        assert features["segment_ids"].tolist() == window.segment_ids.tolist()
        assert {len(values) for values in features.values()} == {len(window)}
    states, residual = network(inputs)
    assert states.shape == residual.shape == (*inputs["token_ids"].shape, 8)
    assert np.isfinite(states).all() and np.isfinite(residual).all()


def test_states_of_a_context_depend_on_its_own_pair_alone(reader):
    _, encoder, network = reader
    together = context_states(encoder, network, PAIRS)
    padded = context_states(encoder, network, PAIRS, padding=25)
    for pair, one, other in zip(PAIRS, together, padded):
        [alone] = context_states(encoder, network, [pair])
        np.testing.assert_allclose(one, alone, atol=1e-4)
        np.testing.assert_allclose(other, alone, atol=1e-4)
        assert alone.std() > 0.1


def test_the_question_acts_on_every_token_of_the_context(reader):
    kind, encoder, network = reader
    context = PAIRS[0][1]
    # Neither question shares anything with the context, so that only the reading of the question itself can tell them
    # apart.
    asked = [("林晚秋", context), ("妻子歌手", context)]
    one, other = context_states(encoder, network, asked)
    assert (np.abs(one - other).max(-1) > 1e-3).all()


def test_the_context_acts_on_itself(reader):
    _, encoder, network = reader
    one, other = context_states(encoder, network, [("谁", "陆青河写完了小说"), ("谁", "林青河写完了小说")])
    assert (np.abs(one - other).max(-1)[:, 1] > 1e-4).all()


def test_a_new_pair_network_already_lets_the_question_act(reader):
    kind, encoder, _ = reader
    seed_everything(4)
    one, other = context_states(encoder, encoder.pair_network(), [("林晚秋", PAIRS[0][1]), ("妻子歌手", PAIRS[0][1])])
    assert (np.abs(one - other).max(-1) > 1e-6).all()


def test_a_saved_encoder_reads_pairs_alike(reader, tmp_path):
    _, encoder, network = reader
    save_encoder(encoder, tmp_path)
    loaded = load_encoder(tmp_path)
    for pair in PAIRS:
        for one, other in zip(pair_features(encoder, *pair)[0], pair_features(loaded, *pair)[0], strict=True):
            assert one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)
            assert all(one[name].dtype == other[name].dtype for name in one)
    seed_everything(9)
    again = loaded.pair_network()
    again.set_weights(network.get_weights())
    for one, other in zip(context_states(loaded, again, PAIRS), context_states(encoder, network, PAIRS)):
        np.testing.assert_array_equal(one, other)


def test_every_window_of_a_long_context_gets_its_part_of_the_features():
    question, context = PAIRS[0][0], "，".join(TEXTS)
    encoder, small = from_nothing("dgcnn", max_length=512), from_nothing("dgcnn", max_length=24)
    [[whole], [one]], [parts, pairs] = (
        pair_features(encoder, question, context),
        pair_features(small, question, context),
    )
    assert len(parts) > 3 and one.asked == pairs[0].asked == 8
    begin = one.asked + 2
    for part, pair in zip(parts, pairs):
        size = pair.is_context.sum()
        for name, values in part.items():
            np.testing.assert_array_equal(values[:begin], whole[name][:begin])
            np.testing.assert_array_equal(values[begin:-1], whole[name][begin + pair.first : begin + pair.first + size])
            # The last [SEP] belongs to the second segment, and has no other values.
            np.testing.assert_array_equal(values[-1], whole[name][-1])


def test_light_pair_features_by_hand():
    encoder = from_nothing("dgcnn")
    [features], _ = pair_features(encoder, "谁写南山", "写南山。")
    assert features["shared"].tolist() == [0, 0, 1, 1, 1, 0, 7, 15, 15, 0, 0]
    assert features["coverage"][:6].tolist() == [[0, 0]] * 6 and features["coverage"][-1].tolist() == [0, 0]
    assert (features["coverage"][6:10] > 0.3).all() and features["coverage"].dtype == np.float32
    assert features["word_positions"].tolist() == [0, 4, 4, 1, 3, 0, 4, 1, 3, 4, 0]
    assert features["segment_ids"].tolist() == [0] * 6 + [1] * 5
    kinds = features["parts_of_speech"].tolist()
    assert (
        kinds[3] == kinds[4] == kinds[7] == kinds[8] > 0
        and kinds[0] == kinds[5] == kinds[10] == 0
        and len(set(kinds)) == 5
    )


def test_bert_heads_must_divide_its_size():
    with pytest.raises(UserError, match="--hidden-size 129.* 2 attention heads"):
        from_nothing("bert", hidden_size=129)


# Checkpoints


SIZE, LAYERS, HEADS, INNER, POSITIONS = 8, 2, 2, 12, 32
CONFIG = {
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": SIZE,
    "initializer_range": 0.02,
    "intermediate_size": INNER,
    "max_position_embeddings": POSITIONS,
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "type_vocab_size": 2,
}
VOCABULARY = [*SPECIAL_TOKENS, *sorted(set("".join(TEXTS).lower()) - {"《", " "})]


def random_weights():
    """Weights under the names of the original BERT code, large enough that every part of the network matters."""
    generator = np.random.default_rng(0)

    def draw(*shape):
        return generator.normal(0, 0.5, shape).astype(np.float32)

    weights = {
        "bert/embeddings/word_embeddings": draw(len(VOCABULARY), SIZE),
        "bert/embeddings/position_embeddings": draw(POSITIONS, SIZE),
        "bert/embeddings/token_type_embeddings": draw(2, SIZE),
        "bert/embeddings/LayerNorm/gamma": 1 + draw(SIZE),
        "bert/embeddings/LayerNorm/beta": draw(SIZE),
        "bert/pooler/dense/kernel": draw(SIZE, SIZE),
        "bert/pooler/dense/bias": draw(SIZE),
        "cls/predictions/output_bias": draw(len(VOCABULARY)),
        "global_step": np.int64(7),
    }
    for layer in range(LAYERS):
        dense = {
            "attention/self/query": (SIZE, SIZE),
            "attention/self/key": (SIZE, SIZE),
            "attention/self/value": (SIZE, SIZE),
            "attention/output/dense": (SIZE, SIZE),
            "intermediate/dense": (SIZE, INNER),
            "output/dense": (INNER, SIZE),
        }
        for name, shape in dense.items():
            weights[f"bert/encoder/layer_{layer}/{name}/kernel"] = draw(*shape)
            weights[f"bert/encoder/layer_{layer}/{name}/bias"] = draw(shape[1])
        for name in ("attention/output", "output"):
            weights[f"bert/encoder/layer_{layer}/{name}/LayerNorm/gamma"] = 1 + draw(SIZE)
            weights[f"bert/encoder/layer_{layer}/{name}/LayerNorm/beta"] = draw(SIZE)
    return weights


WEIGHTS = random_weights()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny_bert"
    folder.mkdir()
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"),
        tensor_names=list(WEIGHTS),
        shape_and_slices=[""] * len(WEIGHTS),
        tensors=list(WEIGHTS.values()),
    )
    (folder / "bert_config.json").write_text(json.dumps({**CONFIG, "vocab_size": len(VOCABULARY)}))
    (folder / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def damaged(checkpoint, tmp_path):
    """A copy of the checkpoint to spoil."""
    return shutil.copytree(checkpoint, tmp_path / "copy")


def numpy_bert(token_ids, segment_ids):
    """BERT's forward pass for one sentence without padding: [states, residual], both (length, size)."""

    def normalise(x, name):
        centred = x - x.mean(-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return WEIGHTS[f"{name}/LayerNorm/gamma"] * centred / deviation + WEIGHTS[f"{name}/LayerNorm/beta"]

    def dense(x, name):
        return x @ WEIGHTS[f"{name}/kernel"].astype(np.float64) + WEIGHTS[f"{name}/bias"]

    def heads(x):
        return x.reshape(len(x), HEADS, SIZE // HEADS).transpose(1, 0, 2)

    state = WEIGHTS["bert/embeddings/word_embeddings"][token_ids].astype(np.float64)
    state += WEIGHTS["bert/embeddings/token_type_embeddings"][segment_ids]
    state += WEIGHTS["bert/embeddings/position_embeddings"][: len(token_ids)]
    state = normalise(state, "bert/embeddings")
    for layer in range(LAYERS):
        name = f"bert/encoder/layer_{layer}"
        query, key, value = (heads(dense(state, f"{name}/attention/self/{part}")) for part in ("query", "key", "value"))
        scores = np.exp(query @ key.transpose(0, 2, 1) / math.sqrt(SIZE // HEADS))
        attended = (scores / scores.sum(-1, keepdims=True) @ value).transpose(1, 0, 2).reshape(len(state), SIZE)
        state = normalise(state + dense(attended, f"{name}/attention/output/dense"), f"{name}/attention/output")
        inner = dense(state, f"{name}/intermediate/dense")
        inner = inner * 0.5 * (1 + np.vectorize(math.erf)(inner / math.sqrt(2)))
        residual = state + dense(inner, f"{name}/output/dense")
        state = normalise(residual, f"{name}/output")
    return state, residual


def from_checkpoint(folder, max_length=256):
    return build_encoder(EncoderOptions(pretrained=folder, max_length=max_length), TEXTS)


def test_a_checkpoint_computes_what_bert_computes(checkpoint):
    encoder = from_checkpoint(checkpoint)
    assert encoder.max_length == POSITIONS and encoder.size == SIZE and encoder.dropout == 0.1
    inputs = batch_of(encoder, TEXTS[1:])
    states, residual = encoder.network()(inputs)
    for row, ids in enumerate(inputs["token_ids"]):
        length = int((ids > 0).sum())
        expected = numpy_bert(ids[:length], inputs["segment_ids"][row, :length])
        assert np.abs(states[row, :length] - expected[0]).max() < 1e-4
        assert np.abs(residual[row, :length] - expected[1]).max() < 1e-4


def test_segments_count(checkpoint):
    encoder = from_checkpoint(checkpoint)
    inputs = batch_of(encoder, TEXTS[3:])
    inputs["segment_ids"][0, 3:] = 1
    expected, _ = numpy_bert(inputs["token_ids"][0], inputs["segment_ids"][0])
    assert np.abs(encoder.network()(inputs)[0][0] - expected).max() < 1e-4


def test_a_checkpoint_trains(checkpoint):
    encoder = from_checkpoint(checkpoint)
    network, inputs = encoder.network(), batch_of(encoder, TEXTS[1:])
    before = network.get_weights()
    optimizer = build_optimizer(TrainingOptions(epochs=1, warmup=0), 1e-2, 10)

    def loss():
        return tf.reduce_mean(tf.square(network(inputs)[0] - 1.0))

    first = float(loss())
    for _ in range(2):
        optimizer.minimize(loss, network.trainable_weights)
    assert float(loss()) < first
    changed = [weight.name for weight, old in zip(network.weights, before) if (weight.numpy() != old).any()]
    assert len(changed) == len(before), sorted({weight.name for weight in network.weights} - set(changed))


def test_a_run_does_not_need_the_checkpoint_any_more(damaged, tmp_path):
    encoder = from_checkpoint(damaged)
    network = encoder.network()
    run = tmp_path / "run"
    run.mkdir()
    save_encoder(encoder, run)
    shutil.rmtree(damaged)
    again = load_encoder(run).network()
    again.set_weights(network.get_weights())
    inputs = batch_of(encoder, TEXTS[1:])
    np.testing.assert_array_equal(again(inputs)[0], network(inputs)[0])


def test_checkpoints_with_other_names_are_found(damaged):
    for file in damaged.glob("bert_model.ckpt*"):
        file.rename(damaged / file.name.replace("bert_model", "model"))
    assert from_checkpoint(damaged).checkpoint.path.name == "model.ckpt"


def error_of(call):
    """The one line that a mistake ends in."""
    with pytest.raises(UserError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message and len(message) < 600
    return message


def test_no_folder(tmp_path):
    message = error_of(lambda: from_checkpoint(tmp_path / "nowhere"))
    assert str(tmp_path / "nowhere") in message and "bert_config.json" in message and "vocab.txt" in message


@pytest.mark.parametrize(
    ("pattern", "named"),
    [("vocab.txt", "vocab.txt"), ("bert_config.json", "bert_config.json"), ("*.index", "bert_model.ckpt.index")],
)
def test_missing_files_are_named(damaged, pattern, named):
    for file in damaged.glob(pattern):
        file.unlink()
    message = error_of(lambda: from_checkpoint(damaged))
    assert f"has no {named} - " in message and str(damaged) in message


def test_all_missing_files_are_named_at_once(tmp_path):
    message = error_of(lambda: from_checkpoint(tmp_path))
    assert "has no bert_config.json, no vocab.txt, no bert_model.ckpt.index" in message


def test_a_vocabulary_of_another_checkpoint(damaged):
    with (damaged / "vocab.txt").open("a", encoding="utf-8") as file:
        file.write("龘\n")
    message = error_of(lambda: from_checkpoint(damaged))
    assert str(damaged / "vocab.txt") in message
    assert f"{len(VOCABULARY) + 1} tokens" in message and str(len(VOCABULARY)) in message


@pytest.mark.parametrize(
    "content", [b'{"hidden_size": 8', b"", b"\xff\xfe{", b"[" * 100_000], ids=["cut", "empty", "not UTF-8", "deep"]
)
def test_a_config_that_is_not_json(damaged, content):
    (damaged / "bert_config.json").write_bytes(content)
    assert f"{damaged / 'bert_config.json'}: not JSON" in error_of(lambda: from_checkpoint(damaged))


@pytest.mark.parametrize(
    "content", ["{}", "[]", "3", "null", '"hidden_size"', '{"hidden_size": 8}', json.dumps({**CONFIG, "vocab_size": 0})]
)
def test_a_config_of_something_else(damaged, content):
    (damaged / "bert_config.json").write_text(content)
    message = error_of(lambda: from_checkpoint(damaged))
    assert str(damaged / "bert_config.json") in message


def test_a_vocabulary_that_is_none(damaged):
    (damaged / "vocab.txt").write_bytes("词\n".encode("gbk"))
    assert f"{damaged / 'vocab.txt'}:1: not UTF-8" in error_of(lambda: from_checkpoint(damaged))


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_size": 16},
        {"intermediate_size": 10},
        {"num_hidden_layers": 3},
        {"max_position_embeddings": 64},
        {"type_vocab_size": 3},
    ],
)
def test_weights_that_do_not_fit_the_config(damaged, change):
    config = json.loads((damaged / "bert_config.json").read_text())
    (damaged / "bert_config.json").write_text(json.dumps({**config, **change}))
    message = error_of(lambda: from_checkpoint(damaged))
    assert str(damaged) in message and "does not fit its bert_config.json" in message and next(iter(change)) in message


@pytest.mark.parametrize("part", ["index", "data-00000-of-00001"])
def test_weights_that_are_damaged(damaged, part):
    file = damaged / f"bert_model.ckpt.{part}"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert str(damaged) in error_of(lambda: from_checkpoint(damaged).network())


def test_weights_without_their_data(damaged):
    (damaged / "bert_model.ckpt.data-00000-of-00001").unlink()
    assert str(damaged) in error_of(lambda: from_checkpoint(damaged).network())


@pytest.mark.parametrize(
    ("file", "content"), [("encoder.json", "{"), ("encoder.json", '{"kind": "gpt"}'), ("vocab.txt", "")]
)
def test_a_damaged_encoder_of_a_run_is_named(checkpoint, tmp_path, file, content):
    save_encoder(from_checkpoint(checkpoint), tmp_path)
    (tmp_path / file).write_text(content)
    assert str(tmp_path) in error_of(lambda: load_encoder(tmp_path))
    (tmp_path / file).unlink()
    assert str(tmp_path) in error_of(lambda: load_encoder(tmp_path))


# Other architectures: the variables as bert4keras would write them, and its own forward pass as the reference.

OTHERS = {
    "albert": {"embedding_size": 4},
    "electra": {"embedding_size": 4},
    "nezha": {"use_relative_position": True, "max_relative_position": 64},
    "roformer": {},
    "roformer_v2": {},
}


@pytest.mark.filterwarnings("ignore:The initializer")
@pytest.mark.parametrize("model", OTHERS)
def test_the_architecture_of_a_checkpoint_is_told_from_its_variables(model, tmp_path, monkeypatch):
    config = {**CONFIG, "vocab_size": len(VOCABULARY), **OTHERS[model]}
    sizes = {"max_position": POSITIONS, "segment_vocab_size": config["type_vocab_size"], "dropout_rate": 0.0}
    transformer = bert4keras.models.build_transformer_model(
        model=model, return_keras_model=False, **{**config, **sizes}
    )
    generator = np.random.default_rng(5)
    for weight in transformer.model.trainable_weights:
        weight.assign(generator.normal(0, 0.2, weight.shape))
    # `create_variable` turns a weight into the variable of the checkpoint; all it lacks here is a TensorFlow 1 graph to
    # make it in.
    monkeypatch.setattr(bert4keras.models.K, "variable", lambda value, *_, **__: value)
    variables = {}
    for layer, names in transformer.variable_mapping().items():
        if transformer.prefixed(layer) in transformer.layers:
            weights = transformer.layers[transformer.prefixed(layer)].trainable_weights
            variables |= {
                name: transformer.create_variable(name, weight.numpy())[1] for name, weight in zip(names, weights)
            }
    monkeypatch.undo()
    values = [tf.constant(value, tf.float32) for value in variables.values()]
    tf.raw_ops.SaveV2(
        prefix=str(tmp_path / "bert_model.ckpt"),
        tensor_names=list(variables),
        shape_and_slices=[""] * len(values),
        tensors=values,
    )
    (tmp_path / "bert_config.json").write_text(json.dumps(config))
    (tmp_path / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")

    encoder = from_checkpoint(tmp_path)
    assert encoder.model == model
    assert 0.5 < weight_count(encoder.config, model) / transformer.model.count_params() < 1
    inputs = batch_of(encoder, TEXTS[1:])
    states, residual = encoder.network()(inputs)
    expected = transformer.model([inputs["token_ids"], inputs["segment_ids"]])
    assert np.abs(states - expected).max() < 1e-5
    assert residual.shape == states.shape and np.abs(states - residual).max() > 1e-3
