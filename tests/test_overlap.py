"""common/tokenizers/overlap: what a question and a context share, against its definition word for word."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.tokenizers import SPECIAL_TOKENS, WordPieceTokenizer, segment
from common.tokenizers.overlap import SHARED_KINDS, overlap
from common.tokenizers.words import normal_form, rarity

TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *"云桥出版社南山的灯天地。！？!?aａＡ", "##a", "##社"])
PIECES = [
    "云桥",
    "出版社",
    "出版",
    "南山的灯",
    "的",
    "天",
    "地",
    "。",
    "！",
    "!",
    "？",
    " ",
    "a",
    "Ａ",
    "ａa",
    "12",
    "１２",
    "龘",
    "한",
    "",
]
deterministic = settings(max_examples=100)
texts = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


def shared_by(question, context):
    return overlap(question, TOKENIZER.tokenize(question), context, TOKENIZER.tokenize(context))


def slow_tokens(text):
    """Each token in normal form, and the word around its first character."""
    words = [text[start:end] for start, end in segment(text) for _ in range(start, end)]
    return [
        (normal_form(text[start:end]), normal_form(words[start])) for start, end in TOKENIZER.tokenize(text).offsets
    ]


def slow_runs(tokens, place, size):
    return {
        tuple(tokens[first : first + size])
        for first in range(place - size + 1, place + 1)
        if 0 <= first <= len(tokens) - size
    }


def slow_overlap(question, context):
    asked, tokens = slow_tokens(question), slow_tokens(context)
    asked_forms, forms = [form for form, _ in asked], [form for form, _ in tokens]
    shared, coverage = [], []
    weights = {form: max(rarity(word) / len(word) for other, word in asked if other == form) for form in asked_forms}
    whole = sum(weights.values())
    runs = {size: {run for at in range(len(asked)) for run in slow_runs(asked_forms, at, size)} for size in (1, 2, 3)}
    for place, (_, word) in enumerate(tokens):
        kind = 0
        for size, of_question in runs.items():
            kind += 2 ** (size - 1) * bool(slow_runs(forms, place, size) & of_question)
        kind += 8 * (len(word) > 1 and word in {other for _, other in asked})
        shared.append(kind)

        first = place
        while first > 0 and forms[first - 1] not in tuple("。！？；!?;"):
            first -= 1
        last = place
        while last < len(forms) - 1 and forms[last] not in tuple("。！？；!?;"):
            last += 1
        near = forms[max(0, place - 15) : place + 16]
        coverage.append(
            [
                sum(weights[form] for form in weights if form in part) / whole if whole else 0.0
                for part in (forms[first : last + 1], near)
            ]
        )
    return shared, coverage, [int(form in forms) for form in asked_forms]


@deterministic
@given(texts, texts)
def test_overlap_against_its_definition(question, context):
    found = shared_by(question, context)
    shared, coverage, in_context = slow_overlap(question, context)
    assert found.shared.tolist() == shared
    np.testing.assert_allclose(found.coverage, np.reshape(coverage, (-1, 2)), atol=1e-5)
    assert found.found.tolist() == in_context
    assert found.shared.dtype == found.found.dtype == np.int32 and found.coverage.dtype == np.float32
    assert found.coverage.shape == (len(shared), 2)
    assert not len(shared) or (0 <= found.shared.min() and found.shared.max() < SHARED_KINDS)
    assert not len(shared) or (found.coverage.min() >= 0 and found.coverage.max() <= 1 + 1e-5)


@deterministic
@given(texts, st.lists(texts, max_size=4))
def test_a_question_is_asked_of_many_contexts(question, contexts):
    asked = TOKENIZER.tokenize(question)
    for context in contexts:
        tokens = TOKENIZER.tokenize(context)
        one, other = overlap(question, asked, context, tokens), shared_by(question, context)
        for mine, alone in zip(one, other, strict=True):
            np.testing.assert_array_equal(mine, alone)


def test_what_is_remembered_belongs_to_a_text_and_its_tokens():
    for question in ("南山的灯", "灯的南山", "天"):
        few = TOKENIZER.tokenize(question).take(slice(1))
        found = overlap(question, few, "南山的灯", TOKENIZER.tokenize("南山的灯"))
        assert found.found.tolist() == [int(question != "天")]
        assert shared_by(question, "南山的灯").found.tolist() == [int(one != "天") for one in question]


def test_by_hand():
    found = shared_by("南山的天", "南山的灯。天")
    assert found.found.tolist() == [1, 1, 1, 1]
    # 南山 is a word of both, with 的 a run of three.
    assert found.shared.tolist() == [15, 15, 7, 0, 0, 1]
    (in_sentence, near), (after, near_after) = found.coverage[0].tolist(), found.coverage[-1].tolist()
    assert [near, near_after, in_sentence + after] == pytest.approx([1, 1, 1])
    assert in_sentence > after > 0


def test_a_neighbourhood_ends_after_15_tokens():
    coverage = shared_by("灯", "天" * 20 + "灯" + "天" * 20).coverage
    assert np.flatnonzero(coverage[:, 1]).tolist() == list(range(5, 36))
    assert (coverage[:, 0] == 1).all()


def test_rare_words_weigh_more():
    coverage = shared_by("南山的", "南山。的").coverage
    assert coverage[0, 0] > 2 * coverage[3, 0] > 0
    assert 0 <= rarity("的") < rarity("出版社") < rarity("这个词字典里没有") == 1


@pytest.mark.parametrize(
    ("question", "context"), [("", ""), ("天", ""), ("", "天地"), (" ", " "), ("天", " "), (" \n", "天")]
)
def test_nothing_in_common_with_nothing(question, context):
    found = shared_by(question, context)
    assert not found.shared.any() and not found.coverage.any() and not found.found.any()
    assert found.coverage.shape == (len(TOKENIZER.tokenize(context)), 2) and len(found.found) == len(
        TOKENIZER.tokenize(question)
    )


def test_full_width_and_capital_letters_agree():
    wide, narrow = shared_by("Ａ天！", "ａ。天！地"), shared_by("a天!", "A。天!地")
    for one, other in zip(wide, narrow):
        np.testing.assert_array_equal(one, other)
    assert narrow.shared.tolist() == [1, 0, 3, 3, 0]
    assert shared_by("a天!", "ａ。天！地").shared.tolist() == [1, 0, 3, 3, 0]


def test_a_full_width_mark_ends_a_sentence_like_any_other():
    for mark in "。！？!?":
        coverage = shared_by("灯", f"灯{mark}天").coverage
        assert coverage[:, 0].tolist() == [1, 1, 0], mark
