"""The score of a submission by the organisers' definition, and what went wrong in it. Needs no TensorFlow, no GPU and
no knowledge base.

python evaluate.py --gold dev.json --predictions predictions.json
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.archives import check_size
from common.command_line import parse_flags, print_skipped, printable, run, table, warn
from common.error_report import describe_errors, take_pairs

from metric import Comparison, Count, Score, Share, compare, links, total
from task import NIL, Example, Mention, is_at, read_gold, read_submission

#: How many of the names that cost most errors the report shows.
SHOWN = 10


@dataclass
class Config:
    """Score a submission as the organisers define it: precision, recall and F1 over linked mentions, NIL left out."""

    gold: Path
    """Labelled texts in the official format (dev.json)."""
    predictions: Path
    """The submission: JSON lines, or a zip with one such file in it."""
    json: bool = False
    """Print one JSON object with precision, recall and f1, unrounded, and nothing else, on stdout."""
    max_megabytes: int | None = None
    """Largest size of the unpacked predictions, in megabytes. Default: 100 times gold, and at least 10."""


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the score and returns the figures that `--json` prints. Raises UserError for files that cannot be read."""
    config = parse_flags(Config, argv)
    check_size(config.predictions, config.gold, config.max_megabytes)
    skipped: Counter[str] = Counter()
    examples = read_gold(config.gold, skipped)
    predictions = read_submission(config.predictions)
    comparisons = compare([(example.id, example.mentions) for example in examples], predictions)
    score = total(comparisons)
    if config.json:
        print(json.dumps(score.links.figures()))
    else:
        print_report(score, comparisons, {example.id: example.text for example in examples})
        print_skipped(config.gold, skipped)
    sys.stdout.flush()  # so that the warnings come last, where they are seen
    for message in find_doubts(examples, predictions, score):
        warn(message)
    return score.links.figures()


def print_report(score: Score, comparisons: list[Comparison], texts: dict[str, str]) -> None:
    """The figures with their counts, where points are lost, the names that cost most errors, and the errors by kind.
    `texts` has the text of each gold id."""
    found, figures = score.links, score.figures()
    print(f"precision {figures['precision']:.4f}   {found.correct} correct of {found.predicted} predicted links")
    print(f"recall    {figures['recall']:.4f}   {found.correct} found of {found.gold} gold links")
    print(f"f1        {figures['f1']:.4f}   in {len(texts)} texts, NIL left out\n")
    print("where points are lost, not what the organisers count:")
    mentions = "  ".join(f"{name} {value:.4f}" for name, value in score.mentions.figures().items())
    print(f"mentions  {mentions}   whatever they are linked to, also NIL")
    print(f"linking   {_line(score.linked)} found mentions that gold links to an entity")
    print(f"NIL       {_line(score.unlinked)} found mentions that gold says NIL of\n")
    rows = [
        [name, part.gold, part.predicted, part.correct, *part.figures().values()]
        for name, part in count_names(comparisons).items()
        if part.correct < max(part.gold, part.predicted)
    ]
    if rows:
        header = ["names with most errors", "gold", "predicted", "correct", "precision", "recall", "f1"]
        print(table(header, rows[:SHOWN]))
        errors = find_errors(comparisons)
        print(
            f"\nerrors\n{describe_errors(errors, lambda one: printable(texts.get(one.id, f'(id {one.id:.60}, not in gold)')), show)}"
        )


def _line(share: Share) -> str:
    return f"accuracy {share.accuracy:.4f}   {share.right} right of {share.found}"


def find_doubts(
    examples: Sequence[Example], predictions: Sequence[tuple[str, Sequence[Mention]]], score: Score
) -> list[str]:
    """Sentences on what makes the figures doubtful, since the official metric passes over it in silence."""
    doubts = []
    texts = {example.id: example.text for example in examples}
    ids = Counter(identifier for identifier, _ in predictions)
    if not score.links.predicted:
        doubts.append(f"NOTHING IS PREDICTED but NIL for the {len(texts)} texts and {score.links.gold} links of gold")
    foreign = len(ids.keys() - texts.keys())
    if foreign:
        doubts.append(
            f"{foreign} of {len(ids)} predicted ids are not in gold, and their mentions count as wrong - is it the right gold file?"
        )
    absent = len(texts.keys() - ids.keys())
    if absent:
        doubts.append(f"{absent} of {len(texts)} gold ids have no line in the predictions: all is missed there")
    twice = sum(count > 1 for count in ids.values())
    if twice:
        doubts.append(
            f"{twice} ids stand several times in the predictions, and their mentions add up: leave one line of each"
        )
    known = [
        (mention, texts[identifier])
        for identifier, mentions in predictions
        if identifier in texts
        for mention in mentions
    ]
    elsewhere = sum(not is_at(mention, text) for mention, text in known)
    if elsewhere:
        doubts.append(
            f"{elsewhere} of {len(known)} predicted mentions are not at their offset in the text of gold, and can hardly be right - "
            "count the characters from 0"
        )
    wrong = sum(not is_at(mention, example.text) for example in examples for mention in example.mentions)
    if wrong:
        doubts.append(f"{wrong} mentions of gold are not at their offset, and count all the same")
    return doubts


# What went wrong, in kinds that suggest what to do about it


@dataclass(frozen=True)
class Error:
    """A link of gold that was missed, a predicted one that is wrong, or one of each that belong together, in the text
    of `id`.

    Beside a link that is left without a counterpart may stand what explains it: a mention of the other side, whatever
    else becomes of that.
    """

    id: str
    gold: Mention | None
    predicted: Mention | None


def _same_place(gold: Mention, predicted: Mention) -> bool:
    return gold.place == predicted.place


def _too_long(gold: Mention, predicted: Mention) -> bool:
    return predicted.offset <= gold.offset and gold.end <= predicted.end


def _too_short(gold: Mention, predicted: Mention) -> bool:
    return _too_long(predicted, gold)


def _overlap(gold: Mention, predicted: Mention) -> bool:
    return gold.offset < predicted.end and predicted.offset < gold.end


Kinds = dict[str, Callable[[Mention, Mention], bool]]

#: From the most to the least alike: a missed and a wrong link form a pair under the first kind that fits.
PAIRS: Kinds = {
    "right mention, wrong entity": _same_place,
    "right name at another offset": lambda gold, predicted: gold.text == predicted.text,
    "mention too long": _too_long,
    "mention too short": _too_short,
    "mention overlaps with the right one": _overlap,
}
#: What may explain a missed link that is left: something else that is predicted, NIL or right.
MISSED: Kinds = {
    "right mention, NIL instead of its entity": lambda gold, other: _same_place(gold, other) and other.entity == NIL,
    "missed within another mention": _too_long,
    "missed, overlaps with another mention": _overlap,
}
#: What may explain a wrong link that is left: something else in gold, NIL or found.
WRONG: Kinds = {
    "right mention, an entity instead of NIL": lambda gold, other: _same_place(gold, other) and gold.entity == NIL,
    "spurious within another mention": _too_short,
    "spurious, overlaps with another mention": _overlap,
}
# And where nothing does: the detector does not know the name, or it is unsure of it.
NEVER_PREDICTED = "missed, as everywhere: no text has this name predicted"
PREDICTED_ELSEWHERE = "missed here, though the name is predicted elsewhere"
NEVER_IN_GOLD = "spurious, as everywhere: gold never has this name"
IN_GOLD_ELSEWHERE = "spurious here, though gold has the name elsewhere"


def find_errors(comparisons: Sequence[Comparison]) -> dict[str, list[Error]]:
    """The errors of each kind, the most frequent kind first. Every missed and every wrong link is in exactly one."""
    predicted_names = {mention.text for one in comparisons for mention in one.predicted}
    gold_names = {mention.text for one in comparisons for mention in one.gold}
    alone = (NEVER_PREDICTED, PREDICTED_ELSEWHERE, NEVER_IN_GOLD, IN_GOLD_ELSEWHERE)
    errors: dict[str, list[Error]] = {kind: [] for kind in (*PAIRS, *MISSED, *WRONG, *alone)}
    for one in comparisons:
        missed, wrong = one.missed, one.wrong
        for kind, mention, other in take_pairs(missed, wrong, PAIRS):
            errors[kind].append(Error(one.id, mention, other))
        for mention in missed:
            left = PREDICTED_ELSEWHERE if mention.text in predicted_names else NEVER_PREDICTED
            found = (
                (kind, other) for kind, alike in MISSED.items() for other in one.predicted if alike(mention, other)
            )
            kind, other = next(found, (left, None))
            errors[kind].append(Error(one.id, mention, other))
        for other in wrong:
            left = IN_GOLD_ELSEWHERE if other.text in gold_names else NEVER_IN_GOLD
            found = ((kind, mention) for kind, alike in WRONG.items() for mention in one.gold if alike(mention, other))
            kind, mention = next(found, (left, None))
            errors[kind].append(Error(one.id, mention, other))
    return dict(sorted(errors.items(), key=lambda item: -len(item[1])))


def count_names(comparisons: Iterable[Comparison]) -> dict[str, Count]:
    """The links of each name by themselves, those that cost most errors first."""
    sides = [(links(one.predicted), links(one.gold), one.correct) for one in comparisons]
    by_name = [Counter(mention.text for side in sides for mention in side[at]) for at in range(3)]
    counts = {name: Count(*(side[name] for side in by_name)) for name in sorted(by_name[0] | by_name[1])}
    return dict(sorted(counts.items(), key=lambda item: 2 * item[1].correct - item[1].predicted - item[1].gold))


def show(mention: Mention) -> str:
    """`text | offset | entity`."""
    return printable(f"{mention.text:.60} | {mention.offset} | {mention.entity:.60}")


if __name__ == "__main__":
    run(main)
