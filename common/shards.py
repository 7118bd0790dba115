"""A large input in shards: `predict.py --shard 3/8` answers the third of eight parts, each wherever there is a machine,
and `scripts/merge_shards.py` puts the parts together again.

A part is a piece of the input's examples as the contest counts them, whatever lines or documents they stand in, so that
merging is to write the parts one after the other. Beside it, and beside its file of scores, lies PART.shard.json, which
says of what it is a part: of which input, by which weights, decoded how. No TensorFlow.
"""

import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

from common.batch_parts import piece
from common.command_line import UserError, shown
from common.options import PredictionOptions
from common.runs.directory import Run, fingerprint
from common.runs.files import read_json
from common.runs.values import from_json
from common.submission import atomic_write, json_bytes

Example = TypeVar("Example")

# What a part may be, in words.
_KINDS = {"submission": "a part of a submission", "scores": "one of scores"}


class Shard(NamedTuple):
    """The `number`-th of `count` parts, from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def bounds(self, size: int) -> tuple[int, int]:
        """Where it begins and ends among so many examples: the parts differ by one example at most."""
        return piece(size, self.number - 1, self.count)


class Part(NamedTuple):
    """What PART.shard.json says: whether it is a submission or what --scores wrote; SHA-256 of the input, of the weights
    and of the part itself, in hexadecimal; settings of decoding by name; the number of examples that it answers."""

    kind: Literal["submission", "scores"]
    task: str
    number: int
    count: int
    examples: int
    input: str
    weights: str
    mixed_precision: str
    decoding: dict[str, Any]
    content: str


def shard_of(options: PredictionOptions) -> Shard | None:
    """What --shard says; None without it."""
    return Shard(*map(int, options.shard.split("/"))) if options.shard else None


def name_of(submission: str, options: PredictionOptions) -> str:
    """The usual name of a submission or, of a part, one of its own: submission.3-of-8.json."""
    shard = shard_of(options)
    return re.sub(r"(\.\w+)$", rf".{shard.number}-of-{shard.count}\1", submission) if shard else submission


def take_shard(examples: Sequence[Example], options: PredictionOptions, source: Path) -> Sequence[Example]:
    """The examples that are to be answered: all, or with --shard a piece of them, and then a line says which. source:
    the file that they are from. Raises UserError where there are fewer examples than shards, and for a pipe."""
    shard = shard_of(options)
    if shard is None:
        return examples
    if not source.is_file():
        raise UserError(f"{source}: is no plain file, and --shard {shard} says of which one it is - save it first")
    if len(examples) < shard.count:
        raise UserError(f"--shard {shard}: {source} has {len(examples)} examples - make at most so many shards")
    begin, end = shard.bounds(len(examples))
    print(f"shard {shard}: examples {begin + 1:,} to {end:,} of {len(examples):,}")
    return examples[begin:end]


def describe_shard(
    submission: Path,
    examples: int,
    options: PredictionOptions,
    trained: Run,
    source: Path,
    settings: NamedTuple,
    **others: Any,
) -> None:
    """With --shard, say beside a submission and a file of scores what they are parts of. examples: how many they answer.
    source: the whole input. settings, others: all that decoding went by, beside the run."""
    shard = shard_of(options)
    if shard is None:
        return
    precision = options.mixed_precision or trained.mixed_precision
    prints = fingerprint(source), fingerprint(trained.best_weights), precision, {**settings._asdict(), **others}
    for kind, file in (("submission", submission), ("scores", options.scores)):
        if file:
            part = Part(kind, trained.config["task"], *shard, examples, *prints, fingerprint(file))
            atomic_write(_beside(file), json_bytes(part._asdict(), indent=1) + b"\n")


def read_part(file: Path) -> Part:
    """What lies beside a part. Raises UserError for a file that is none, or that was changed since."""
    path = _beside(file)
    if not file.is_file() or not path.is_file():
        missing = path if file.is_file() else file
        raise UserError(f"{missing}: no such file - a part is what predict.py --shard wrote, with the file beside it")
    part = from_json(Part, read_json(path), path)
    if not 1 <= part.number <= part.count:
        raise UserError(f"{path}: speaks of shard {part.number}/{part.count} - predict it again")
    if part.content != fingerprint(file):
        raise UserError(f"{file}: is not what {path.name} says, it was changed or not finished - predict it again")
    return part


def in_order(parts: Sequence[Path], source: Path, trained: Run, examples: int) -> list[Path]:
    """The parts in the order of their shards. Raises UserError unless they are all the parts of one input, each once,
    by one run.

    source, examples: the whole input, and how many examples it has. trained: the run it was predicted with.
    """
    said = {path: read_part(path) for path in parts}
    first_path, first = next(iter(said.items()))
    wanted = (
        ("kind", first.kind, f"is no file of the kind of {first_path}, which is {_KINDS[first.kind]}"),
        ("input", fingerprint(source), f"was predicted for another input than {source}"),
        ("weights", fingerprint(trained.best_weights), f"was predicted with another run than {shown(trained.path)}"),
        ("count", first.count, f"is not one of {first.count} shards, as {first_path} is"),
        ("decoding", first.decoding, f"was decoded with other flags than {first_path}"),
        ("mixed_precision", first.mixed_precision, f"was computed in another precision than {first_path}"),
    )
    for path, part in said.items():
        for name, value, complaint in wanted:
            if getattr(part, name) != value:
                raise UserError(f"{path}: {complaint} - predict it again, or leave it out")
        begin, end = Shard(part.number, part.count).bounds(examples)
        if part.examples != end - begin:
            raise UserError(f"{path}: answers {part.examples} examples, not {end - begin} - predict it again")
    for (one, part), (other, same) in itertools.combinations(said.items(), 2):
        if part.number == same.number:
            raise UserError(f"{other}: is shard {same.number}/{same.count}, as {one} is - leave one out")
    missing = sorted({*range(1, first.count + 1)} - {part.number for part in said.values()})
    if missing:
        names = ", ".join(str(Shard(number, first.count)) for number in missing)
        raise UserError(f"missing: shard {names} - predict it (predict.py --shard {missing[0]}/{first.count})")
    return sorted(said, key=lambda path: said[path].number)


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.shard.json")
