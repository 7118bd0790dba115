"""What answers were chosen from, in a file of its own (`predict.py --scores`): JSON lines, one for each example, in the
order of the input.

    {"id": "q1", "candidates": [{"text": "上海", "start": 3, "probability": 0.93}, {"text": "上海市", ...}]}

A candidate is a NamedTuple of the contest's decode.py, and its fields are those of the line: a piece of the answer as the
organisers name it, and how probable the network finds it. Numbers are written in full, so that what is read again is
what the answer was chosen from: with `decode.choose` it can be chosen anew, by other settings and without a network.
No TensorFlow.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from common.command_line import UserError
from common.submission import check_output, json_bytes, lines_file

#: Candidates that are less probable stand in no file, unless the settings of the answers ask for them.
LEAST = 0.01

#: Takes some examples in turn, and for each of them its candidates.
Keep = Callable[[Sequence[Any], Sequence[Any]], None]


@contextlib.contextmanager
def scores_file(path: Path | None) -> Iterator[Keep | None]:
    """A new file of scores, which appears when the block ends well, and what writes to it: of each example a line of its
    id, or where examples have none its number from 1, and of its candidates. None where there is no path."""
    if path is None:
        yield None
        return
    numbers = count(1)
    with lines_file(path, ".json") as file:

        def keep(examples: Sequence[Any], found: Sequence[Any]) -> None:
            for example, candidates in zip(examples, found, strict=True):
                number = next(numbers)
                line = {"id": getattr(example, "id", number), **record_of(candidates)}
                file.write(json_bytes(line) + b"\n")

        yield keep


def record_of(candidates: Any) -> dict[str, Any]:
    """What a line says of an example, out of its candidates or what has a `record` of its own; a line is one already."""
    if isinstance(candidates, dict):
        return candidates
    if hasattr(candidates, "record"):
        return candidates.record()
    return {"candidates": [one.record() if hasattr(one, "record") else one._asdict() for one in candidates]}


def check_outputs(output: Path, scores: Path | None) -> None:
    """Raises UserError where one of them could not be written: now, and not when all is predicted."""
    check_output(output)
    if scores:
        check_output(scores)
        if scores.resolve() == output.resolve():
            raise UserError(f"--scores {scores}: is the submission - give another name")
