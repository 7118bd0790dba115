"""A page that shows what a run does well and badly: one HTML file that loads nothing.

python scripts/report.py runs/TASK/NAME
python scripts/report.py runs/TASK/NAME --output report.html --language zh

docs/report.md says what is on it, and what each part is good for.
"""

import functools
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from common.chinese_help import is_chinese
from common.command_line import UserError, check_at_least, parse_flags, run, shown, warn
from common.process import start_tensorflow
from common.submission import atomic_write, check_output

from breakdowns import breakdown
from breakdowns.groups import by_frequency, by_length
from contest_folders import inside, load
from dev_results import DevResults, dev_results
from report_page import about
from report_page.examples import RIGHT_FROM, Attributions, examples_json
from report_page.page import Report, page
from report_page.words import Words
from shown import gold, lines


@dataclass
class Config:
    """Write a page on a run: curves, scores by class, confusions, and all errors of dev, to be searched and sorted. It
    speaks the language of --language."""

    run: Annotated[Path, tyro.conf.Positional]
    """The folder of a run of any contest, trained for an epoch at least."""
    output: Path = Path("report.html")
    """The file to be written; one that is there is replaced."""
    data_dir: Path | None = None
    """Folder of the data of the contest. Default: where they were in training."""
    attributions: int = 50
    """For so many of the worst texts, what each character did for the answer: it takes the network, and seconds. 0: none,
    and no TensorFlow."""

    def __post_init__(self):
        check_at_least(self, attributions=0)


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Writes the page; returns the figures of dev. Raises UserError for what is no run with predictions of dev."""
    config = parse_flags(Config, argv)
    words = Words("zh" if is_chinese(sys.argv[1:] if argv is None else [*map(str, argv)]) else "en")
    check_output(config.output)
    results = dev_results(config.run, config.data_dir)
    about.history_of(results.run)  # a damaged one is told before the network is asked
    weights = attributions_of(results, config.attributions)
    written = report_of(results, words, config.data_dir, weights)
    if written.unfinished:
        warn(written.unfinished)
    atomic_write(config.output, page(written, words))
    wrong = int((results.scores < RIGHT_FROM).sum())
    print(f"{len(results.examples):,} texts of dev, {wrong:,} not quite right  ({shown(config.output)})")
    return results.figures


def report_of(
    results: DevResults, words: Words, data_dir: Path | None = None, weights: Attributions | None = None
) -> Report:
    """All that is on the page. weights: for each example, what `examples.Attributions` says."""
    names, types = entities_of(results)
    parts = breakdown(results, types)
    try:
        frequencies = by_frequency(results, data_dir)
    except UserError as error:
        frequencies = str(error)
    return Report(
        results,
        about.history_of(results.run),
        parts,
        by_length(results),
        frequencies,
        about.unfinished(results.run),
        examples_json(results, parts, words, names, weights),
    )


def entities_of(
    results: DevResults,
) -> tuple[Callable[[str], str] | None, Callable[[str], tuple[str, ...]] | None]:
    """What entity linking calls the entities of the run's knowledge base, and their types; None where there is none."""
    if results.task != "ccks2019_entity_linking":
        return None, None
    module = load(results.task, "knowledge_base")
    index = results.run.file(module.INDEX_NAME)
    if not index.is_file():
        return None, None
    with inside(results.task):
        base = module.KnowledgeBase(index)

    @functools.cache  # a name stands in many texts
    def named(entity: str) -> str:
        if entity not in base:
            return entity
        found = base.entity(entity, 0)
        return f"{found.subject} ({', '.join(found.types)}, {entity})" if found.types else f"{found.subject} ({entity})"

    @functools.cache
    def types_of(entity: str) -> tuple[str, ...]:
        return base.entity(entity, 0).types if entity in base else ()

    return named, types_of


def attributions_of(results: DevResults, count: int) -> Attributions | None:
    """For each example, and each of its texts, a number for each character: what it does for the prediction, or for gold
    where nothing is predicted. None of all but the `count` worst of those that are not right. Without weights there are
    none."""
    worst = [
        int(place) for place in np.argsort(results.scores, kind="stable")[:count] if results.scores[place] < RIGHT_FROM
    ]
    if not worst:
        return None
    if not results.run.best_weights.is_file():
        warn(f"{results.run.path}: has no best.weights.h5, and so the page has no attributions")
        return None
    start_tensorflow()
    from explained import attributions

    examples = [results.examples[place] for place in worst]
    # Where nothing was said, it is gold that can be asked for.
    answers = [
        record if lines(results.task, example, record := results.predictions[place]) else gold(results.task, example)
        for place, example in zip(worst, examples)
    ]
    by_place = dict(zip(worst, attributions(results.run.path, examples, answers)))
    return [by_place.get(place) for place in range(len(results.examples))]


if __name__ == "__main__":
    run(main)
