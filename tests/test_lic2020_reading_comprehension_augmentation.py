import numpy as np
import pytest
from competition import load

from common.tokenizers import segment
from common.tokenizers.words import rarity

keywords = load("lic2020_reading_comprehension", "augmentation").keywords
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


def test_the_rarest_word_always_stays_and_others_as_often_as_they_are_rare():
    words = ["顾南", "公司", "上市"]
    counts = dict.fromkeys([*words, "什么"], 0)
    for seed in range(500):
        variant = keywords(QUESTION, np.random.default_rng(seed))
        for word in counts:
            counts[word] += word in variant
    rarest = max(words, key=rarity)
    assert counts[rarest] == 500
    for word in counts.keys() - {rarest}:
        assert counts[word] / 500 == pytest.approx(rarity(word), abs=0.07)


@pytest.mark.parametrize("question", ["", "？", " ，", "谁"])
def test_what_cannot_be_shortened_stays(question):
    assert keywords(question, np.random.default_rng(0)) == question


def test_the_generator_alone_decides():
    assert [keywords(QUESTION, np.random.default_rng(3)) for _ in range(2)] == [keywords(QUESTION, np.random.default_rng(3))] * 2
