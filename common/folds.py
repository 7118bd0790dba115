"""Which examples train and which are dev: two files, or parts of one (k-fold cross-validation). No TensorFlow.

`--num-folds n --fold i` cuts the training file into n parts, of which the i-th is dev, and so does a folder without a
dev file. Examples that share a text or a table are never in two parts, or dev would ask for what was learned by heart.
Every example is dev in exactly one of the n folds: given the same --seed, their dev_predictions.json together answer
the whole training file, each line by a network that has not seen it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from common.command_line import UserError, print_counts
from common.json_document import copy_records
from common.options import DEFAULT_FOLDS, RunOptions
from common.runs.directory import describe_file

Example = TypeVar("Example")

#: In a run that is a fold: the part that is dev, in the official format. `evaluate.py --gold` takes it, and so does
#: `predict.py --input`.
GOLD = "dev_gold.json"


@dataclass(frozen=True)
class Fold:
    """Part `number`, from 1, of `count`. `places`: of its examples that are dev, among those of the training file, from
    0, in order."""

    number: int
    count: int
    places: tuple[int, ...]


@dataclass(frozen=True)
class Parts(Generic[Example]):
    """What trains and what is dev, out of `train_file` and `dev_file`, which is the training file where there is a
    `fold`. `dev_source` says so in words, and `unit` what an example is. The last examples of `train` are those of
    `extra`, some further files."""

    train: list[Example]
    dev: list[Example]
    train_file: Path
    dev_file: Path
    dev_source: str
    unit: str
    fold: Fold | None = None
    extra: Mapping[Path, int] = field(default_factory=dict)

    def check_used(self, used: Sequence[Any], lost: Mapping[str, int], question: str) -> None:
        """Raises UserError when nothing is left to train on. lost: how much was lost, by reason. question: what might
        be wrong."""
        if not used:
            raise UserError(
                f"{self.train_file}: none of its {len(self.train)} {self.unit}s can be used ({dict(lost)}) - {question}"
            )

    def show(self, train: str, lost: Mapping[str, int], dev: str = "") -> None:
        """Print what there is of both, with further words on each, and how much was lost for training, by reason."""
        print(f"train     {len(self.train)} {self.unit}s{train}  ({self.train_file})")
        for path, count in self.extra.items():
            print(f"          {count} of them from {path}")
        print_counts(lost)
        print(f"dev       {len(self.dev)} {self.unit}s{dev}  ({self.dev_source})")

    def describe(self, lost: Mapping[str, int], **others: Path) -> dict[str, dict[str, Any]]:
        """The data of a run for its config.json: `describe_file` of both files and of others, by their part."""
        fold = {"fold": self.fold.number, "num_folds": self.fold.count} if self.fold else {}
        return {
            "train": describe_file(self.train_file, examples=len(self.train), lost=dict(lost)),
            "dev": describe_file(self.dev_file, **fold, examples=len(self.dev)),
            **{
                f"extra {number}": describe_file(path, examples=count)
                for number, (path, count) in enumerate(self.extra.items(), 1)
            },
            **{part: describe_file(path) for part, path in others.items()},
        }

    def write_gold(self, folder: Path) -> None:
        """The records of dev as they stand in the training file, one on each line of dev_gold.json. Nothing where dev
        is a file of its own.

        For files that are a JSON list of examples, or have one on each line.
        """
        if self.fold:
            places = set(self.fold.places)
            copy_records(self.dev_file, folder / GOLD, lambda place, record: place in places)


def read_parts(
    options: RunOptions,
    train_file: Path,
    dev_file: Path | None,
    read: Callable[[Path], list[Example]],
    shared: Callable[[Example], Iterable[str]],
    unit: str = "example",
) -> Parts[Example]:
    """The examples that train and those of dev, as the flags say; at most --max-train-examples and --max-dev-examples,
    cut after the split. Those of --extra train, too, all that share nothing with dev.

    read: the examples of a file. shared: what no two parts may share, any number of strings for each example: its text,
    the id of its table. unit: what an example is. Raises UserError for a file without any, for too few to cut, and for
    --fold where nothing is cut.
    """

    def read_some(path: Path) -> list[Example]:
        if examples := read(path):
            return examples
        raise UserError(f"{path}: has no {unit} - is it the right file?")

    parts = _split(options, train_file, dev_file, read_some, shared, unit)
    known = {key for example in parts.dev for key in shared(example)}
    extra = {path: [one for one in read_some(path) if known.isdisjoint(shared(one))] for path in options.extra}
    return replace(
        parts,
        train=[*parts.train, *(example for examples in extra.values() for example in examples)],
        extra={path: len(examples) for path, examples in extra.items()},
    )


def _split(
    options: RunOptions,
    train_file: Path,
    dev_file: Path | None,
    read: Callable[[Path], list[Example]],
    shared: Callable[[Example], Iterable[str]],
    unit: str,
) -> Parts[Example]:
    """See `read_parts`."""
    train = read(train_file)
    if dev_file and not options.num_folds:
        if options.fold > 1:
            raise UserError(
                f"--fold {options.fold}: {dev_file} is dev - add --num-folds to cut {train_file.name} instead, or leave --fold out"
            )
        dev = read(dev_file)
        train, dev = train[: options.max_train_examples], dev[: options.max_dev_examples]
        return Parts(train, dev, train_file, dev_file, str(dev_file), unit)
    count = options.num_folds or DEFAULT_FOLDS
    groups = joined([shared(example) for example in train])
    if len(set(groups)) < count:
        raise UserError(
            f"{train_file}: has {len(train)} examples, of which only {len(set(groups))} share nothing with each other, too few for {count} parts - "
            "give more examples, a dev file or fewer --num-folds"
        )
    is_dev = part_numbers(groups, count, options.seed) == options.fold
    places = np.flatnonzero(is_dev)[: options.max_dev_examples].tolist()
    return Parts(
        [example for example, apart in zip(train, is_dev) if not apart][: options.max_train_examples],
        [train[place] for place in places],
        train_file,
        train_file,
        f"part {options.fold} of {count} of {train_file}; {f'{dev_file.name} is not read' if dev_file else 'there is no dev file'}",
        unit,
        Fold(options.fold, count, tuple(places)),
    )


def joined(shared: Sequence[Iterable[str]]) -> list[int]:
    """For each example the number of the first one that it shares a string with, itself or over others: equal numbers
    belong together."""
    from scipy.sparse import coo_array  # here, like scikit-learn below: most runs do without
    from scipy.sparse.csgraph import connected_components

    first_with: dict[str, int] = {}
    pairs = [(example, first_with.setdefault(key, example)) for example, keys in enumerate(shared) for key in keys]
    graph = coo_array(
        (np.ones(len(pairs), bool), np.array(pairs, int).reshape(-1, 2).T), shape=(len(shared), len(shared))
    )
    _, components = connected_components(graph, directed=False)
    _, firsts, components = np.unique(components, return_index=True, return_inverse=True)
    return firsts[components].tolist()


def part_numbers(groups: Sequence[int], count: int, seed: int) -> np.ndarray:
    """The part of each example, from 1 to `count`, int (examples,): scikit-learn's GroupKFold, shuffled, with as many
    groups in each part.

    Depends on `groups` and `seed` alone, on any machine: they are whole numbers, whose order is that of the file, and
    numpy has promised to keep what the generator that shuffles them gives for a seed (NEP 19). Raises ValueError for
    fewer groups than parts.
    """
    from sklearn.model_selection import GroupKFold  # here, since it takes two seconds to load and most runs do without

    numbers = np.zeros(len(groups), dtype=int)
    splitter = GroupKFold(count, shuffle=True, random_state=seed)
    for number, (_, dev) in enumerate(splitter.split(numbers, groups=np.asarray(groups)), start=1):
        numbers[dev] = number
    return numbers
