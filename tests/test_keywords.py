import re

import numpy as np
import pytest

from common.augmentation import keywords
from common.tokenizers import segment

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
    assert [keywords(QUESTION, np.random.default_rng(3)) for _ in range(2)] == [
        keywords(QUESTION, np.random.default_rng(3))
    ] * 2


def variants_of(question):
    return [keywords(question, np.random.default_rng(seed)) for seed in range(200)]


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("什么动物不睡觉", "不"),
        ("没有驾照的人能买车吗", "没有"),
        ("除了北京还有哪里", "除了"),
        ("世界上最高的山", "最高"),
    ],
)
def test_what_turns_a_question_round_stays(question, word):
    assert word in [question[start:end] for start, end in segment(question)]
    assert all(word in variant for variant in variants_of(question))


def test_question_words_are_no_function_words():
    variants = variants_of("云桥公司何时上市")
    assert sum("何时" not in variant for variant in variants) / 200 == pytest.approx(0.3, abs=0.1)


def test_words_and_numbers_do_not_grow_together():
    for question in ("3 5 8是什么", "how to cook rice", "ABC,12"):
        pieces = set(re.findall("[A-Za-z0-9]+", question))
        assert all(set(re.findall("[A-Za-z0-9]+", variant)) <= pieces for variant in variants_of(question))
    assert "苹果手机" in variants_of("苹果 手机")
