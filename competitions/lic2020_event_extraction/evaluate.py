"""The score of a submission by the organisers' definition, and what went wrong in it. Needs no TensorFlow, no GPU and
no schema.

python evaluate.py --gold dev.json --predictions predictions.json
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

from metric import Comparison, Item, Score, compare, grouping_score, one_to_one, repeats, total, trigger_score
from task import read, read_submission


@dataclass
class Config:
    """Score a submission as the organisers define it: precision, recall and F1 over arguments, with credit by
    characters."""

    gold: Path
    """Labelled texts in the official format (dev.json)."""
    predictions: Path
    """The submission: JSON lines, or a zip with one such file in it."""
    json: bool = False
    """Print one JSON object with precision, recall and f1, unrounded, and nothing else, on stdout."""
    max_megabytes: int | None = None
    """Largest size of the unpacked predictions, in megabytes. Default: 100 times gold, and at least 10."""


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the score and returns its `precision`, `recall` and `f1`. Raises UserError for files that cannot be
    read."""
    config = parse_flags(Config, argv)
    check_size(config.predictions, config.gold, config.max_megabytes)
    skipped: Counter[str] = Counter()
    gold = read(config.gold, schema=None, labelled=True, skipped=skipped)
    predictions = read_submission(config.predictions)
    comparisons = compare([(example.id, example.events) for example in gold], predictions)
    score = total(comparisons)
    if config.json:
        print(json.dumps(score.figures()))
    else:
        print_report(score, comparisons, {example.id: example.text for example in gold})
        print_skipped(config.gold, skipped)
    sys.stdout.flush()  # so that the warnings come last, where they are seen
    for message in find_doubts([example.id for example in gold], [id for id, _ in predictions], score, comparisons):
        warn(message)
    return score.figures()


def print_report(score: Score, comparisons: list[Comparison], texts: dict[str, str]) -> None:
    """The figures with their counts, a table by event type (frequent ones first), and the errors by kind."""
    print(f"precision {score.precision:.4f}   {score.correct:.2f} credit for {score.predicted} predicted arguments")
    print(f"recall    {score.recall:.4f}   {score.correct:.2f} credit for {score.gold} gold arguments")
    print(f"f1        {score.f1:.4f}   in {len(texts)} texts\n")
    print("beside it, not what the organisers count:")
    print(f"one to one  {_line(one_to_one(comparisons))}   each argument once, and credit for one prediction only")
    triggers = trigger_score(comparisons)
    found = f"{_line(triggers)}   type and trigger exactly" if triggers.predicted else "the predictions name none"
    print(f"triggers    {found}")
    print(f"grouping    {_line(grouping_score(comparisons))}   pairs of arguments of one event\n")
    rows = [
        [name, part.gold, part.predicted, part.correct, part.precision, part.recall, part.f1]
        for name, part in sorted(
            score.event_types.items(), key=lambda item: (-item[1].gold, -item[1].predicted, item[0])
        )
    ]
    print(table(["event type", "gold", "predicted", "credit", "precision", "recall", "f1"], rows))
    errors = find_errors(comparisons)
    if any(errors.values()):
        described = describe_errors(
            errors, lambda error: texts.get(error.id, f"(id {error.id:.40}, not in gold)"), show
        )
        print(f"\nerrors\n{described}")


def _line(score: Score) -> str:
    return f"precision {score.precision:.4f}  recall {score.recall:.4f}  f1 {score.f1:.4f}"


def find_doubts(
    gold_ids: Sequence[str], predicted_ids: Sequence[str], score: Score, comparisons: list[Comparison]
) -> list[str]:
    """Sentences on what makes the figures doubtful, since the official metric passes over it in silence."""
    doubts = []
    gold, predicted = set(gold_ids), set(predicted_ids)
    if not score.predicted:
        doubts.append(f"NOTHING IS PREDICTED for the {len(gold)} texts and {score.gold} arguments of gold")
    foreign = len(predicted - gold)
    if foreign:
        doubts.append(
            f"{foreign} of {len(predicted)} predicted ids are not in gold, and their arguments count as wrong - "
            "is it the right gold file?"
        )
    absent = len(gold - predicted)
    if absent:
        doubts.append(f"{absent} of {len(gold)} gold ids have no line in the predictions: all is missed there")
    twice = sum(count > 1 for count in Counter(predicted_ids).values())
    if twice:
        doubts.append(
            f"{twice} ids stand several times in the predictions, and their arguments add up: leave one line of each"
        )
    repeated = sum(repeats(one.predicted) for one in comparisons)
    if repeated or score.recall > 1:
        cause = "recall is above 1, since several predictions share a gold argument"
        if repeated:
            cause = (
                f"{repeated} of {score.predicted} predicted arguments repeat another one of their text, "
                "which inflates recall, even beyond 1: leave one of each"
            )
        doubts.append(f"{cause}. Counted one to one: {_line(one_to_one(comparisons))}")
    return doubts


# What went wrong, in kinds that suggest what to do about it


@dataclass(frozen=True)
class Error:
    """A gold argument that was missed, a predicted one that is wrong, or one of each that belong together, in the text
    of `id`."""

    id: str
    gold: Item | None
    predicted: Item | None


def _same_text(gold: Item, predicted: Item) -> bool:
    return predicted.argument.text.lower() in _forms(gold)


def _boundary_differs(gold: Item, predicted: Item) -> bool:
    return gold.place == predicted.place and any(
        boundary_differs(form, predicted.argument.text.lower()) for form in _forms(gold)
    )


#: From the most to the least alike: a missed and a wrong argument form a pair under the first kind that fits.
PAIRS: dict[str, Callable[[Item, Item], bool]] = {
    "right type and role, boundary differs": _boundary_differs,
    "right span, wrong role": lambda gold, other: gold.event_type == other.event_type and _same_text(gold, other),
    "right span and role, wrong event type": lambda gold, other: (
        gold.argument.role == other.argument.role and _same_text(gold, other)
    ),
    "right span, wrong event type and role": _same_text,
    "right type and role, another part of the text": lambda gold, other: gold.place == other.place,
}
AGAIN = "found already, predicted once more with another boundary"
MISSED = "missed entirely"
SPURIOUS = "spurious"


def find_errors(comparisons: Iterable[Comparison]) -> dict[str, list[Error]]:
    """The errors of each kind, the most frequent kind first. Every missed and every wrong argument is in exactly
    one."""
    errors: dict[str, list[Error]] = {kind: [] for kind in (*PAIRS, AGAIN, MISSED, SPURIOUS)}
    for comparison in comparisons:
        missed, wrong = comparison.missed, comparison.wrong
        for kind, item, other in take_pairs(missed, wrong, PAIRS):
            errors[kind].append(Error(comparison.id, item, other))
        errors[MISSED] += [Error(comparison.id, item, None) for item in missed]
        for other in wrong:
            again = any(_boundary_differs(item, other) for item in comparison.gold)
            errors[AGAIN if again else SPURIOUS].append(Error(comparison.id, None, other))
    return dict(sorted(errors.items(), key=lambda item: -len(item[1])))


def show(item: Item) -> str:
    """`event type | role | text`, with the aliases behind it."""
    return " | ".join([item.event_type, item.argument.role, item.argument.text, *item.argument.aliases])


def _forms(gold: Item) -> list[str]:
    return [form.lower() for form in (gold.argument.text, *gold.argument.aliases)]


if __name__ == "__main__":
    # Millions of objects, and no circle among them: looking for one again and again was a third of the time.
    gc.disable()
    run(main)
