"""The organisers' score of a submission, and what went wrong in it. Needs no TensorFlow, no GPU and no schema.

python evaluate.py --gold dev.json --predictions predictions.zip
"""

import gc
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.archives import check_size
from common.command_line import parse_flags, print_skipped, run, table, warn
from common.error_report import boundary_differs, describe_errors, take_pairs

from metric import Comparison, Key, Score, compare, read_aliases, total
from task import VALUE, Triple, read, read_submission


@dataclass
class Config:
    """Score a submission as the organisers do: micro precision, recall and F1 over triples, each with 4 decimals."""

    gold: Path
    """Labelled sentences in the official format (dev.json)."""
    predictions: Path
    """The submission: JSON lines, or a zip with one such file in it."""
    alias: Path | None = None
    """Names and their aliases, one name a line, tabs between; what is an alias counts as equal."""
    json: bool = False
    """Print one JSON object with precision, recall and f1, and nothing else, on stdout."""
    max_megabytes: int | None = None
    """Largest size of the unpacked predictions, in megabytes. Default: 100 times gold, and at least 10."""


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the score and returns its `precision`, `recall` and `f1`. Raises UserError for files that cannot be
    read."""
    config = parse_flags(Config, argv)
    check_size(config.predictions, config.gold, config.max_megabytes)
    skipped: Counter[str] = Counter()
    gold = [(example.text, example.triples) for example in read(config.gold, None, labelled=True, skipped=skipped)]
    predictions = read_submission(config.predictions)
    aliases = read_aliases(config.alias) if config.alias else None
    comparisons = compare(gold, predictions, aliases)
    score = total(comparisons)
    if config.json:
        print(json.dumps(score.figures()))
    else:
        print_report(score, comparisons)
        print_skipped(config.gold, skipped)
    sys.stdout.flush()  # so that the warnings come last, where they are seen
    for message in find_doubts([text for text, _ in gold], [text for text, _ in predictions], score):
        warn(message)
    return score.figures()


def print_report(score: Score, comparisons: list[Comparison]) -> None:
    """The figures with their counts, a table by predicate (frequent ones first), and the errors by kind."""
    print(f"precision {score.precision:.4f}   {score.correct} correct of {score.predicted} predicted")
    print(f"recall    {score.recall:.4f}   {score.found} found of {score.gold} gold")
    print(f"f1        {score.f1:.4f}   in {len(comparisons)} sentences\n")
    rows = [
        [name, part.gold, part.predicted, part.correct, part.precision, part.recall, part.f1]
        for name, part in sorted(
            score.predicates.items(), key=lambda item: (-item[1].gold, -item[1].predicted, item[0])
        )
    ]
    print(table(["predicate", "gold", "predicted", "correct", "precision", "recall", "f1"], rows))
    errors = find_errors(comparisons)
    if any(errors.values()):
        print(f"\nerrors\n{describe_errors(errors, lambda error: error.text, show)}")


def find_doubts(gold: Sequence[str], predicted: Sequence[str], score: Score) -> list[str]:
    """Sentences on what makes the figures doubtful, since the official metric passes over it in silence. gold,
    predicted: the texts of all lines of both files."""
    doubts = []
    gold_texts, predicted_texts = set(gold), set(predicted)
    if not score.predicted:
        doubts.append(f"NOTHING IS PREDICTED for the {len(gold_texts)} sentences and {score.gold} triples of gold")
    foreign = len(predicted_texts - gold_texts)
    if foreign:
        doubts.append(
            f"{foreign} of {len(predicted_texts)} predicted sentences are not in gold - is it the right gold file?"
        )
    absent = len(gold_texts - predicted_texts)
    if absent:
        doubts.append(
            f"{absent} of {len(gold_texts)} gold sentences have no line in the predictions: all is missed there"
        )
    for name, lines, texts in (("gold", gold, gold_texts), ("predictions", predicted, predicted_texts)):
        overwritten = len(lines) - len(texts)
        if overwritten:
            doubts.append(f"{overwritten} lines of {name} count nothing: a later line with the same text replaces them")
    return doubts


# What went wrong, in kinds that suggest what to do about it


@dataclass(frozen=True)
class Error:
    """A gold triple that was missed, a predicted one that is wrong, or one of each that belong together."""

    text: str
    gold: Triple | None
    predicted: Triple | None


def _slots_differ(gold: Key, predicted: Key) -> bool:
    return gold[1] == predicted[1] and _ends(gold) == _ends(predicted)


def _predicate_differs(gold: Key, predicted: Key) -> bool:
    return gold[0] == predicted[0] and _ends(gold) == _ends(predicted)


def _swapped(gold: Key, predicted: Key) -> bool:
    return gold[1] == predicted[1] and _ends(gold) == _ends(predicted)[::-1]


def _boundary_differs(gold: Key, predicted: Key) -> bool:
    return gold[1] == predicted[1] and all(boundary_differs(a, b) for a, b in zip(_ends(gold), _ends(predicted)))


#: From the most to the least alike: a missed and a wrong triple form a pair under the first kind that fits.
PAIRS: dict[str, Callable[[Key, Key], bool]] = {
    "same but for the other slots of the object": _slots_differ,
    "right pair of strings, wrong predicate": _predicate_differs,
    "subject and object exchanged": _swapped,
    "boundary of subject or object differs": _boundary_differs,
}
MISSED = "missed entirely"
SPURIOUS = "spurious"


def find_errors(comparisons: Iterable[Comparison]) -> dict[str, list[Error]]:
    """The errors of each kind, the most frequent kind first. Every missed and every wrong triple is in exactly one."""
    errors: dict[str, list[Error]] = {kind: [] for kind in (*PAIRS, MISSED, SPURIOUS)}
    for comparison in comparisons:
        text, gold, predicted = comparison.text, comparison.gold, comparison.predicted
        missed = [key for key in gold if key not in comparison.found]
        wrong = [key for key in predicted if key not in comparison.correct]
        for kind, key, other in take_pairs(missed, wrong, PAIRS):
            errors[kind].append(Error(text, gold[key], predicted[other]))
        errors[MISSED] += [Error(text, gold[key], None) for key in missed]
        errors[SPURIOUS] += [Error(text, None, predicted[key]) for key in wrong]
    return dict(sorted(errors.items(), key=lambda item: -len(item[1])))


def show(triple: Triple) -> str:
    """`subject | predicate | value`, with the other slots of the object behind it."""
    others = [f"{slot}: {value}" for slot, value in triple.object if slot != VALUE]
    return " | ".join([triple.subject, triple.predicate, triple.slots.get(VALUE, f"(no {VALUE})"), *others])


def _ends(key: Key) -> tuple[str, str | None]:
    subject, _, slots = key
    return subject, dict(slots).get(VALUE)


if __name__ == "__main__":
    # Millions of objects, and no circle among them: looking for one again and again was half of the time.
    gc.disable()
    run(main)
