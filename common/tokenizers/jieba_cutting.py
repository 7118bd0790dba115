"""jieba's accurate mode at 40 percent of its time: texts are cut as `jieba.Tokenizer.cut` cuts them, to the last tie.

Of all ways to cut a sentence into words of the dictionary the most probable one is taken. Where it leaves single
characters side by side, which mostly are a name, a hidden Markov model over characters decides. Most pairs of
characters come again, so what the dictionary says of them is remembered, and so are names. Logarithms are added up in
jieba's order, so that last bits are the same.
"""

import re
from functools import lru_cache
from math import log
from typing import Any

from common.tokenizers.normalization import Memo

# What is cut by the dictionary; each character elsewhere is a word, and so is a line end of Windows.
_SENTENCE = re.compile("([\u4e00-\u9fd5a-zA-Z0-9+#&._%-]+)")
_MARK = re.compile("\r\n|.", re.DOTALL)
# Of single characters, what the hidden Markov model cuts, and what is a word elsewhere.
_IDEOGRAPHS = re.compile("([\u4e00-\u9fd5]+)")
_NUMBER = re.compile(r"([a-zA-Z0-9]+(?:\.\d+)?%?)")

# Names that are remembered, and the characters of the longest of them.
_MOST_NAMES, _LONGEST_NAME = 2**14, 8
_NO_WORD = float("-inf")


class Cutter:
    """Cuts texts by the dictionary of a `jieba.Tokenizer`, which must be initialized and not change. Instances may be
    shared between threads."""

    def __init__(self, segmenter: Any):
        self._segmenter = segmenter
        self._log_total = log(segmenter.total)
        self._unknown = log(1) - self._log_total
        self._characters = Memo(self._look_up)
        self._names = lru_cache(_MOST_NAMES)(HiddenMarkovModel().cut)

    def cut(self, text: str) -> list[str]:
        """The words of any string; together they are the string."""
        words: list[str] = []
        for place, block in enumerate(_SENTENCE.split(text)):
            if place % 2:
                self._cut_sentence(block, words)
            else:
                words += _MARK.findall(block)
        return words

    def _cut_sentence(self, sentence: str, words: list[str]) -> None:
        ends = self._ends(sentence)
        start = first_single = 0  # all words between these two have one character
        while start < len(sentence):
            end = ends[start]
            if end - start > 1:
                if first_single < start:
                    self._cut_singles(sentence[first_single:start], words)
                words.append(sentence[start:end])
                first_single = end
            start = end
        self._cut_singles(sentence[first_single:], words)

    def _cut_singles(self, characters: str, words: list[str]) -> None:
        # What is a word of the dictionary was less probable than its characters.
        if len(characters) < 2 or self._segmenter.FREQ.get(characters):
            words += characters
            return
        for place, block in enumerate(_IDEOGRAPHS.split(characters)):
            if place % 2:
                words += (self._names if len(block) <= _LONGEST_NAME else self._names.__wrapped__)(block)
            else:
                words += filter(None, _NUMBER.split(block))

    def _ends(self, sentence: str) -> list[int]:
        """For each character the end of the word that begins with it, in the most probable way to go on from there."""
        characters, frequency_of, log_total = self._characters, self._segmenter.FREQ.get, self._log_total
        length = len(sentence)
        best, ends = [0.0] * (length + 1), [0] * length
        for start in range(length - 1, -1, -1):
            weight, begins_words = characters[sentence[start]]
            stop = end = start + 1
            value = weight + best[stop]
            while begins_words and stop < length:
                stop += 1
                frequency = frequency_of(sentence[start:stop])
                if frequency:
                    longer = log(frequency) - log_total + best[stop]
                    if longer >= value:
                        value, end = longer, stop
                elif frequency is None:
                    break
            if value == _NO_WORD:
                value = self._unknown + best[end]
            best[start], ends[start] = value, end
        return ends

    def _look_up(self, character: str) -> tuple[float, bool]:
        """The logarithm of its probability as a word, and whether longer words may begin with it. What only begins words
        is one itself where none of these follows, and has no probability beside them."""
        frequency = self._segmenter.FREQ.get(character)
        if frequency is None:
            return self._unknown, False
        return log(frequency) - self._log_total if frequency else _NO_WORD, True


class HiddenMarkovModel:
    """jieba's model for words that are not in the dictionary: each ideograph begins or ends a word, stands in the
    middle of one or is one by itself, B, E, M, S."""

    def __init__(self):
        from jieba import finalseg

        least = finalseg.MIN_FLOAT
        self._emissions = finalseg.emit_P, least
        self._start = [finalseg.start_P[state] for state in "BMES"]
        steps = ("EB", "SB", "BM", "MM", "BE", "ME", "ES", "SS")
        self._steps = [finalseg.trans_P[before].get(state, least) for before, state in steps]

    def cut(self, ideographs: str) -> list[str]:
        """The words of a text of ideographs, one or more."""
        e_b, s_b, b_m, m_m, b_e, m_e, e_s, s_s = self._steps
        tables, least = self._emissions
        of_b, of_m, of_e, of_s = (tables[state] for state in "BMES")
        first = ideographs[0]
        b, m, e, s = (start + tables[state].get(first, least) for start, state in zip(self._start, "BMES"))
        before: list[tuple[str, str, str, str]] = []  # for B, M, E, S
        for character in ideographs[1:]:
            emitted = of_b.get(character, least)
            new_b, other_b = s + s_b + emitted, e + e_b + emitted
            emitted = of_m.get(character, least)
            new_m, other_m = m + m_m + emitted, b + b_m + emitted
            emitted = of_e.get(character, least)
            new_e, other_e = m + m_e + emitted, b + b_e + emitted
            emitted = of_s.get(character, least)
            new_s, other_s = s + s_s + emitted, e + e_s + emitted
            # Of equal ones jieba takes the later letter.
            before.append(
                (
                    "S" if new_b >= other_b else "E",
                    "M" if new_m >= other_m else "B",
                    "M" if new_e >= other_e else "B",
                    "S" if new_s >= other_s else "E",
                )
            )
            b, m, e, s = max(new_b, other_b), max(new_m, other_m), max(new_e, other_e), max(new_s, other_s)
        state = "S" if s >= e else "E"
        words, end = [], len(ideographs)
        for place in range(len(ideographs) - 1, -1, -1):
            if state in "BS" or place == 0:  # a text of characters unknown to the model may begin with any state
                words.append(ideographs[place:end])
                end = place
            if place:
                state = before[place - 1]["BMES".index(state)]
        return words[::-1]
