"""What predicted titles are like beside those of gold, and what went wrong. Works on the comparisons that
metric.compare returns.

Where a title was taken from can be told only if gold is a file with texts.
"""

import statistics
from collections.abc import Callable, Iterable, Sequence

from common.decoders import repetition_rate

from metric import Comparison, compare
from task import Example

#: As many characters of each text are the line to beat.
FIRST = 24

# Kinds of titles

CORRECT = "the same as gold"
TOO_SHORT = "a piece of gold"
TOO_LONG = "gold and more"
REPEATING = "repeats itself"
BEGINNING = "the beginning of the text"
NOTHING_COMMON = "no character of gold"
OTHER = "other words"
EMPTY = "empty"
KINDS = (CORRECT, TOO_SHORT, TOO_LONG, REPEATING, BEGINNING, OTHER, NOTHING_COMMON, EMPTY)

# The share of bigrams that stood there before, from which on a title repeats itself: two in one of 20 characters.
_REPEATING = 0.1


def kind_of(comparison: Comparison) -> str:
    """The one of KINDS that a predicted title is, in lower case. One that repeats itself does so no less than gold."""
    gold, predicted, text = (
        part.lower() for part in (comparison.example.title, comparison.predicted, comparison.example.text)
    )
    if not predicted.strip():
        return EMPTY
    if predicted == gold:
        return CORRECT
    if predicted in gold:
        return TOO_SHORT
    if repetition_rate([predicted]) >= max(_REPEATING, repetition_rate([gold])):
        return REPEATING
    if gold.strip() and gold in predicted:
        return TOO_LONG
    if text.startswith(predicted):
        return BEGINNING
    return NOTHING_COMMON if set(gold).isdisjoint(predicted) else OTHER


# Lengths of gold

_LENGTHS = {"0": 0, "1-8": 8, "9-12": 12, "13-16": 16, "17-20": 20, "21-24": 24}
MORE = "25+"


def length_of(comparison: Comparison) -> str:
    """The range in which the number of characters of the gold title is."""
    return next((name for name, most in _LENGTHS.items() if len(comparison.example.title) <= most), MORE)


def breakdown(
    comparisons: Iterable[Comparison], group_of: Callable[[Comparison], str], order: Sequence[str]
) -> dict[str, list[Comparison]]:
    """The comparisons of each group, in `order`. None is empty."""
    groups: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        groups.setdefault(group_of(comparison), []).append(comparison)
    return {name: groups[name] for name in order if name in groups}


def by_kind(comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    return breakdown(comparisons, kind_of, KINDS)


def by_length(comparisons: Iterable[Comparison]) -> dict[str, list[Comparison]]:
    return breakdown(comparisons, length_of, (*_LENGTHS, MORE))


# All titles together


def describe_titles(titles: Sequence[str], texts: Sequence[str]) -> dict[str, float]:
    """Lengths in characters, and shares from 0 to 1 of the titles (or of their bigrams and characters); 0 where there
    are none.

    A bigram is repeated if it stood in the same title before. The last three are there only where there is a text.
    `titles` and `texts` belong together, as many of both.
    """
    lengths = [len(title) for title in titles] or [0]
    figures = {
        "characters, mean": statistics.fmean(lengths),
        "characters, median": float(statistics.median(lengths)),
        "characters, longest": max(lengths),
        "empty": _share(not title.strip() for title in titles),
        "repeated bigrams": repetition_rate(titles),
        "the same for another text": same_for_another(titles, texts),
    }
    if any(texts):
        figures |= {
            "the beginning of the text": _share(
                bool(title) and text.startswith(title) for title, text in zip(titles, texts)
            ),
            "characters out of the text": copied(titles, texts, 1),
            "bigrams out of the text": copied(titles, texts, 2),
        }
    return figures


def same_for_another(titles: Sequence[str], texts: Sequence[str]) -> float:
    """The share of titles that are not blank and stand at another text too. Where there are no texts, each line is
    another."""
    origins: dict[str, set[object]] = {}
    for number, (title, text) in enumerate(zip(titles, texts, strict=True)):
        origins.setdefault(title, set()).add(text or number)
    return _share(bool(title.strip()) and len(origins[title]) > 1 for title in titles)


def copied(titles: Sequence[str], texts: Sequence[str], n: int) -> float:
    """The share of the n characters in a row of all titles that stand in the text of their title."""
    pairs = (
        (title[start : start + n], text)
        for title, text in zip(titles, texts, strict=True)
        for start in range(len(title) - n + 1)
    )
    return _share(characters in text for characters, text in pairs)


def _share(values: Iterable[bool]) -> float:
    values = list(values)
    return sum(values) / len(values) if values else 0.0


def beginnings(examples: Sequence[Example]) -> list[Comparison]:
    """What the first 24 characters of each text score as its title: who does not beat them has learned nothing."""
    return compare(examples, [example.text[:FIRST] for example in examples])


# Examples


def selection(comparisons: Iterable[Comparison], number: int) -> dict[str, list[Comparison]]:
    """The `worst`, those in the `middle` and the `best` by rouge-l, then bleu, `number` of each, of titles that say
    something and are not right."""
    ranked = sorted(
        (one for one in comparisons if kind_of(one) not in (CORRECT, EMPTY)),
        key=lambda one: (one.scores.rouge_l, one.scores.bleu),
    )
    worst, rest = ranked[:number], ranked[number:]
    end = max(0, len(rest) - number)
    begin = max(0, end - number) // 2
    groups = {"worst": worst, "middle": rest[begin : min(end, begin + number)], "best": rest[end:]}
    return {name: group for name, group in groups.items() if group}


def describe(comparison: Comparison) -> str:
    """A few lines on a title: rouge-l, bleu and kind, the beginning of the text, if known, and gold and prediction
    below each other."""
    example, scores = comparison.example, comparison.scores
    lines = [f"rouge-l {scores.rouge_l:.3f}  bleu {scores.bleu:.3f}  {kind_of(comparison)}"]
    if example.text:
        lines.append(f"  text       {example.text[:60]}{'…' if len(example.text) > 60 else ''}")
    lines += [f"  gold       {example.title}", f"  predicted  {comparison.predicted}"]
    return "\n".join(" ".join(line.splitlines()) for line in lines)
