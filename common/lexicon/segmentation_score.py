"""How well texts are cut into words."""

from collections.abc import Collection, Iterable, Sequence

from common.metrics import precision_recall_f1
from common.tokenizers.normalization import is_ideograph


def segmentation_score(
    gold: Iterable[Sequence[str]], found: Iterable[Sequence[str]], known: Collection[str] = ()
) -> dict[str, float]:
    """`precision`, `recall` and `f1` of the words, each at its place; `unknown`: how many gold words with an ideograph
    are not in `known`, and `unknown_recall`: the share of these that was found. Raises ValueError for another text."""
    right = expected = said = unknown = unknown_right = 0
    for gold_words, found_words in zip(gold, found, strict=True):
        if "".join(gold_words) != "".join(found_words):
            raise ValueError(f"words of another text: {''.join(found_words)[:60]!r}")
        of_gold, of_found = spans_of(gold_words), spans_of(found_words)
        right += len(of_gold & of_found)
        expected, said = expected + len(of_gold), said + len(of_found)
        new = {
            span
            for span, word in zip(sorted(of_gold), gold_words)
            if word not in known and any(map(is_ideograph, word))
        }
        unknown, unknown_right = unknown + len(new), unknown_right + len(new & of_found)
    scores = precision_recall_f1(right, said, right, expected)
    return scores | {"unknown": unknown, "unknown_recall": unknown_right / unknown if unknown else 0.0}


def spans_of(words: Iterable[str]) -> set[tuple[int, int]]:
    """The characters [start, end) of each word of a text."""
    spans, start = set(), 0
    for word in words:
        spans.add((start, start + len(word)))
        start += len(word)
    return spans
