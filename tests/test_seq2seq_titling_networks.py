"""The networks of title generation: training against decoding, batches, both sides at once, whole trainings. Every
sentence here is invented."""

import functools
import json
import shutil
from collections import Counter
from itertools import product

import numpy as np
import pytest

from common.command_line import UserError
from common.decoders import Rules, common_subsequence_f1, on_grid
from common.keras_compat import seed_everything, tf
from common.optimizers.training_model import TrainingModel
from common.options import EncoderOptions, PredictionOptions
from common.prediction import rounds
from common.submission import read_json_lines

import competition
from helpers import mostly_slow
from workshop import arrays, without_seconds

import bert4keras.models  # isort: skip - after keras_compat, which tells it the Keras to use

FOLDER = "seq2seq_titling"
task = competition.load(FOLDER, "task")
copying = competition.load(FOLDER, "copying")
decode = competition.load(FOLDER, "decode")
features = competition.load(FOLDER, "features")
model = competition.load(FOLDER, "model")
train = competition.load(FOLDER, "train")
NOTHING, Example, Settings = features.NOTHING, task.Example, decode.Settings

EXAMPLES = [
    Example("云桥市图书馆周六起延长开放时间，读者可读到晚上十点，ABC公司的Model X2也来了。", "云桥图书馆延长开放时间"),
    Example("ABC公司 发布 Model X2 手机，售价３９９９元", "ABC公司发布Model X2"),
    Example("龘镇举行灯会🏮，䶮家班登台", "龘镇灯会🏮䶮家班龘"),
    Example("\ud800乱码\udc00文本", "乱码\ud800，靐"),
    Example("雨", "小雨"),
    Example("读者读到晚上读者读到晚上读者", "读者读到晚上"),
    Example("", "开放"),
    Example(" \u200b\t", "图书，天"),
]
#: Neither 龘, 䶮 and 靐, nor 🏮, nor halves of surrogate pairs.
KNOWN = ["云桥市图书馆周六起延长开放时间读者可到晚上十点公司发布手机售价元镇举行灯会家班登台乱码文本小雨，。天地"] * 2
LONGEST = 9
SEEDS = {"self-terminating": 5, "bidirectional": 8}
NETWORKS = {
    "copy_lstm": {"model": "copy_lstm"},
    "self-terminating": {"model": "copy_lstm", "copy": "prior", "self_terminating": True},
    "bidirectional": {"model": "bidirectional"},
    "unilm": {"model": "unilm"},
    "unilm without copying": {"model": "unilm", "copy": "none"},
}


@functools.cache
def built(name):
    """An encoder, and a network with weights so large that it has opinions; both sides of the bidirectional one see
    each other."""
    seed_everything(4)
    flags = features.WritingOptions(**NETWORKS[name])
    encoder = model.build_writing_encoder(
        EncoderOptions(hidden_size=16, layers=2, word_size=8, max_length=30), flags, KNOWN, LONGEST
    )
    network = model.build_network(encoder, flags)
    # Some such weights make so much of a rounding error that no two ways of computing agree to 1e-4.
    generator = np.random.default_rng(SEEDS.get(name, 4))
    for weight in network.training.weights:
        weight.assign_add(generator.normal(0, 0.4, weight.shape))
    if flags.model == "bidirectional":
        network.see_partners()
    return encoder, network


each_network = pytest.mark.parametrize("name", NETWORKS)
from_one_end = pytest.mark.parametrize("name", [name for name in NETWORKS if name != "bidirectional"])


def pairs_for(encoder):
    lost = Counter()
    pairs = list(features.labelled_pairs(EXAMPLES, encoder, LONGEST, lost))
    assert len(pairs) == len(EXAMPLES) and len(lost) == 3
    return pairs


def batch_for(name, network, pairs):
    return features.collate(pairs, network.tokenizer, NETWORKS[name]["model"])


def trained(network, batch):
    """Log-probabilities of the targets by the training network, (texts, steps), for each side that writes."""
    outputs = network.training({name: batch[name] for name in network.training.input_names})
    return {
        side: copying.log_probabilities(batch[f"{side}_targets"], batch["copy_ids"], scores).numpy()
        for side, scores in outputs.items()
    }


def as_decoding_would(pairs, tokenizer):
    """Told no token that is nothing: decoding writes none."""
    return [pair._replace(told=np.where(pair.told == NOTHING, tokenizer.unknown_id, pair.told)) for pair in pairs]


def stepwise(network, articles, before):
    """Log-probabilities of the token after each of `before`, (texts, steps, vocabulary), a step at a time."""
    state, found = network.start(features.collate_articles(articles)), []
    for tokens in np.where(before == NOTHING, network.tokenizer.end_id, before).T:
        values, state = network.step(state, tokens.astype(np.int32))
        found.append(values)
    return np.stack(found, 1)


def first_step(name, network, articles):
    """Log-probabilities of the first token of each article's title, by all directions in which it is written."""
    starts = np.full((len(articles), 2, 1), network.tokenizer.start_id, np.int32)
    if name == "bidirectional":
        return network.step_pairs(network.start(features.collate_articles(articles)), starts)[0]
    return stepwise(network, articles, starts[:, 0])


def values_of(targets, log_probabilities):
    """Those of the targets, and which targets these are: what has no column is impossible to write."""
    there = (targets != NOTHING) & (targets < log_probabilities.shape[2])
    return np.take_along_axis(log_probabilities, np.where(there, targets, 0)[..., None], 2)[..., 0][there], there


# Training and decoding say the same


@from_one_end
def test_training_and_steps_give_the_same_log_probabilities(name):
    encoder, network = built(name)
    pairs = pairs_for(encoder)
    told = features.with_random_tokens(pairs, 0.5, np.random.default_rng(1))
    batch = batch_for(name, network, as_decoding_would(told, encoder.tokenizer))
    expected = trained(network, batch)["title"]
    steps = stepwise(network, [pair.article for pair in pairs], batch["title_before"])
    found, there = values_of(batch["title_targets"], steps)
    assert there.sum() > 35 and expected[there].std() > 0.5
    np.testing.assert_allclose(found, expected[there], atol=1e-4, rtol=1e-4)


@each_network
def test_every_step_is_a_distribution(name):
    encoder, network = built(name)
    values = first_step(name, network, [pair.article for pair in pairs_for(encoder)])
    probabilities = np.exp(values.reshape(-1, values.shape[-1]))
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)
    assert np.abs(np.diff(probabilities, axis=0)).max() > 0.05


@each_network
def test_padding_and_other_texts_change_nothing_in_training(name):
    encoder, network = built(name)
    pairs = pairs_for(encoder)
    together = trained(network, batch_for(name, network, pairs))
    for number in (1, 6):
        alone = trained(network, batch_for(name, network, pairs[number : number + 1]))
        assert alone.keys() == together.keys()
        for side, values in alone.items():
            there = np.flatnonzero(pairs[number].title != NOTHING)
            np.testing.assert_allclose(values[0, there], together[side][number, there], atol=1e-4, rtol=1e-4)


@each_network
def test_a_loss_and_its_gradients_are_numbers_whatever_the_text(name):
    """Also where a title has what the network cannot write."""
    encoder, network = built(name)
    batch = batch_for(name, network, pairs_for(encoder))
    with tf.GradientTape() as tape:
        loss = TrainingModel(network.training, model.loss).batch_loss(batch, training=True)
    assert 0 < float(loss) < 1000
    for gradient in tape.gradient(loss, network.training.trainable_weights):
        if gradient is not None:
            assert np.isfinite(tf.convert_to_tensor(gradient).numpy()).all()


def test_the_loss_is_the_mean_of_what_is_known():
    encoder, network = built("copy_lstm")
    batch = batch_for("copy_lstm", network, pairs_for(encoder))
    values = trained(network, batch)["title"][batch["title_targets"] != NOTHING]
    loss = TrainingModel(network.training, model.loss).batch_loss(batch)
    assert float(loss) == pytest.approx(-values.mean(), rel=1e-4)


def test_unilm_is_bert4keras_own_model():
    """Each step against a forward pass over all that stands before, in a network that bert4keras alone has built."""
    encoder, network = built("unilm without copying")
    config = encoder.config | {
        "max_position": encoder.config["max_position_embeddings"],
        "segment_vocab_size": 2,
        "dropout_rate": 0.0,
    }
    own = bert4keras.models.build_transformer_model(
        model="bert", application="unilm", with_mlm="linear", return_keras_model=True, **config
    )
    own.set_weights(network.cached.transformer.model.get_weights())
    tokenizer = encoder.tokenizer
    never = [tokenizer.pad_id, tokenizer.unknown_id, tokenizer.start_id, tokenizer.mask_id]
    pairs = [pair._replace(title=pair.told) for pair in as_decoding_would(pairs_for(encoder), tokenizer)]
    batch = batch_for("unilm without copying", network, pairs)
    values = trained(network, batch)["title"]
    steps = stepwise(network, [pair.article for pair in pairs], batch["title_before"])
    compared = 0
    for number, pair in enumerate(pairs):
        text, title = pair.article.encoding.ids, np.where(pair.title < len(tokenizer), pair.title, tokenizer.unknown_id)
        for step in range(len(title) + 1):
            tokens = np.concatenate([text, title[:step]])
            logits = (
                own([tokens[None], (np.arange(len(tokens)) >= len(text)).astype(np.int32)[None]])
                .numpy()[0, -1]
                .astype(np.float64)
            )
            logits[never] = -np.inf
            expected = logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()
            likely = expected > -50
            np.testing.assert_allclose(steps[number, step, likely], expected[likely], atol=1e-4, rtol=1e-4)
            assert (np.exp(steps[number, step, never]) == 0).all()
            target = batch["title_targets"][number, step]
            if 0 <= target < len(tokenizer) and likely[target]:
                assert values[number, step] == pytest.approx(expected[target], abs=1e-4, rel=1e-4)
                compared += 1
    assert compared > 35 and steps.std() > 1


# Batches, beams and greedy search


def rules_for(encoder, **changes):
    return Rules(
        encoder.tokenizer.start_id, encoder.tokenizer.end_id, **{"max_length": LONGEST, "min_length": 1, **changes}
    )


@pytest.mark.parametrize(
    ("width", "name"),
    mostly_slow(
        product([1, 3], NETWORKS),
        *[(1, "copy_lstm"), (1, "bidirectional"), *((3, name) for name in NETWORKS if "without" not in name)],
        reason="a beam does what greedy search does, and without copying there is less to do",
    ),
)
def test_batches_change_no_title(name, width):
    encoder, network = built(name)
    # Pieces that are repeated, known to the vocabulary or not, are equal by construction; a long text pads the others.
    repeated = ["天地" * 6, "龘䶮" * 5, "龘天" * 4, "龘" * 20, "天" * 28, "ABC 公司 " * 5]
    articles = [features.read_article(text, encoder) for text in [*(one.text for one in EXAMPLES), *repeated]]

    def found(size):
        batches = [articles[first : first + size] for first in range(0, len(articles), size)]
        return [
            one
            for batch in batches
            for one in decode.search(network, features.collate_articles(batch), rules_for(encoder), width)
        ]

    alone = found(1)
    assert len({hypotheses[0].tokens for hypotheses in alone}) > 4
    for others in (found(3), found(7), found(64)):
        for some, same in zip(alone, others, strict=True):
            assert [one.tokens for one in some] == [one.tokens for one in same]
            assert [one.finished for one in some] == [one.finished for one in same]
            np.testing.assert_allclose(
                [one.log_probability for one in some], [one.log_probability for one in same], atol=1e-4, rtol=1e-4
            )


ODD_TEXTS = [
    *("🏮" * 256, "a" * 20_000, "1" * 199 + " " + "1" * 201, "龘" * 150 + " 天地", "한" * 300, "\ud800" * 300),
    *("\x00天\x1b[31m地\x07" * 9, "", " \t\n\u2028", "\u200f" * 300, "\u202e天地\u202c", "\udc00\ud83d" * 50),
    *("a" + "\u0301" * 700, "天" + "\u0300" * 1500 + "地", "\u0301" * 300, "👨\u200d👩\u200d👧" * 100, "İ" * 400),
]


@each_network
def test_odd_texts_get_titles_that_a_judge_reads(name):
    encoder, network = built(name)
    predictor, examples = decode.Predictor(network, encoder, LONGEST, 7), [Example(text, "天") for text in ODD_TEXTS]
    titles = predictor(examples, Settings(2))
    assert all(one.strip() and len(one) <= task.LONGEST_TITLE for one in titles)
    assert predictor(examples[::-1], Settings(2)) == titles[::-1]
    assert len(train.evaluation(examples, titles).predictions) == len(examples)


def most_probable(values, tokenizer, step):
    """The token, which is not the end in the first step, and its log-probability."""
    values = values.copy()
    if step == 0:
        values[tokenizer.end_id] = -np.inf
    return int(values.argmax()), float(values.max())


@from_one_end
def test_greedy_search_takes_the_most_probable_token(name):
    encoder, network = built(name)
    articles = [features.read_article(example.text, encoder) for example in EXAMPLES]
    found = decode.search(network, features.collate_articles(articles), rules_for(encoder), 1)
    for article, [best] in zip(articles, found):
        state, token = network.start(features.collate_articles([article])), encoder.tokenizer.start_id
        written, total = [], 0.0
        for step in range(LONGEST + 1):
            values, state = network.step(state, np.array([token], np.int32))
            token, value = most_probable(values[0], encoder.tokenizer, step)
            if token != encoder.tokenizer.end_id and step == LONGEST:
                break
            total += value
            if token == encoder.tokenizer.end_id:
                break
            written.append(token)
        assert (list(best.tokens), best.finished) == (written, token == encoder.tokenizer.end_id)
        assert best.log_probability == pytest.approx(total, abs=1e-4, rel=1e-4)


# The self-terminating layer


def test_every_greedy_title_ends():
    encoder, network = built("self-terminating")
    inputs = features.collate_articles([features.read_article(example.text, encoder) for example in EXAMPLES])
    before = network.head.stop.get_weights()
    try:
        network.head.stop.set_weights([before[0], before[1] + 30])  # it wants to go on for ever
        found = [best for [best] in decode.search(network, inputs, rules_for(encoder, max_length=80), 1)]
        # p(end) is more than one half after ln 2 / -ln 0.99 steps.
        assert all(best.finished for best in found) and 30 < max(len(best.tokens) for best in found) <= 69
    finally:
        network.head.stop.set_weights(before)


def test_the_end_never_gets_less_probable():
    encoder, network = built("self-terminating")
    pairs = pairs_for(encoder)
    before = batch_for("self-terminating", network, pairs)["title_before"]
    end = np.exp(stepwise(network, [pair.article for pair in pairs], before))[:, :, encoder.tokenizer.end_id]
    assert (np.diff(end, axis=1) >= -1e-6).all() and np.diff(end, axis=1).max() > 0.01
    assert (end >= 1 - 0.99 ** np.arange(1, end.shape[1] + 1) - 1e-5).all()


# Both sides at once


STEPS = 5


def with_partners(network, articles, titles_, targets, step):
    """Log-probabilities of the targets of a step, (rows, 2), by the training network. For each row an article, what
    both sides have read, without an end, each in the order in which it writes, and what each of them would write
    next."""
    inputs = features.collate_articles(articles)
    for side, direction in enumerate(("forward", "backward")):
        read = features.pad(
            [np.array(title[side] + [NOTHING] * (STEPS - len(title[side])), np.int32) for title in titles_]
        )
        wanted = np.full_like(read, NOTHING)
        wanted[:, step] = targets
        inputs |= {f"{direction}_before": read, f"{direction}_partner": read, f"{direction}_targets": wanted}
    return np.stack([values[:, step] for values in trained(network, inputs).values()], 1)


@pytest.mark.parametrize("width", [1, 2])
def test_step_pairs_is_training_with_what_the_partner_has_written(width):
    encoder, network = built("bidirectional")
    tokenizer, generator = encoder.tokenizer, np.random.default_rng(width)
    articles = [features.read_article(EXAMPLES[number].text, encoder) for number in (2, 4, 0)]
    state = network.start(features.collate_articles(articles))
    state = state._replace(rows=network.take(state.rows, np.repeat(np.arange(2 * len(articles)), width)))
    hypotheses = np.empty((len(articles), 2, width), object)
    for place in np.ndindex(hypotheses.shape):
        hypotheses[place] = [tokenizer.start_id]
    ended = np.zeros(hypotheses.shape, bool)
    asked = np.array([tokenizer.end_id, *generator.integers(5, len(tokenizer), 4), len(tokenizer), len(tokenizer) + 1])
    for step in range(STEPS):
        tokens = np.array(
            [tokenizer.end_id if over else one[-1] for one, over in zip(hypotheses.ravel(), ended.ravel())], np.int32
        )
        found, state = network.step_pairs(state, tokens.reshape(hypotheses.shape))
        rows = list(np.ndindex(len(articles), width, width, len(asked)))
        expected = with_partners(
            network,
            [articles[text] for text, *_ in rows],
            [(hypotheses[text, 0, one], hypotheses[text, 1, other]) for text, one, other, _ in rows],
            [asked[target] for *_, target in rows],
            step,
        )
        assert expected[:, 0].std() > 0.5
        for (text, one, other, target), values in zip(rows, expected):
            for side, own, partner in ((0, one, other), (1, other, one)):
                value = found[text, side, own, partner, asked[target]]
                if not ended[text, side, own] and max(value, values[side]) > -60:
                    assert value == pytest.approx(values[side], abs=1e-4, rel=1e-4), (step, text, side)
        # In the first text a title ends that its partner then goes on without; places change, as in a search.
        if step == 2:
            ended[0, 0, 0] = ended[1, 1, 0] = True
        parents = np.array([generator.permutation(width) for _ in range(2 * len(articles))])
        state = state._replace(
            rows=network.take(state.rows, (np.arange(len(parents))[:, None] * width + parents).ravel())
        )
        choose = np.arange(len(articles))[:, None, None], np.arange(2)[:, None], parents.reshape(hypotheses.shape)
        hypotheses, ended = hypotheses[choose], ended[choose]
        for place in np.ndindex(hypotheses.shape):
            if not ended[place]:
                hypotheses[place] = [*hypotheses[place], int(generator.integers(5, len(tokenizer) + 2))]
    assert ended.sum() == 2


def test_a_partner_counts_only_when_the_switch_is_on():
    encoder, network = built("bidirectional")
    generator = np.random.default_rng(1)
    pairs = pairs_for(encoder)
    seen = [pair._replace(partners=([2, 7, 8, 9], [2, 30])) for pair in pairs]
    tokens = generator.integers(5, len(encoder.tokenizer), (len(pairs), 2, 2)).astype(np.int32)

    def values():
        """Of all pairs of two hypotheses, and in training with and without partners."""
        state = network.start(features.collate_articles([pair.article for pair in pairs]))
        state = state._replace(rows=network.take(state.rows, np.repeat(np.arange(2 * len(pairs)), 2)))
        by_training = [trained(network, batch_for("bidirectional", network, some)) for some in (pairs, seen)]
        return np.exp(network.step_pairs(state, tokens)[0]), *by_training

    batch = batch_for("bidirectional", network, pairs)
    known = {side: batch[f"{side}_targets"] != NOTHING for side in ("forward", "backward")}
    try:
        together, alone, with_partner = values()
        network.switch.on.assign(0.0)
        apart, alone_off, with_partner_off = values()
    finally:
        network.see_partners()
    assert np.abs(together[:, :, :, 0] - together[:, :, :, 1]).max() > 0.01
    np.testing.assert_allclose(apart[:, :, :, 0], apart[:, :, :, 1], atol=1e-6)
    for side, there in known.items():
        assert np.abs(with_partner[side] - alone[side])[there].max() > 0.01
        np.testing.assert_allclose(with_partner_off[side][there], alone_off[side][there], atol=1e-5)
        # Without any partner the switch decides nothing.
        np.testing.assert_allclose(alone[side][there], alone_off[side][there], atol=1e-5)


def test_the_partner_is_seen_up_to_the_same_step_only():
    encoder, network = built("bidirectional")
    [pair] = [pair for pair in pairs_for(encoder) if pair.article.text == EXAMPLES[1].text]
    one, other = (pair._replace(partners=([2, 7, 8, 9], [2, 30, last])) for last in (31, 50))
    batches = [batch_for("bidirectional", network, [some]) for some in (one, other)]
    values = [trained(network, batch)["forward"][0] for batch in batches]
    np.testing.assert_allclose(values[0][:2], values[1][:2], atol=1e-6)
    assert np.abs(values[0][2:] - values[1][2:]).max() > 1e-3


def test_backwards_a_title_is_turned_round():
    encoder, network = built("bidirectional")
    start, end = encoder.tokenizer.start_id, encoder.tokenizer.end_id
    article = features.read_article("天地", encoder)
    titles = [np.array([7, 8, 9]), np.array([10, 11])]
    pairs = [
        features.Pair(article, titles[0], True, told=np.array([7, 5, 9]), partners=([start, 7], [start, 9, 8, 7])),
        features.Pair(article, titles[1], False, told=titles[1], partners=([start, 12, 13], [start])),
    ]
    batch = batch_for("bidirectional", network, pairs)
    assert batch["forward_before"].tolist() == [[start, 7, 5, 9], [start, 10, 11, NOTHING]]
    assert batch["forward_targets"].tolist() == [[7, 8, 9, end], [10, 11, NOTHING, NOTHING]]
    assert batch["backward_before"].tolist() == [[start, 9, 5, 7], [start, 11, 10, NOTHING]]
    # A title that is cut is written from its last piece to its beginning, and that is an end.
    assert batch["backward_targets"].tolist() == [[9, 8, 7, end], [11, 10, end, NOTHING]]
    assert batch["forward_partner"].tolist() == [[start, 7, NOTHING], [start, 12, 13]]
    assert batch["backward_partner"].tolist() == [[start, 9, 8, 7], [start, NOTHING, NOTHING, NOTHING]]


def test_both_sides_write_their_own_titles():
    """Step by step by hand, as what its partner sees."""
    encoder, network = built("bidirectional")
    tokenizer, predictor = encoder.tokenizer, decode.Predictor(network, encoder, LONGEST)
    articles = predictor.features(EXAMPLES)
    found = predictor.both_titles(articles)
    best = decode.search(network, features.collate_articles(articles), rules_for(encoder), 1)
    for article, both, [chosen, *_] in zip(articles, found, best):
        state, written, ended = (
            network.start(features.collate_articles([article])),
            [[tokenizer.start_id], [tokenizer.start_id]],
            [False, False],
        )
        for step in range(LONGEST + 1):
            tokens = [[tokenizer.end_id if over else one[-1]] for one, over in zip(written, ended)]
            values, state = network.step_pairs(state, np.array([tokens], np.int32))
            for side in (0, 1):
                token, _ = most_probable(values[0, side, 0, 0], tokenizer, step)
                ended[side] |= token == tokenizer.end_id
                if not ended[side] and step < LONGEST:
                    written[side].append(token)
        assert both == tuple(written)
        assert list(chosen.tokens) in (written[0][1:], written[1][:0:-1])
        assert chosen.finished == any(ended)
    assert sum(forward[1:] != backward[:0:-1] for forward, backward in found) > 4


# Whole trainings

SMALL = "--votes 0 --batch-size 8 --hidden-size 16 --layers 2 --max-train-examples 24 --max-dev-examples 6 --max-length 40".split()
SMALL += "--max-title-length 8 --learning-rate 5e-3".split()


@pytest.fixture(scope="module")
def two_stages(tmp_path_factory):
    """A run of the bidirectional network, and what a kill in the last epoch of its second stage would have left of
    it."""
    folder = tmp_path_factory.mktemp("two_stages")
    killed, evaluation, calls = folder / "killed" / FOLDER / "one", train.evaluation, []

    def copied(examples, titles):
        calls.append(titles)
        if len(calls) == 4:
            shutil.copytree(folder / "whole" / FOLDER / "one", killed)
        return evaluation(examples, titles)

    flags = [
        "--model",
        "bidirectional",
        "--epochs",
        4,
        *SMALL,
        "--beam-width",
        1,
        "--ema-momentum",
        0.5,
        "--run-name",
        "one",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "evaluation", copied)
        whole = competition.main(FOLDER, "train", [*flags, "--output-dir", folder / "whole"])["run"]
    assert len(without_seconds(killed)) == 3 and (killed / "partners.json").is_file()
    assert arrays(killed / "last/state.h5") != arrays(whole / "last/state.h5")
    return whole, killed


@pytest.mark.slow(
    reason="builds the slowest graphs once more; test_runs.py and test_contract_processes.py resume others"
)
def test_a_training_killed_in_its_second_stage_resumes_to_the_same_weights(two_stages):
    whole, resumed = two_stages
    competition.main(FOLDER, "train", ["--output-dir", resumed.parents[1], "--run-name", "one", "--resume"])
    assert len(without_seconds(whole)) == 4 and without_seconds(whole) == without_seconds(resumed)
    for name in ("last/state.h5", "best.weights.h5"):
        assert arrays(whole / name) == arrays(resumed / name) and arrays(whole / name)
    for name in ("partners.json", "dev_predictions.json", "decoding.json"):
        assert (whole / name).read_bytes() == (resumed / name).read_bytes(), name


@pytest.mark.slow(reason="two trainings of two networks; their steps are compared above")
def test_the_partners_of_the_second_stage_are_titles_of_both_sides(two_stages):
    partners = json.loads((two_stages[0] / "partners.json").read_text("utf-8"))
    assert len(partners) == 24
    for forward, backward in partners:
        # 2 and 3 are start and end.
        assert (
            forward[0] == backward[0] == 2
            and 3 not in forward + backward
            and 2 <= len(forward) <= 9
            and 2 <= len(backward) <= 9
        )


def predict(run, folder, examples, *flags):
    """The candidates of each text, and the submission."""
    (folder / "test.json").write_text(
        "".join(json.dumps({"content": example.text}) + "\n" for example in examples), "utf-8"
    )
    files = [
        "--input",
        folder / "test.json",
        "--output",
        folder / "submission.json",
        "--scores",
        folder / "scores.json",
    ]
    competition.main(FOLDER, "predict", ["--run", run, *files, *flags])
    found = [record["candidates"] for _, record in read_json_lines(folder / "scores.json")]
    return found, task.read_titles(folder / "submission.json")


@pytest.mark.slow(reason="two trainings of two networks; their steps are compared above")
def test_a_bidirectional_run_predicts_what_it_was_evaluated_with(two_stages, tmp_path):
    """In the stage of its best epoch: the switch is part of what is kept."""
    dev = task.read(competition.COMPETITIONS / FOLDER / "sample/dev.json", labelled=True)[:6]
    _, written = predict(two_stages[0], tmp_path, dev)
    assert written == [one["title"] for one in json.loads((two_stages[0] / "dev_predictions.json").read_text("utf-8"))]
    with pytest.raises(UserError, match="^--samples 3: .*bidirectional"):
        predict(two_stages[0], tmp_path, dev, "--samples", 3)


@pytest.fixture(scope="module")
def unilm_run(tmp_path_factory):
    flags = ["--model", "unilm", "--epochs", 2, *SMALL, "--layers", 1, "--random-replacement", 0.3, "--beam-width", 2]
    return competition.main(FOLDER, "train", [*flags, "--output-dir", tmp_path_factory.mktemp("unilm")])


def test_unilm_trains(unilm_run):
    history = without_seconds(unilm_run["run"])
    assert len(history) == 2 and history[1]["loss"] < history[0]["loss"]
    assert json.loads((unilm_run["run"] / "decoding.json").read_text("utf-8"))["beam_width"] in (1, 2)


def test_candidates_are_written_best_first_and_what_was_cut_is_said(unilm_run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(task, "LONGEST_TITLE", 4)
    found, written = predict(unilm_run["run"], tmp_path, EXAMPLES, "--beam-width", 3)
    assert len(found) == len(EXAMPLES) and written == [one[0]["title"] for one in found]
    for one in found:
        assert 1 <= len(one) <= 3 and set(one[0]) == {*decode.Candidate._fields, "probability"}
        order = [(not candidate["finished"], -on_grid(candidate["score"])) for candidate in one]
        assert order == sorted(order) and all(candidate["title"].strip() for candidate in one)
    cut = sum(one[0]["cut"] for one in found)
    says = f"{tmp_path / 'submission.json'}: {cut} x title of more than "
    assert cut and max(map(len, written)) == 4 and says in capsys.readouterr().out


def test_samples_are_written_beside_the_title_that_was_searched_for(unilm_run, tmp_path):
    found, written = predict(unilm_run["run"], tmp_path, EXAMPLES, "--samples", 4, "--seed", 5)
    assert len(written) == len(found) == len(EXAMPLES) and {len(several) for several in found} == {4}
    assert len({one["title"] for several in found for one in several}) > len(found)


def test_prediction_goes_round_by_round(monkeypatch):
    prediction = competition.load(FOLDER, "predict")
    encoder, network = built("copy_lstm")
    predictor, config = (
        decode.Predictor(network, encoder, LONGEST),
        prediction.Config(prediction=PredictionOptions(scores="drawn"), samples=2),
    )
    held = []

    def written(size):
        def small_rounds(examples):
            for some in rounds(examples, size):
                held.append(len(some))
                yield some

        monkeypatch.setattr(prediction, "rounds", small_rounds)
        found = prediction.titles_of(EXAMPLES, predictor, Settings(votes=2), config)
        return [(best.title, [one.title for one in drawn]) for best, drawn in found]

    assert written(8) == written(3) and held == [8, 3, 3, 2]


def test_a_file_that_cannot_be_written_is_named_before_the_work(unilm_run, tmp_path, monkeypatch):
    monkeypatch.setattr(competition.load(FOLDER, "predict"), "open_network", None)
    for flag in ("--output", "--scores"):
        with pytest.raises(UserError, match=f"^{tmp_path}: is a folder"):
            predict(unilm_run["run"], tmp_path, EXAMPLES, flag, tmp_path)
    with pytest.raises(UserError, match="^--scores .*: is the submission"):
        predict(unilm_run["run"], tmp_path, EXAMPLES, "--scores", tmp_path / "x/../submission.json")


def test_samples_depend_on_the_seed_and_the_text_alone():
    encoder, network = built("unilm")

    def drawn(seed, batch_tokens, examples=EXAMPLES):
        predictor = decode.Predictor(network, encoder, LONGEST, batch_tokens)
        found = predictor.samples(predictor.features(examples), Settings(), count=3, seed=seed)
        return [[one.title for one in several] for several in found]

    assert drawn(5, 100, EXAMPLES[::-1]) == drawn(5, 100)[::-1]
    assert drawn(5, 4096) == drawn(5, 100) and len({title for several in drawn(5, 4096) for title in several}) > len(
        EXAMPLES
    )
    assert sum(one != other for one, other in zip(drawn(5, 4096), drawn(6, 4096))) > len(EXAMPLES) / 2


def test_a_vote_elects_the_title_most_like_all_others():
    """Whatever the batch: drawn titles and those of the beam, each as often as it was found."""
    encoder, network = built("copy_lstm")
    articles = [pair.article for pair in pairs_for(encoder)]
    voting = Settings(beam_width=2, votes=5)
    elected, alone = (
        decode.Predictor(network, encoder, LONGEST, batch_tokens).score(articles, [voting])[voting]
        for batch_tokens in (100, 1)
    )
    assert [[one.title for one in found] for found in elected] == [[one.title for one in found] for found in alone]
    for found in elected:
        assert len(found) == 2 + 5
        titles = [one.title.lower() for one in found]
        means = [sum(common_subsequence_f1(title, other) for other in titles) for title in titles]
        assert (
            means == sorted(means, reverse=True)
            or max(abs(one - other) for one, other in zip(means, sorted(means, reverse=True))) < 1e-9
        )
