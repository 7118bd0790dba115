"""One submission out of several runs of a contest: means of what their networks say, and votes where there are none.

python scripts/ensemble.py runs/nl2sql/a runs/nl2sql/b runs/nl2sql/c --input test.json --output submission.json
python scripts/ensemble.py runs/lic2020_event_extraction/* --input test.json --output submission.zip --select 3

docs/ensembles.md says what is averaged in which contest, and what it gains.
"""

import json
import tempfile
import typing
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from common.candidates import Keep, check_outputs, scores_file
from common.command_line import (
    UserError,
    check_at_least,
    check_given,
    parse_flags,
    print_skipped,
    run,
    table,
)
from common.dev_search import Found, described
from common.prediction import ROUND
from common.process import start_tensorflow
from common.runs.directory import Run
from common.runs.values import from_json
from common.submission import read_json_lines, valid_or_empty

from compare_runs import names_of
from contest_folders import inside
from dev_results import DevResults, dev_results
from ensembles import AnyContest, contest_of
from ensembles._choice import Dev, best_members, best_weights, parts_of, systems_of
from ensembles._members import Member, Reading, check_alike, open_runs, write_scores


@dataclass
class Config:
    """Write one submission out of several finished runs of a contest."""

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """The runs: with one dev, or the folds of one training or of several."""
    input: Path | None = None
    """Examples in the official format."""
    output: Path | None = None
    """The submission, in any form that predict.py writes."""
    scores: Path | None = None
    """Also write what each answer was chosen from, with the means of the probabilities, to this file of JSON lines."""
    tables: Path | None = None
    """NL2SQL only: the tables of the input, or a folder with *tables.json files. Default: the file beside the
    questions."""
    weights: tuple[float, ...] = ()
    """How much each run counts, in the order of the runs. Default: what is best on dev."""
    decoding: tuple[str, ...] = ()
    """NAME=VALUE: settings of decoding.json, such as threshold=-1.5, and of NL2SQL choose_by=vote or mean. Default: what is best on dev, or of one run its
    own."""
    select: int | None = None
    """Take only so many of the runs: the best on dev, and then, of those with which the ensemble is as good there, one
    after the other that whose errors depend least on the others'."""
    search: bool = True
    """Look at dev. Otherwise all runs count the same, and settings are the means of their own."""
    data_dir: Path | None = None
    """Folder with the data of the contest, for dev. Default: where they were in training; folds have their own."""
    batch_tokens: int | None = None
    """As for predict.py."""
    mixed_precision: Literal["no", "bfloat16", "float16"] | None = None
    """As for predict.py."""
    seed: int = 1
    """Decides the halves of dev of which one chooses and the other measures."""

    def __post_init__(self):
        check_given(self, "input", "output")
        check_at_least(self, select=1, batch_tokens=1, seed=0)
        if not self.runs:
            raise UserError("runs: none are given - name one or more")
        if self.weights and len(self.weights) != len(self.runs):
            raise UserError(f"--weights: {len(self.weights)} are given - must be one for each of {len(self.runs)} runs")
        for weight in self.weights:
            if not 0 < weight < float("inf"):
                raise UserError(f"--weights {weight}: must be above 0 - leave out runs that do not count")
        if self.select is not None:
            if self.select > len(self.runs):
                raise UserError(
                    f"--select {self.select}: must be at most the number of runs, which is {len(self.runs)}"
                )
            if self.weights or not self.search:
                raise UserError(f"--select {self.select}: is a choice on dev - leave out --weights and --no-search")


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the submission, checks what it wrote, and returns `output`, the number of `examples`, the `weights` of the
    runs by name, the `settings`, and where dev was looked at what the ensemble scores there: `dev`, a Found."""
    config = parse_flags(Config, argv)
    runs = open_runs(config.runs)
    task = runs[0].config["task"]
    with inside(task):
        return _ensemble(config, runs, contest_of(task)(runs[0], config.tables))


def _ensemble(config: Config, runs: Sequence[Run], contest: AnyContest) -> dict[str, Any]:
    check_alike(runs, contest)
    members = members_of(runs, config.decoding, contest.Settings)
    check_outputs(config.output, config.scores)
    skipped: Counter[str] = Counter()
    examples = contest.read(config.input, skipped)
    weights, settings, found = given_weights(config, runs), mean_settings([one.settings for one in members]), None
    is_searched = config.search and len(runs) > 1 and not (weights and len(config.decoding) == len(settings))
    results = [dev_results(run.path, config.data_dir) for run in runs] if is_searched else []
    parts = parts_of(results)
    systems = systems_of(results, parts)
    check_select(config.select, systems)

    start_tensorflow()  # now that flags and files have been looked at
    reading = Reading(config.batch_tokens, config.mixed_precision)
    with tempfile.TemporaryDirectory() as folder:
        if is_searched:
            dev_files = [Path(folder) / f"dev-{number}.json.gz" for number in range(len(members))]
            for member, one, path in zip(members, results, dev_files):
                write_scores(member, one.examples, path, reading)
            grid = grid_of(contest, settings, config.decoding)
            dev = Dev(contest, parts, dev_files, grid, config.seed)
            if config.select:
                weights, found = best_members(dev, systems, results, config.select)
            else:
                weights, found = (weights, dev.best(weights)) if weights else best_weights(dev, systems, len(members))
            settings = found.setting
        weights = weights or [1.0] * len(members)
        show(members, weights, settings, results, found)
        counted = [(member, weight) for member, weight in zip(members, weights) if weight]
        files = [Path(folder) / f"{number}.json.gz" for number in range(len(counted))]
        for (member, _), path in zip(counted, files):
            write_scores(member, examples, path, reading)
        with scores_file(config.scores) as keep:
            merged = partial(contest.merge, weights=[weight for _, weight in counted])
            predictions = answers(contest, examples, files, merged, settings, config.input, keep)
            contest.write(config.output, examples, predictions)
    contest.check_submission(config.output, examples)
    print(f"{config.output}: {len(examples)} examples, checked")
    print_skipped(config.input, skipped)
    by_name = {member.name: weight for member, weight in zip(members, weights)}
    return {"output": config.output, "examples": len(examples), "weights": by_name, "settings": settings, "dev": found}


def answers(
    contest: AnyContest,
    examples: Sequence[Any],
    files: Sequence[Path],
    merge: Any,
    settings: Any,
    source: Path,
    keep: Keep | None,
) -> Iterator[Any]:
    """The prediction for each example, in order, out of the files of scores of all members; the empty one in place of
    what the judge would refuse. source: where the examples are from."""
    rows = zip(examples, *map(read_json_lines, files), strict=True)
    while part := list(islice(rows, ROUND)):
        some = [example for example, *_ in part]
        lines = [merge([line for _, line in of_members]) for _, *of_members in part]
        if keep:
            keep(some, [contest.told(*one, settings) for one in zip(some, lines)])

        def check(prediction: Any, number: int) -> None:
            example = some[number - 1]
            where = f"{source}:{example.line}" if hasattr(example, "line") else str(source)
            contest.check(example, prediction, where)

        predictions = [contest.choose(*one, settings) for one in zip(some, lines)]
        yield from valid_or_empty(predictions, check, contest.EMPTY)


def members_of(runs: Sequence[Run], decoding: Sequence[str], kind: type) -> list[Member]:
    """The runs with the settings of their decoding.json, as ones of `kind`, and with those of --decoding in place of
    them."""
    given = settings_given(kind, decoding)
    names = names_of([run.path for run in runs])
    return [Member(run, name, run.read_decoding(kind, **given)) for run, name in zip(runs, names)]


def settings_given(kind: type, decoding: Sequence[str]) -> dict[str, Any]:
    """The settings that --decoding names. Raises UserError for others than those of `kind`, and other values."""
    hints, found = typing.get_type_hints(kind, include_extras=True), {}
    for one in decoding:
        name, _, value = one.partition("=")
        if name not in hints:
            raise UserError(f"--decoding {one}: must be NAME=VALUE, with one of the names {', '.join(hints)}")
        try:
            parsed = json.loads(value)
        except ValueError:
            parsed = value
        try:
            found[name] = from_json(hints[name], parsed, Path("--decoding"), name)
        except UserError as error:
            reason = str(error).split(" - ")[0].removeprefix("--decoding: ")
            raise UserError(f"--decoding {one}: {reason} - give another value") from None
    return found


def given_weights(config: Config, runs: Sequence[Run]) -> list[float]:
    """Those of --weights in the order of `runs`; none where there are none."""
    by_path = {path.resolve(): weight for path, weight in zip(config.runs, config.weights)}
    return [by_path[run.path.resolve()] for run in runs] if by_path else []


def mean_settings(settings: Sequence[Any]) -> Any:
    """The mean of numbers, a whole one where all are, and of anything else what most have, of equally many the first by
    name."""
    values = {}
    for name, *of_all in zip(settings[0]._fields, *settings):
        if len(set(of_all)) == 1:
            values[name] = of_all[0]
        elif all(isinstance(value, int | float) for value in of_all):
            kind = int if all(isinstance(value, int) for value in of_all) else float
            values[name] = kind(round(sum(sorted(of_all)) / len(of_all), 0 if kind is int else 9))
        else:
            values[name] = min(Counter(of_all).items(), key=lambda item: (-item[1], item[0]))[0]
    return type(settings[0])(**values)


def grid_of(contest: AnyContest, settings: Any, decoding: Sequence[str]) -> list[Any]:
    """What dev may choose between, each once, `settings` first: of equally good ones the first is taken."""
    given = settings_given(type(settings), decoding)
    return list(dict.fromkeys(one._replace(**given) for one in contest.grid(settings)))


def check_select(select: int | None, systems: Sequence[Sequence[int]]) -> None:
    """Raises UserError where runs are no alternatives to each other, but folds of one training."""
    if select is not None and systems and select > len(systems):
        raise UserError(
            f"--select {select}: must be at most {len(systems)}, the number of trainings that can be compared, since the runs are folds - give all folds of each, or leave it out"
        )


def show(
    members: Sequence[Member],
    weights: Sequence[float],
    settings: Any,
    results: Sequence[DevResults],
    found: Found | None,
) -> None:
    """Print the members with their weights, and on dev what each and the ensemble score."""
    if found is None:
        print(table(["run", "weight"], [[member.name, f"{weight:g}"] for member, weight in zip(members, weights)]))
        print(f"decoded with {described(settings)}")
        return
    metric = results[0].metric
    rows = [
        [member.name, f"{weight:g}", len(one.examples), float(one.figures[metric])]
        for member, weight, one in zip(members, weights, results)
    ]
    print(table(["run", "weight", "dev", metric], rows))
    print(f"ensemble: dev {metric} {found.score:.4f} with {described(settings)}, chosen there")
    print(f"          {found.crossed:.4f} where settings are chosen on one half of dev and measured on the other")


if __name__ == "__main__":
    run(main)
