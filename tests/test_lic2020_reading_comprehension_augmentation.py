import numpy as np
import pytest
from competition import load
from hypothesis import given, settings
from hypothesis import strategies as st

from common.tokenizers import segment

FOLDER = "lic2020_reading_comprehension"
task = load(FOLDER, "task")
labels = load(FOLDER, "labels")
augmentation = load(FOLDER, "augmentation")
keywords = augmentation.keywords
QUESTION = "顾南的公司是在什么时候上市的？"


def test_some_words_are_left_in_order():
    words = [QUESTION[start:end] for start, end in segment(QUESTION)]
    variants = {keywords(QUESTION, np.random.default_rng(seed)) for seed in range(200)}
    assert len(variants) > 50
    for variant in variants:
        left = iter(words)
        rest = variant
        for word in left:
            rest = rest.removeprefix(word)
        assert not rest and "？" not in variant and variant


def test_function_words_go_first_and_the_rarest_word_never():
    expected = {"顾南": 0.0, "的": 0.7, "公司": 0.25, "是": 0.25, "在": 0.7, "什么": 0.3, "时候": 0.25, "上市": 0.25}
    assert [QUESTION[start:end] for start, end in segment(QUESTION)] == [*expected][:7] + ["上市", "的", "？"]
    variants = [keywords("".join(expected), np.random.default_rng(seed)) for seed in range(500)]
    for word, dropped in expected.items():
        assert sum(word not in variant for variant in variants) / 500 == pytest.approx(dropped, abs=0.07)


@pytest.mark.parametrize("question", ["", "？", " ，", "谁"])
def test_what_cannot_be_shortened_stays(question):
    assert keywords(question, np.random.default_rng(0)) == question


def test_the_generator_alone_decides():
    assert [keywords(QUESTION, np.random.default_rng(3)) for _ in range(2)] == [keywords(QUESTION, np.random.default_rng(3))] * 2


def example(question, context, *answers):
    return task.Example("1", question, context, tuple(task.Answer(*answer) for answer in answers), 0)


def strings(one):
    """The answers and what stands before and after each of them."""
    return [(one.context[max(0, start - 2) : start], one.context[start:end], one.context[end : end + 2]) for start, end in labels.answer_spans(one)]


@settings(derandomize=True, database=None, deadline=None, max_examples=200)
@given(st.text("顾南许青。！；天地", min_size=2, max_size=30), st.data(), st.integers(0, 2**32))
def test_a_sentence_is_put_between_sentences_and_answers_stay_the_same(context, data, seed):
    start = data.draw(st.integers(0, len(context) - 1))
    end = data.draw(st.integers(start + 1, len(context)))
    known = data.draw(st.booleans())
    one = example("谁？", context, (context[start:end], start if known else -1))
    new = augmentation.with_sentence(one, "何人何事。", np.random.default_rng(seed))
    place = new.context.index("何人何事。")
    assert new.context[:place] + new.context[place + 5 :] == context
    assert place == 0 or context[place - 1] in "。！；"
    before, after = labels.answer_spans(one), labels.answer_spans(new)
    assert [context[slice(*span)] for span in before] == [new.context[slice(*span)] for span in after]
    assert after == [(first + 5 * (first >= place), last + 5 * (first >= place)) for first, last in before]
    assert (new.id, new.question, new.article) == (one.id, one.question, one.article)


def test_every_border_of_sentences_is_a_place_but_none_in_an_answer():
    one = example("谁", "顾南。许青。白鹿！天地", ("许青。白鹿", 3))
    found = {augmentation.with_sentence(one, "吗？", np.random.default_rng(seed)).context for seed in range(100)}
    assert found == {"吗？顾南。许青。白鹿！天地", "顾南。吗？许青。白鹿！天地", "顾南。许青。白鹿！吗？天地"}


def test_an_answer_that_occurs_nowhere_is_dropped():
    new = augmentation.with_sentence(example("谁", "顾南。", ("白鹿", -1), ("顾南", -1)), "白鹿？", np.random.default_rng(0))
    assert [answer.text for answer in new.answers] == ["顾南"]


def test_shares_are_those_asked_for():
    one = example(QUESTION, "顾南的公司在去年上市。许青的在今年", ("去年", 6))

    def count(keywords, echoes):
        style = augmentation.SearchStyle(keywords, echoes)
        changed = [style(one, np.random.default_rng(seed)) for seed in range(300)]
        assert all(other is one or other != one for other in changed)
        return sum(other.question != QUESTION for other in changed), sum(other.context != one.context for other in changed)

    assert count(0, 0) == (0, 0) and count(1, 0)[1] == 0 and count(0, 1) == (0, 300)
    assert count(1, 0)[0] > 280
    shortened, echoed = count(0.5, 0.3)
    assert 120 < shortened < 180 and 60 < echoed < 120


def test_a_context_repeats_its_own_question():
    one = example(QUESTION, "顾南的公司在去年上市", ("去年", 6))
    added = {augmentation.SearchStyle(0, 1)(one, np.random.default_rng(seed)).context.removesuffix(one.context) for seed in range(200)}
    assert {"顾南的公司是在什么时候上市的" + tail for tail in ("？", "?", " ", "")} <= added
    assert len(added) > 40 and all(set(text) <= set(QUESTION) | set("? ") for text in added)
