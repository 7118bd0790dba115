"""Which runs of a contest err independently of each other, and so which to put into an ensemble.

python scripts/compare_runs.py runs/nl2sql/a runs/nl2sql/b runs/nl2sql/c
python scripts/compare_runs.py runs/nl2sql/a runs/nl2sql/b runs/nl2sql/c --size 3 --permutations 10000

All that is read is what the runs said of dev, and gold: docs/comparing.md says what the figures are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import tyro

from common.analysis.dependence import (
    Agreement,
    Dependence,
    agreement,
    best_together,
    dependence,
    most_independent,
    oracle,
)
from common.command_line import UserError, check_at_least, check_share, parse_flags, run, table

from dev_results import DevResults, check_finished, dev_results

_MOST_RUNS = 16  # of which all choices are tried
# ROUGE of a title that is right is 0.999999995.
_ROUNDING = 1e-6


@dataclass
class Config:
    """Say which runs of a contest err independently of each other."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Two finished runs of one contest or more, with the same dev."""
    size: int = 2
    """Put so many of them into the ensemble."""
    right: float = 1.0
    """An example counts as right from this score on, for kappa and the counts beside it."""
    permutations: int = 1000
    """Random orders that HSIC is compared with. p cannot be less than one in so many."""
    data_dir: Path | None = None
    """Folder with the data of the contest. Default: where they were in training."""
    seed: int = 1
    """Decides the random orders."""

    def __post_init__(self):
        check_at_least(self, size=2, permutations=1, seed=0)
        check_share(self, "right")
        if not 2 <= len(self.runs) <= _MOST_RUNS:
            raise UserError(f"runs: {len(self.runs)} are given - give from 2 to {_MOST_RUNS}")
        if self.size > len(self.runs):
            raise UserError(f"--size {self.size}: must be at most the number of runs, which is {len(self.runs)}")


class Pair(NamedTuple):
    """What is between two runs, by their places."""

    places: tuple[int, int]
    agreement: Agreement
    dependence: Dependence
    oracle: float


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Prints tables; returns `scores` of the runs by name, `pairs`, and the names of the `highest_oracle` and of the
    `most_independent`."""
    config = parse_flags(Config, argv)
    results = [dev_results(path, config.data_dir) for path in config.runs]
    check_same_dev(results)
    names = names_of(config.runs)
    scores = [one.scores for one in results]
    right = [values >= config.right - _ROUNDING for values in scores]
    first = results[0]
    print(f"{first.task}: {len(first.examples)} examples of {first.gold}")
    print(f"score of an example: {first.metric}; it is right from {config.right:g} on\n")
    rows = [
        [name, one.figures[first.metric], float(one.scores.mean()), f"{of_run.mean():.1%}"]
        for name, one, of_run in zip(names, results, right)
    ]
    print(table(["run", f"official {first.metric}", "mean of examples", "right"], rows))
    pairs = [
        Pair(
            (one, other),
            agreement(right[one], right[other]),
            dependence(scores[one], scores[other], config.permutations, config.seed),
            oracle([scores[one], scores[other]]),
        )
        for one, other in combinations(range(len(names)), 2)
    ]
    print_pairs(pairs, names)
    return {"scores": dict(zip(names, scores)), "pairs": pairs, **chosen(pairs, scores, names, config.size)}


def check_same_dev(results: Sequence[DevResults]) -> None:
    """Raises UserError for unfinished runs, the same one twice, and other contests or other examples than the first
    one's."""
    first, seen = results[0], set()
    for one in results:
        check_finished(one.run)
        if one.run.path.resolve() in seen:
            raise UserError(f"{one.run.path}: is named twice - leave it out")
        seen.add(one.run.path.resolve())
        if one.task != first.task:
            raise UserError(
                f"{one.run.path}: is a run of {one.task}, and {first.run.path} of {first.task} - compare runs of one contest"
            )
        if one.keys != first.keys:
            both = len(set(map(repr, one.keys)) & set(map(repr, first.keys)))
            raise UserError(
                f"{one.run.path}: was evaluated on {len(one.keys)} examples, and {first.run.path} on {len(first.keys)}, of which {both} are the same - train them with the same dev and --max-dev-examples, or the same fold and seed"
            )


def names_of(paths: Sequence[Path]) -> list[str]:
    """The names of the folders, or where two are equal the paths."""
    names = [path.resolve().name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def print_pairs(pairs: Sequence[Pair], names: Sequence[str]) -> None:
    count = sum(pairs[0].agreement[1:])
    rows = []
    for pair in pairs:
        kappa = pair.agreement.kappa
        rows.append(
            [
                " + ".join(names[place] for place in pair.places),
                "-" if kappa is None else f"{kappa:.3f}",
                f"{pair.dependence.hsic:.5f}",
                f"{pair.dependence.share:.3f}",
                f"{pair.dependence.p:.4f}",
                f"{pair.agreement.both_wrong / count:.1%}",
                f"{pair.agreement.one_wrong / count:.1%}",
                pair.oracle,
            ]
        )
    print("\n" + table(["pair", "kappa", "HSIC", "of 1", "p", "both wrong", "one wrong", "oracle"], rows))


def chosen(pairs: Sequence[Pair], scores: Sequence[np.ndarray], names: Sequence[str], size: int) -> dict[str, Any]:
    """The two choices of so many runs, which are printed."""
    shares = np.ones((len(names), len(names)))
    for pair in pairs:
        shares[pair.places] = shares[pair.places[::-1]] = pair.dependence.share
    highest, independent = best_together(scores, size), most_independent(shares, size)
    reached = oracle([scores[place] for place in highest])
    best = max(float(values.mean()) for values in scores)
    print(f"\nto put into an ensemble: {_listed(highest, names)}")
    print(f"    whoever is right in each example, they score {reached:.4f}, and the best run alone {best:.4f}")
    if independent != highest:
        print(f"least dependent, whatever they score: {_listed(independent, names)}")
    return {
        "highest_oracle": [names[place] for place in highest],
        "most_independent": [names[place] for place in independent],
    }


def _listed(places: Sequence[int], names: Sequence[str]) -> str:
    return ", ".join(names[place] for place in places)


if __name__ == "__main__":
    run(main)
