"""Priors, spots, features, networks and decoding of entity linking. Every text here is invented."""

import json
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies

from common.dev_search import search
from common.encoders.bert import BertEncoder
from common.encoders.light import LightEncoder
from common.generators import training_dataset
from common.keras_compat import seed_everything, tf
from common.optimizers import build_optimizer
from common.optimizers.training_model import TrainingModel
from common.options import EncoderOptions, TrainingOptions
from common.runs.directory import Run

import competition
from helpers import mostly_slow, refused

FOLDER = "ccks2019_entity_linking"
task = competition.load(FOLDER, "task")
knowledge_base = competition.load(FOLDER, "knowledge_base")
priors = competition.load(FOLDER, "priors")
candidates = competition.load(FOLDER, "candidates")
features = competition.load(FOLDER, "features")
model = competition.load(FOLDER, "model")
decode = competition.load(FOLDER, "decode")
predict = competition.load(FOLDER, "predict")
metric = competition.load(FOLDER, "metric")
NIL = task.NIL


def entity(id, subject, *aliases, **facts):
    return {
        "alias": list(aliases),
        "subject_id": id,
        "subject": subject,
        "type": ["Thing"],
        "data": [{"predicate": p, "object": o} for p, o in facts.items()],
    }


ENTITIES = [
    entity("1", "苔原", 摘要="苔原，导演，拍有多部电影"),
    entity("2", "苔原", 摘要="苔原是寒带的植被"),
    entity("3", "苔原之夜", "Tundra Night", 类别="小说"),
    entity("4", "夜", 摘要="从日落到日出"),
    entity("5", "小说"),
    entity("6", "孪生", 类别="地名"),
    entity("7", "孪生", 类别="地名"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("knowledge_base")
    (folder / "kb_data").write_text(
        "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in ENTITIES), encoding="utf-8"
    )
    return knowledge_base.open_knowledge_base(folder / "kb_data", folder / "index")


def mention(text, piece, entity, number=0):
    start = [at for at in range(len(text)) if text.startswith(piece, at)][number]
    return task.Mention(piece, start, entity)


def example(text, *linked):
    """`linked` are (piece, entity) or (piece, entity, number of the occurrence)."""
    return task.Example(text, text, tuple(mention(text, *one) for one in linked), 1)


EXAMPLES = [
    example("苔原新拍的电影", ("苔原", "1")),
    example("小说《苔原之夜》全文", ("小说", "5"), ("苔原之夜", "3")),
    example("北方的苔原和苔原的鹿", ("苔原", "2"), ("苔原", "2", 1)),
    example("一夜之间读完苔原之夜", ("苔原之夜", "3")),
    example("TUNDRA NIGHT，作者阿木的小说", ("TUNDRA NIGHT", "3"), ("阿木", NIL), ("小说", NIL)),
]
TEXTS = [one.text for one in EXAMPLES]


def shown(base, examples=EXAMPLES):
    return [priors.Priors.of_text(one, base) for one in examples]


def found_spots(base, of=EXAMPLES):
    return candidates.training_spots(of, base)[1]


# Priors


def counts(counted, text, piece, base):
    [match] = [match for match in base.matches(text) if text[match.start : match.end] == piece]
    return counted.counts(text, match).tolist()


def test_priors_count_every_place_and_every_label(base):
    total = priors.Priors.total(shown(base))
    # Labelled and not: anywhere (two of five are within a longer name), as the longest, after 的, before 和, between the
    # two.
    assert counts(total, "的苔原和", "苔原", base) == [[3, 2], [3, 0], [1, 0], [1, 0], [1, 0]]
    assert counts(total, "夜", "夜", base) == [[0, 3], [0, 1], [0, 0], [0, 1], [0, 0]]
    assert counts(total, "Tundra Night", "Tundra Night", base)[0] == [1, 0]
    assert total.entities == {
        "苔原": {"2": 2, "1": 1},
        "小说": {"5": 1, NIL: 1},
        "苔原之夜": {"3": 2},
        "tundra night": {"3": 1},
    }  # 阿木 is no name
    assert total.entity_counts("苔原", ("1", "2", NIL)).tolist() == [1, 2, 0] and total.entity_counts(
        "无名", ("1",)
    ).tolist() == [0]
    assert total.is_mostly_labelled("苔原") and not total.is_mostly_labelled("夜") and total.is_mostly_labelled("无名")


def test_what_a_text_shows_is_taken_out_for_that_text(base):
    own = shown(base)
    total = priors.Priors.total(own)
    for index, one in enumerate(EXAMPLES):
        others = priors.Priors.total(own[:index] + own[index + 1 :])
        for match in base.matches(one.text):
            assert (total.counts(one.text, match, own[index]) == others.counts(one.text, match)).all()
            choices = (*base.candidates(match.name), NIL)
            assert (
                total.entity_counts(match.name, choices, own[index]) == others.entity_counts(match.name, choices)
            ).all()


def test_priors_come_back_from_a_run(base, tmp_path):
    total = priors.Priors.total(shown(base))
    total.write(tmp_path)
    assert priors.Priors.read(Run(tmp_path, {})) == total
    assert total.nil_share == 2 / 10


GOOD = {"found": {"天\n": 2}, "labelled": {"天\n": 1}, "entities": {"天": {"1": 1}}, "nil_share": 0.5}


@pytest.mark.parametrize(
    "wrong",
    [
        [], "x", {}, {**GOOD, "found": []}, {**GOOD, "found": {"天\n": "2"}}, {**GOOD, "found": {"天\n": 0}}, {**GOOD, "found": {"天\n": 2**70}},
        {**GOOD, "labelled": {"天\n": -1}}, {**GOOD, "labelled": {"地\n": 1}}, {**GOOD, "entities": {"天": 1}}, {**GOOD, "entities": {"天": {"1": True}}},
        {**GOOD, "entities": {"天": {"1": float("nan")}}}, *({**GOOD, "nil_share": share} for share in (None, "0.5", 0.0, 1.5, float("nan"))),
    ],
)  # fmt: skip
def test_damaged_priors_are_refused_in_a_line(tmp_path, wrong):
    (tmp_path / "priors.json").write_text(json.dumps(GOOD), "utf-8")
    assert priors.Priors.read(Run(tmp_path, {})).found == GOOD["found"]
    (tmp_path / "priors.json").write_text(json.dumps(wrong), "utf-8")
    refused(lambda: priors.Priors.read(Run(tmp_path, {})), "priors.json: ", "train the run again")


def test_thinned_counts_are_between_half_and_all_of_them():
    counts = np.full((200, 3, 2), 1000)
    thinned = priors.thinned(counts, np.random.default_rng(2))
    assert thinned.min() > 430 and thinned.max() <= 1000 and thinned.std((1, 2)).max() < 30  # one share for a name
    assert thinned.mean() == pytest.approx(750, abs=30) and priors.thinned(counts, None) is counts


def test_priors_are_a_distribution_over_candidates_and_nil(base):
    for of_text in found_spots(base):
        for spot in of_text:
            shares = np.exp(spot.log_priors().astype(float))
            assert len(shares) == len(spot.candidates) + 1 and shares.sum() == pytest.approx(1, abs=1e-6)
    assert priors.log_priors(np.array([3, 1, 0]), 0.1).tolist() == pytest.approx(
        np.log(np.array([3.45, 1.45, 0.1]) / 5).tolist()
    )


# Spots


def test_spots_are_all_matches_with_their_candidates(base):
    of_text = found_spots(base)[1]
    assert [(spot.span, spot.candidates) for spot in of_text] == [
        ((0, 2), ("5",)),
        ((3, 5), ("1", "2")),
        ((3, 7), ("3",)),
        ((6, 7), ("4",)),
    ]
    assert [spot.is_longest for spot in of_text] == [True, False, True, False]
    assert all(spot.shape.shape == (candidates.SHAPE_FEATURES,) and np.isfinite(spot.shape).all() for spot in of_text)


def test_shapes_tell_pieces_and_titles(base):
    def shapes(text):
        return {
            text[slice(*spot.span)]: spot.shape for spot in candidates.find_spots(text, base, priors.Priors.total([]))
        }

    # Of a piece: characters before and behind it (log1p), its share, whether it is all of it; then in a title, and all
    # of the title.
    for text, piece, before, behind, share, whole, in_title, title in [
        ("大字《苔原之夜》-小说", "小说", 0, 0, 1, 1, 0, 0),
        ("大字《苔原之夜》-小说", "苔原之夜", 0, 0, 1, 1, 1, 1),
        ("大字《苔原之夜》-小说", "夜", 3, 0, 1 / 4, 0, 1, 0),
        ("看小说 的人", "小说", 1, 0, 2 / 3, 0, 0, 0),
        ("《苔原", "苔原", 0, 0, 1, 1, 1, 0),
    ]:
        expected = [np.log1p(before), np.log1p(behind), share, whole, in_title, title]
        np.testing.assert_allclose(shapes(text)[piece][10:16], expected, rtol=1e-6)


def test_spots_know_the_odds_of_their_rivals(base):
    of_text = found_spots(base)[1]  # 小说, 苔原 in 苔原之夜, 夜 in it
    rivals = [(spot.overlapping, spot.around) for spot in of_text]
    assert rivals == [([], []), ([1], [1]), ([-1, 1], []), ([-1], [-1])]
    of_counts = np.zeros((4, 2 * priors.CONTEXTS), np.float32)
    of_counts[:, priors.LONGEST] = [0.5, 0.1, 0.7, 0.2]
    rivals = candidates.spot_features(of_text, of_counts, [0, 1, 2, 3])[:, -2:]
    np.testing.assert_allclose(rivals, [[-3, -3], [0.7, 0.7], [0.2, -3], [0.7, 0.7]], rtol=1e-6)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    strategies.lists(strategies.sampled_from(["苔原", "之夜", "夜", "小说", "《", "》", "，", " ", "的"]), max_size=20)
)
def test_rivals_pieces_and_titles_against_their_definition(base, pieces):
    text = "".join(pieces)
    found = candidates.find_spots(text, base, priors.Priors.total([]))
    separators = [-1, *(at for at, character in enumerate(text) if character in "《》， "), len(text)]
    titles = [title.span() for title in re.finditer("《[^《》]*》?", text)]
    for this, spot in enumerate(found):
        start, end = spot.span
        rivals = {at - this: other.span for at, other in enumerate(found) if at != this}
        overlapping = {at: one for at, one in rivals.items() if one[0] < end and start < one[1]}
        assert spot.overlapping == list(overlapping)
        assert spot.around == [at for at, one in overlapping.items() if one[0] <= start and end <= one[1]]
        before = start - 1 - max(at for at in separators if at < start)
        behind = min(at for at in separators if at >= end) - end
        in_title = any(title[0] < start and end <= title[1] for title in titles)
        expected = [np.log1p(before), np.log1p(behind), (end - start) / (before + end - start + behind)]
        expected += [before == behind == 0, in_title, (start - 1, end + 1) in titles]
        np.testing.assert_allclose(spot.shape[10:16], expected, rtol=1e-6)


def test_token_features_stand_at_the_tokens_of_the_spots(base):
    window = labelled(base, light())[0][1]
    values = features.mention_inputs([window])["dictionary"][0]
    starts, ends, inside = (np.flatnonzero(values[:, column]).tolist() for column in (0, 2, 4))
    # One token of [CLS] before 小说《苔原之夜》全文
    assert starts == [1, 4, 7] and ends == [2, 5, 7] and inside == [1, 2, 4, 5, 6, 7]
    assert np.flatnonzero(values[:, 6]).tolist() == [1, 4] and np.flatnonzero(values[:, 7]).tolist() == [2, 7]


# Counting


def test_counting_takes_longest_names_and_commonest_entities(base):
    counted = priors.Priors.total(shown(base))
    texts = [task.Example("1", "夜里的苔原", None, 1), task.Example("2", "苔原之夜", None, 2)]
    predicted = priors.link_by_priors(texts, base, counted)
    assert predicted == [[task.Mention("苔原", 3, "2")], [task.Mention("苔原之夜", 0, "3")]]  # 夜 is never labelled


# Features


def light(**options):
    options = EncoderOptions(hidden_size=8, layers=2, max_length=options.pop("max_length", 64), **options)
    return LightEncoder.from_texts(TEXTS * 2 + ["导演拍有多部电影植被寒带NIL"] * 2, options)


def labelled(base, encoder, of=EXAMPLES):
    lost = Counter()
    return list(features.labelled_windows(of, found_spots(base, of), encoder, lost)), lost


def test_gold_is_in_the_windows(base):
    windows, lost = labelled(base, light())
    assert not lost
    for window, one in zip(windows, EXAMPLES):
        assert {window.encoding.char_span(*span) for span in window.labels} == {(m.offset, m.end) for m in one.mentions}


def test_a_long_text_loses_nothing(base):
    text = "".join(TEXTS)
    long = [task.Example("0", text, (mention(text, "TUNDRA NIGHT", "3"), mention(text, "苔原", "1")), 1)]
    windows, lost = labelled(base, light(max_length=12), long)
    assert len(windows) > 3
    seen = {window.encoding.char_span(first, last) for window in windows for _, first, last in window.places}
    # TUNDRA NIGHT has eleven tokens, more than any of these windows.
    too_long = (long[0].mentions[0].offset, long[0].mentions[0].end)
    assert seen == {spot.span for spot in found_spots(base, long)[0]} - {too_long}
    assert lost["mention across windows or inside a token"] == 1
    # All windows of a text know its queries, and gold is told once.
    assert [[spot.choices[right] for spot, right in window.queries] for window in windows] == [["1"]] * len(windows)
    [scores] = decode.gold_scores(windows)
    assert [scored.spot.span for scored in scores.spots] == [(long[0].mentions[1].offset, long[0].mentions[1].end)]


def test_a_long_text_costs_in_proportion_to_its_length(base, monkeypatch):
    """Neither a window nor a candidate reads more of it than fits into a window, nor more spots than are near."""
    encoder, read = light(max_length=24), []
    word_features = encoder._word_features
    monkeypatch.setattr(encoder, "_word_features", lambda *given: read.append(given[0]) or word_features(*given))
    text = "".join(TEXTS) * 40
    [spots] = found_spots(base, [task.Example("0", text, (), 1)])
    tokens, read_pair = encoder.tokenizer.tokenize(text), features.PairReader(encoder, base, 8)
    for spot in spots:
        row, (first, last) = read_pair(text, spot.span, spot.choices[0], 0.0), tokens.token_span(*spot.span)
        assert row["token_ids"][row["mention"] > 0].tolist() == tokens.ids[first : last + 1].tolist()
    windows = features.text_windows([text], [spots], encoder)
    assert len(windows) > 100 and len(read) == 2 * len(spots) + len(windows)
    assert max(len(piece) for piece in read if piece in text) < 40 and max(map(len, read)) < 60
    for window in windows:
        places = {window.spots[at].span for at, _, _ in window.places}
        assert places == {spot.span for spot in spots if window.encoding.token_span(*spot.span)}
        assert len(window.spots) < len(spots) / 4
        rivals = [at + step for at, _, _ in window.places for step in window.spots[at].overlapping]
        assert all(0 <= rival < len(window.spots) for rival in rivals)


@pytest.mark.parametrize("description_length", range(6, 11))
def test_a_text_of_one_window_is_read_whole(base, description_length):
    """However little of it there is room for beside a candidate: the words are those of the whole text."""
    encoder, text = light(max_length=24), "从前有一个人在北方看见苔原的时候"
    [[spot]] = found_spots(base, [example(text)])
    row = features.PairReader(encoder, base, description_length)(text, spot.span, "1", 0.0)
    tokens = encoder.tokenizer.tokenize(text)
    places = encoder._word_features(text, tokens)["word_positions"]
    first = tokens.token_span(*spot.span)[0] - int(row["mention"][row["in_text"] > 0].argmax())
    length = int(row["in_text"].sum())
    assert length == 21 - description_length < len(tokens)
    assert row["word_positions"][row["in_text"] > 0].tolist() == places[first : first + length].tolist()


def test_queries_are_the_mentions_whose_entity_can_be_chosen(base):
    windows, lost = labelled(base, light())
    assert [[spot.choices[right] for spot, right in window.queries] for window in windows] == [
        ["1"],
        ["5", "3"],
        ["2", "2"],
        ["3"],
        ["3", NIL],
    ]
    assert not lost
    windows, lost = labelled(base, light(), [example("苔原新拍的电影", ("苔原", "5")), example("阿木", ("阿木", "5"))])
    assert [window.queries for window in windows] == [[], []]
    assert lost == {"entity not among the candidates of its name": 2}


def test_a_name_inside_of_a_token_is_not_asked_for(base):
    text = "TUNDRA NIGHTж"  # one token, which no vocabulary here knows
    [window], _ = labelled(base, light(), [example(text, ("TUNDRA NIGHT", "3"))])
    assert len(window.spots) == 1 and not window.places and not window.queries


@pytest.mark.parametrize("max_length", [64, 12, 4])
def test_the_mention_stays_in_a_pair_however_short_the_window(base, max_length):
    encoder = light(max_length=max_length)
    read_pair = features.PairReader(encoder, base, 32)
    text = "从前有一个人在北方很远的地方看见苔原的时候想起了一个很久以前的故事"
    spot = found_spots(base, [example(text)])[0][0]
    for choice in spot.choices:
        row = read_pair(text, spot.span, choice, -0.5)
        assert len(row["token_ids"]) <= max_length and row.pop("log_prior").tolist() == [-0.5]
        assert {len(values) for values in row.values()} == {len(row["token_ids"])}
        tokens = [encoder.tokenizer.vocabulary[at] for at in row["token_ids"][row["mention"] > 0]]
        assert (
            tokens == (["苔", "原"] if max_length > 4 else ["苔"]) and (row["in_text"][row["mention"] > 0] == 1).all()
        )


def test_a_window_without_room_for_a_pair_is_refused(base):
    refused(lambda: features.PairReader(light(max_length=3), base, 32), "windows of 3 tokens", "must be 4 at least")


def test_descriptions_say_names_types_and_facts(base):
    assert features.described(base, "3", 100) == "苔原之夜、Tundra Night（Thing）类别：小说"
    assert features.described(base, "1", 4) == "苔原（Thing）摘要：苔"
    assert features.described(base, NIL, 4)


def test_collate_draws_candidates_and_keeps_the_right_one(base):
    encoder = light()
    windows, _ = labelled(base, encoder)
    read_pair = features.PairReader(encoder, base, 32)
    batch = features.collate(windows, np.random.default_rng(1), read_pair, 99, 2)
    assert (batch["right"].sum(1) == 1).all() and ((batch["choices"] >= 0).sum(1) == 2).all()
    assert sorted(batch["choices"].ravel().tolist()) == list(range(len(batch["pair_token_ids"])))
    assert len(batch["choices"]) == sum(len(window.queries) for window in windows)
    for choices, right in zip(batch["choices"], batch["right"]):
        assert len(batch["pair_log_prior"][choices[right == 1]]) == 1
    assert batch["name_labels"].sum() == 8 and batch["edge_labels"].sum() == 2 * 9
    assert len(features.collate(windows, np.random.default_rng(1), read_pair, 1, 2)["choices"]) == len(windows)


@pytest.mark.parametrize(
    ("source", "least"),
    [("sample train", 0.98), ("sample dev", 0.98), ("real dev", 0.995)],
)
def test_gold_survives_the_whole_way(source, least, tmp_path):
    place, part = source.split()
    folder = competition.folder_of(FOLDER) / "sample" if place == "sample" else competition.SHARED / "data" / FOLDER
    known = folder / ("kb_data" if place == "sample" else "kb_data_ids_only")
    if not known.is_file():
        pytest.skip("needs ../shared/data")
    examples = task.read(folder / f"{part}.json", labelled=True)[:300]
    opened = knowledge_base.open_knowledge_base(known, tmp_path)
    gold = [(one.id, one.mentions) for one in examples]
    texts = [one.text for one in examples]
    windows, _ = labelled(opened, LightEncoder.from_texts(texts, EncoderOptions(hidden_size=8, layers=1)), examples)
    decoded = predictor().decode(examples, decode.gold_scores(windows), decode.Settings(0.4))
    score = metric.score(gold, [(one.id, mentions) for one, mentions in zip(examples, decoded)])
    assert score.links.figures()["f1"] >= least and score.mentions.figures()["f1"] >= least


def predictor():
    """One that only decodes."""
    return decode.Predictor.__new__(decode.Predictor)


# Networks


@pytest.fixture(
    scope="module",
    params=mostly_slow(["dgcnn", "bilstm", "bert"], "dgcnn", reason="test_encoders.py tests the encoders alone"),
)
def built(request, base):
    seed_everything(3)
    kind = BertEncoder if request.param == "bert" else LightEncoder
    options = EncoderOptions(encoder=request.param, hidden_size=8, layers=2, max_length=64)
    encoder = kind.from_texts(TEXTS * 2 + ["导演拍有多部电影植被寒带NIL"] * 2, options)
    return encoder, model.build_network(encoder)


def test_padding_and_neighbours_change_nothing(built, base, monkeypatch):
    """In any batch, order and company: also where pieces are repeated, and where the knowledge base says the same of two
    entities."""
    monkeypatch.setattr(decode, "_WORTH_LINKING", 0.0)
    encoder, network = built
    read_pair, total = features.PairReader(encoder, base, 32), priors.Priors.total([])
    repeated = [example(piece * 9) for piece in ("苔原", "孪生 ", "苔原之夜夜夜", "《小说》", "".join(TEXTS))]
    texts = [*EXAMPLES, *repeated]
    alone = decode.Predictor(network, read_pair, total, 1)
    expected = alone.score(alone.features(texts), [decode.Settings()])
    links = alone.decode(texts, expected, decode.Settings(0.0))
    for size in (7, 64):
        together = decode.Predictor(network, read_pair, total, size)
        for order in (range(len(texts)), np.random.default_rng(size).permutation(len(texts)).tolist()):
            found = together.score(together.features([texts[at] for at in order]), [decode.Settings()])
            for at, other in zip(order, found):
                assert [scored.spot.span for scored in expected[at].spots] == [one.spot.span for one in other.spots]
                for mine, its in zip(expected[at].spots, other.spots):
                    assert mine.mention == pytest.approx(its.mention, abs=1e-3)
                    np.testing.assert_allclose(mine.entities, its.entities, atol=1e-3)
                    assert mine.entities.sum() == pytest.approx(1)
            answers = together.decode([texts[at] for at in order], found, decode.Settings(0.0))
            assert answers == [links[at] for at in order]


def test_of_what_is_equal_but_for_the_last_bits_the_first_is_taken(base, monkeypatch):
    generator = np.random.default_rng(1)

    def noisy(values):
        return tf.constant(np.asarray(values, np.float64) + generator.normal(0, 1e-7, np.shape(values)))

    class Indifferent:
        def mentions(self, inputs):
            return [noisy(np.full((*inputs["token_ids"].shape, 2), -1)), noisy([0.3] * len(inputs["name_places"]))]

        def entities(self, inputs):
            return noisy([0.7] * len(inputs["token_ids"]))

    monkeypatch.setattr(decode, "one_trace", lambda network: network)
    indifferent = decode.Predictor(Indifferent(), features.PairReader(light(), base, 8), priors.Priors.total([]))
    texts = [example("苔原和孪生"), example("苔原之夜"), example("".join(TEXTS) * 5)] * 5
    found = indifferent.score(indifferent.features(texts), [decode.Settings()])
    for scores in found:
        spans = [one.spot.span for one in scores.spots]
        assert spans == sorted(spans) and {one.mention for one in scores.spots} == {found[0].spots[0].mention}
    [backwards] = indifferent.score(indifferent.features(texts[2:3])[::-1], [decode.Settings()])
    assert [one.spot.span for one in backwards.spots] == [one.spot.span for one in found[2].spots]
    answers = indifferent.decode(texts, found, decode.Settings(0.1))
    assert answers[0] == [task.Mention("苔原", 0, "1"), task.Mention("孪生", 3, "6")]
    assert answers[1] == [task.Mention("苔原之夜", 0, "3")]  # as probable as 夜
    assert answers[:3] * 5 == answers


def test_nothing_is_predicted_for_nothing(built, base):
    encoder, network = built
    of_nothing = decode.Predictor(network, features.PairReader(encoder, base, 32), priors.Priors.total([]))
    assert of_nothing([], decode.Settings()) == []


@pytest.mark.slow(reason="the contract has it learn by heart")
def test_it_learns_what_it_is_shown_context_deciding(base):
    seed_everything(1)
    encoder = LightEncoder.from_texts(
        TEXTS * 2 + ["导演拍有多部电影植被寒带NIL"] * 2,
        EncoderOptions(hidden_size=24, layers=2, max_length=64, dropout=0.0),
    )
    network = model.build_network(encoder)
    windows, _ = labelled(base, encoder)
    read_pair = features.PairReader(encoder, base, 32)
    training = TrainingModel(network.training, model.loss)
    training.compile(build_optimizer(TrainingOptions(epochs=1, ema_momentum=0.0), 5e-3, 60))
    batches = training_dataset(
        windows,
        [len(window.encoding) for window in windows],
        lambda batch, generator: features.collate(batch, generator, read_pair, 99, 8),
        5,
        1,
        range(60),
        training,
    )
    training.fit(batches, steps_per_epoch=1, epochs=60, verbose=0)
    trained = decode.Predictor(network, read_pair, priors.Priors.total(shown(base)))
    predictions = trained.decode(EXAMPLES, trained.score(windows, [decode.Settings()]), decode.Settings(0.5))
    assert predictions == [sorted(one.mentions, key=lambda mention: mention.offset) for one in EXAMPLES]


def test_a_batch_without_spots_or_queries_has_a_finite_loss(built, base):
    encoder, network = built
    texts = [example("无"), example("什么也没有")]
    read_pair, training = features.PairReader(encoder, base, 8), TrainingModel(network.training, model.loss)
    labels = {"edge_labels", "name_labels", "choices", "right"}
    for queries in ([features.Query(found_spots(base)[0][0], 0)], []):
        windows = features.text_windows([one.text for one in texts], [[], []], encoder)
        windows[0].queries = queries
        batch = features.collate(windows, np.random.default_rng(1), read_pair, 1, 4)
        assert set(batch) == {*network.training.input_names} | labels
        assert np.isfinite(training.batch_loss(batch, training=True))


# Prediction


def test_a_prediction_that_breaks_a_rule_costs_its_own_line_alone(base, capsys):
    """And no more texts are predicted at once than a round has."""
    texts, sizes = [task.Example(str(number), "苔原", None, number + 2) for number in range(1500)], []

    class Half:
        read_pair = features.PairReader(light(), base, 8)

        def __call__(self, examples, settings):
            sizes.append(len(examples))
            return [[task.Mention("苔原", 0, "8" if one.id == "1200" else "1")] for one in examples]

    found = predict.answers(texts, Half(), decode.Settings(), "test.json")
    assert sizes == [1000, 500] and [at for at, mentions in enumerate(found) if not mentions] == [1200]
    assert "1 of 1500 predictions" in (err := capsys.readouterr().err) and 'test.json:1202: in "苔原": the know' in err


# Decoding


def scored(start, end, mention, *entities, candidates_=("1", "2")):
    shape, counts = np.zeros(candidates.SHAPE_FEATURES), np.zeros((priors.CONTEXTS, 2))
    spot = candidates.Spot("", (start, end), candidates_, True, shape, [], [], counts, np.zeros(3), 0.1)
    return decode.ScoredSpot(spot, mention, np.array(entities))


def decoded(text, scores, threshold):
    [mentions] = predictor().decode([example(text)], [scores], decode.Settings(threshold))
    return mentions


def test_the_best_of_overlapping_spots_is_kept():
    text = "苔原之夜里的阿木"
    found = decode.Scores(
        [scored(0, 2, 0.9, 0.5, 0.4, 0.1), scored(0, 4, 0.8, 0.1, 0.8, 0.1), scored(3, 4, 0.3, 0.1, 0.2, 0.7)],
        [(3, 5), (6, 8)],
    )
    assert decoded(text, found, 0.4) == [task.Mention("苔原之夜", 0, "2"), task.Mention("阿木", 6, NIL)]
    # Where nothing reaches the threshold, what the half pointer marks is left.
    assert decoded(text, found, 0.65) == [task.Mention("夜里", 3, NIL), task.Mention("阿木", 6, NIL)]


def test_of_equally_good_spots_the_first_is_kept():
    for spans in ([(0, 2), (1, 3), (2, 4)], [(2, 4), (0, 2), (1, 3)]):
        found = sorted((scored(*span, 0.8, 0.4, 0.4, 0.2) for span in spans), key=lambda one: one.spot.span)
        places = [(mention.text, mention.entity) for mention in decoded("苔原之夜", decode.Scores(found, []), 0.2)]
        assert places == [("苔原", "1"), ("之夜", "1")]


def test_decoding_equals_trying_all_orders():
    generator = np.random.default_rng(4)
    text = "一二三四五六七八"
    for _ in range(50):
        spans = sorted({tuple(sorted(generator.choice(9, 2, replace=False).tolist())) for _ in range(5)})
        found = [scored(*span, float(generator.random()), *generator.dirichlet([1, 1, 1])) for span in spans]
        chosen = {(one.offset, one.end) for one in decoded(text, decode.Scores(found, []), 0.2)}
        for one in found:
            start, end = one.spot.span
            better = [other for other in found if other.value > one.value and other.spot.span in chosen]
            blocked = any(other.spot.span[0] < end and start < other.spot.span[1] for other in better)
            assert (one.spot.span in chosen) == (one.value >= 0.2 and not blocked)


def test_the_search_finds_the_threshold_that_separates():
    gold = [task.Example(str(index), "苔原和夜", (task.Mention("苔原", 0, "1"),), 1) for index in range(6)]
    scores = [decode.Scores([scored(0, 2, 0.9, 0.8, 0.1, 0.1), scored(3, 4, 0.7, 0.6, 0.2, 0.2)], []) for _ in gold]
    counted = [decode.counts(gold, predictor().decode(gold, scores, settings)) for settings in decode.GRID]
    found = search(decode.GRID, np.array(counted), decode.f1, 1)
    assert found.score == found.crossed == 1 and 0.42 < found.setting.threshold <= 0.72


def test_all_settings_of_the_search_are_probabilities():
    assert all(0 < threshold < 1 for (threshold,) in decode.GRID) and len(set(decode.GRID)) == len(decode.GRID)
    assert decode.GRID[0] == decode.Settings() == (0.4,)
