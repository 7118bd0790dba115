"""The usual scores of predicted titles, and what went wrong in them. Needs no TensorFlow and no GPU.

python evaluate.py --gold dev.json --predictions submission.json
"""

import json
import math
import statistics
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from common.archives import check_size
from common.command_line import UserError, parse_flags, print_skipped, printable, run, table, warn
from common.decoders import repetition_rate
from common.error_report import grouped

from metric import Comparison, Scores, compare, total
from task import Example, read_gold, read_titles

#: How many of the worst, the middle and the best titles the report shows.
SHOWN = 4
#: As many characters of a title it shows.
WIDTH = 100
#: As many characters of each text are the line to beat.
FIRST = 24


@dataclass
class Config:
    """Score titles by ROUGE-1, ROUGE-2, ROUGE-L and BLEU of characters."""

    gold: Path
    """Labelled texts in the official format (dev.json); lines with a title alone will do."""
    predictions: Path
    """The submission: one object with a title on each line, in the order of gold, or a zip with one such file in it."""
    json: bool = False
    """Print one JSON object with rouge-1, rouge-2, rouge-l and bleu, and nothing else, on stdout."""
    max_megabytes: int | None = None
    """Largest size of the unpacked predictions, in megabytes. Default: 100 times gold, and at least 10."""


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the scores and returns their means. Raises UserError for files that cannot be read, or have not as many
    titles as each other."""
    config = parse_flags(Config, argv)
    check_size(config.predictions, config.gold, config.max_megabytes)
    skipped: Counter[str] = Counter()
    gold = read_gold(config.gold, skipped)
    titles = read_titles(config.predictions)
    if len(titles) != len(gold):
        raise UserError(
            f"{config.predictions}: {len(titles)} titles, and {config.gold} has {len(gold)} - there must be one for each, in order"
        )
    comparisons = compare(gold, titles)
    scores = total(one.scores for one in comparisons)
    if config.json:
        print(json.dumps(scores.figures()))
    else:
        print_skipped(config.gold, skipped)
        print_report(scores, comparisons)
    sys.stdout.flush()  # so that the warnings come last, where they are seen
    for message in find_doubts(comparisons):
        warn(message)
    return scores.figures()


def print_report(scores: Scores, comparisons: list[Comparison]) -> None:
    """The figures beside those of the first characters of the texts; what titles are like; tables by kind and by
    length; and examples."""
    examples = [one.example for one in comparisons]
    texts = [example.text for example in examples]
    header, columns = ["", f"over {len(comparisons)} titles"], [scores.figures()]
    if any(texts):
        header.append(f"first {FIRST} characters")
        columns.append(total(one.scores for one in beginnings(examples)).figures())
    print(table(header, [[name, *(column[name] for column in columns)] for name in columns[0]]) + "\n")
    gold = describe_titles([example.title for example in examples], texts)
    predicted = describe_titles([one.predicted for one in comparisons], texts)
    print(table(["titles", "gold", "predicted"], [[name, gold[name], predicted[name]] for name in gold]) + "\n")
    for title, groups in (
        ("predicted titles", grouped(comparisons, kind_of, KINDS)),
        ("characters of gold", grouped(comparisons, length_of, LENGTHS)),
    ):
        rows = [
            [name, len(group), f"{100 * len(group) / len(comparisons):.1f}%", *total(one.scores for one in group)]
            for name, group in groups.items()
        ]
        if rows:
            print(table([title, "titles", "share", *scores.figures()], rows) + "\n")
    for name, group in selection(comparisons, SHOWN).items():
        print(f"{name} titles that are not right ({len(group)})\n")
        print("\n\n".join(map(describe, group)) + "\n")


def find_doubts(comparisons: Sequence[Comparison]) -> list[str]:
    """Sentences on what makes the figures doubtful, since the metric passes over it in silence."""
    doubts = []
    count = len(comparisons)
    texts = [one.example.text for one in comparisons]
    predicted = [one.predicted for one in comparisons]
    empty = sum(not title.strip() for title in predicted)
    if empty == count:
        return [f"NOTHING IS PREDICTED for the {count} titles of gold"]
    if empty:
        doubts.append(f"{empty} of {count} predicted titles are empty, and score 0")
    ours = describe_titles(predicted, texts)
    theirs = describe_titles([one.example.title for one in comparisons], texts)
    if ours["the same for another text"] > theirs["the same for another text"] + 0.1:
        title, times = Counter(filter(str.strip, predicted)).most_common(1)[0]
        doubts.append(
            f"{100 * ours['the same for another text']:.0f}% of predicted titles stand at another text too, "
            f'"{title:.40}" {times} times: a model that does not read'
        )
    if ours["repeated bigrams"] > theirs["repeated bigrams"] + 0.1:
        doubts.append(
            f"{100 * ours['repeated bigrams']:.0f}% of predicted bigrams repeat one of the same title: rouge does not mind, but readers do"
        )
    mean, wanted = ours["characters, mean"], theirs["characters, mean"]
    if not wanted / 2 <= mean <= 2 * wanted:
        doubts.append(
            f"predicted titles have {mean:.1f} characters on average, those of gold {wanted:.1f} - is it the right file?"
        )
    untitled = sum(not one.example.title.strip() for one in comparisons)
    if untitled:
        doubts.append(f"{untitled} of {count} titles of gold are empty: whatever is predicted for them scores 0")
    return doubts


# What went wrong: kinds of titles

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

#: Ranges, and the last number that is in each.
LENGTHS = {"0": 0, "1-8": 8, "9-12": 12, "13-16": 16, "17-20": 20, "21-24": 24, "25+": math.inf}


def length_of(comparison: Comparison) -> str:
    """The range in which the number of characters of the gold title is."""
    return next(name for name, most in LENGTHS.items() if len(comparison.example.title) <= most)


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
        lines.append(f"  text       {_shown(example.text, 60)}")
    lines += [f"  gold       {_shown(example.title, WIDTH)}", f"  predicted  {_shown(comparison.predicted, WIDTH)}"]
    return "\n".join(lines)


def _shown(text: str, most: int) -> str:
    beginning = text[:most] + "…" * (len(text) > most)
    return printable(" ".join(beginning.splitlines()))


if __name__ == "__main__":
    run(main)
