"""The usual scores of predicted titles, and what went wrong in them. Needs no TensorFlow and no GPU.

python evaluate.py --gold dev.json --predictions submission.json
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from common.command_line import UserError, parse_flags, run, table, warn

from errors import FIRST, beginnings, by_kind, by_length, describe, describe_titles, selection
from metric import Comparison, Scores, compare, total
from task import read_gold, read_titles

#: How many of the worst, the middle and the best titles the report shows.
SHOWN = 4


@dataclass
class Config:
    """Score titles by ROUGE-1, ROUGE-2, ROUGE-L and BLEU of characters."""

    gold: Path
    """Labelled texts in the official format (dev.json); lines with a title alone will do."""
    predictions: Path
    """The submission: one object with a title on each line, in the order of gold, or a zip with one such file in it."""
    json: bool = False
    """Print one JSON object with rouge-1, rouge-2, rouge-l and bleu, and nothing else, on stdout."""


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Prints the scores and returns their means. Raises UserError for files that cannot be read, or have not as many
    titles as each other."""
    config = parse_flags(Config, argv)
    gold = read_gold(config.gold)
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
    for title, groups in (("predicted titles", by_kind(comparisons)), ("characters of gold", by_length(comparisons))):
        rows = []
        for name, group in groups.items():
            share = f"{100 * len(group) / len(comparisons):.1f}%"
            rows.append([name, len(group), share, *total(one.scores for one in group)])
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


if __name__ == "__main__":
    run(main)
