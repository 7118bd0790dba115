"""Weights, members and settings of decoding that are best on dev: on what no member has learned. No TensorFlow."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from common.analysis.dependence import dependence
from common.command_line import UserError
from common.dev_search import Found, search
from common.submission import read_json_lines

from dev_results import DevResults
from ensembles._contest import AnyContest

# What a choice must gain: sums of many scores differ in their last bits.
_GAIN = 1e-9


class Part(NamedTuple):
    """Examples with gold that are dev to some of the members, by their numbers."""

    examples: list[Any]
    members: list[int]


def parts_of(results: Sequence[DevResults]) -> list[Part]:
    """The different devs of runs: one where they share it, those of all folds where they are folds. Raises UserError
    where two are neither the same nor apart."""
    parts: dict[tuple, Part] = {}
    for number, one in enumerate(results):
        parts.setdefault(tuple(one.keys), Part(one.examples, [])).members.append(number)
    seen: dict[Any, int] = {}
    for keys, part in parts.items():
        for key in keys:
            if seen.setdefault(key, part.members[0]) != part.members[0]:
                one, other = results[seen[key]].run.path, results[part.members[0]].run.path
                raise UserError(
                    f"{other}: was evaluated on a part of the examples of {one} - train them with the same dev and --max-dev-examples, or the same --num-folds and --seed"
                )
    return list(parts.values())


def systems_of(results: Sequence[DevResults], parts: Sequence[Part]) -> list[list[int]]:
    """The numbers of the members, those together that are the folds of one training. Where not every such system is
    there with all parts, nothing can be compared: then all are one."""
    systems: dict[Any, list[int]] = {}
    for number, one in enumerate(results):
        systems.setdefault(_training_of(one, number), []).append(number)
    of_part = [set(part.members) for part in parts]
    if all(len(of.intersection(system)) == 1 for of in of_part for system in systems.values()):
        return list(systems.values())
    return [list(range(len(results)))]


def _training_of(results: DevResults, number: int) -> Any:
    """The same for folds of one training, and different for any other two runs."""
    if "fold" not in results.run.config["data"].get("dev", {}):
        return number
    settings = json.loads(json.dumps(results.run.config["settings"]))
    for name in ("fold", "run_name", "output_dir", "resume"):
        settings.get("run", {}).pop(name, None)
    return json.dumps(settings, sort_keys=True)


class Trial(NamedTuple):
    """The best settings for an ensemble on dev. counts: of each example under them, (examples, n)."""

    found: Found
    counts: np.ndarray


class Dev:
    """Examples of dev, and what the members that have not learned them think of them.

    scores: a file for each member, of its candidates for the examples of its part. grid: settings of decoding, of which
    the first of equally good ones is taken. seed: see `dev_search.search`.
    """

    def __init__(
        self,
        contest: AnyContest,
        parts: Sequence[Part],
        scores: Sequence[Path],
        grid: Sequence[Any],
        seed: int,
    ):
        self.contest, self.parts, self.scores = contest, parts, scores
        self.grid, self.seed = grid, seed

    def best(self, weights: Sequence[float]) -> Found:
        """The best settings for an ensemble of members with these weights, and what they reach."""
        return self.trial(weights).found

    def trial(self, weights: Sequence[float]) -> Trial:
        """The same, and what each example counts under these settings."""
        counts = np.array([self.contest.counts(*of) for of in zip(*self._predictions(weights))])
        found = search(self.grid, counts, self.contest.score, self.seed)
        return Trial(found, counts[self.grid.index(found.setting)])

    def is_as_good(self, one: Trial, best: Trial) -> bool:
        """Whether a trial scores less than another one by no more than the standard error of the difference (jackknife:
        each example is left out once)."""
        totals = one.counts.sum(0) - one.counts, best.counts.sum(0) - best.counts
        lacks = np.array([self.contest.score(of_best) - self.contest.score(of_one) for of_one, of_best in zip(*totals)])
        error = np.sqrt((len(lacks) - 1) * lacks.var())
        return best.found.score - one.found.score <= error + _GAIN

    def _predictions(self, weights: Sequence[float]) -> tuple[list[list[Any]], list[list[Any]]]:
        """For each of the settings all examples, and the prediction for each."""
        examples, predictions = [], [[] for _ in self.grid]
        for part in self.parts:
            members = [number for number in part.members if weights[number]]
            readers = [read_json_lines(self.scores[number]) for number in members]
            for example, *lines in zip(part.examples, *readers, strict=True):
                lines = [line for _, line in lines]
                line = self.contest.merge(lines, [weights[number] for number in members])
                examples.append(example)
                for settings, of_settings in zip(self.grid, predictions):
                    of_settings.append(self.contest.choose(example, line, settings))
        return [examples] * len(self.grid), predictions


def best_weights(dev: Dev, systems: Sequence[Sequence[int]], members: int) -> tuple[list[float], Found]:
    """Weights of the members, equal within a system, and the best settings for them: all 1, and one more as long as this
    is better on dev (ensemble selection with replacement, Caruana et al. 2004, from all members on)."""
    weights = [1.0] * members
    found = dev.best(weights)
    for _ in range(2 * len(systems) if len(systems) > 1 else 0):
        trials = [_raised(weights, system) for system in systems]
        results = [dev.best(trial) for trial in trials]
        best = max(range(len(results)), key=lambda number: results[number].score)
        if results[best].score <= found.score + _GAIN:
            break
        weights, found = trials[best], results[best]
    return weights, found


def _raised(weights: Sequence[float], system: Sequence[int]) -> list[float]:
    return [weight + (number in system) for number, weight in enumerate(weights)]


def best_members(
    dev: Dev, systems: Sequence[Sequence[int]], results: Sequence[DevResults], count: int
) -> tuple[list[float], Found]:
    """Weight 1 for `count` systems and 0 for the others, and the best settings for them: first the best on dev; then,
    of those with which the ensemble is there within a standard error of what it can be, always the one whose errors
    depend least on those of the ones before (HSIC of the scores of examples, see common.analysis.dependence)."""
    scores = [np.concatenate([results[number].scores for number in system]) for system in systems]
    chosen: list[int] = []
    for _ in range(count):
        trials = {
            number: dev.trial(_of([*chosen, number], systems, len(results)))
            for number in range(len(systems))
            if number not in chosen
        }
        best = max(trials, key=lambda number: trials[number].found.score)
        good = [number for number, one in trials.items() if dev.is_as_good(one, trials[best])] if chosen else [best]
        number = min(good, key=lambda number: _dependence(scores, number, chosen))
        chosen, found = [*chosen, number], trials[number].found
    return _of(chosen, systems, len(results)), found


def _dependence(scores: Sequence[np.ndarray], number: int, others: Sequence[int]) -> float:
    return max((dependence(scores[number], scores[other], permutations=1).share for other in others), default=0.0)


def _of(chosen: Sequence[int], systems: Sequence[Sequence[int]], members: int) -> list[float]:
    wanted = {number for system in chosen for number in systems[system]}
    return [float(number in wanted) for number in range(members)]
