"""Reading comprehension: members agree on a string of the context, wherever they find it."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ensembles._contest import AnyContest, Line, mean_candidates


class Contest(AnyContest):
    def grid(self, settings: Any) -> list[Any]:
        return [settings, *(settings._replace(length_penalty=penalty) for penalty in self.decode.GRID)]

    def merge(self, lines: Sequence[Line], weights: Sequence[float]) -> Line:
        return {"candidates": mean_candidates([line["candidates"] for line in lines], weights, ("text",))}

    def choose(self, example: Any, line: Line, settings: Any) -> str:
        found = [self.decode.Candidate(**one) for one in line["candidates"]]
        return self.decode.choose(example.context, found, settings)

    def write(self, output: Path, examples: Sequence[Any], predictions: Iterable[str]) -> None:
        self.task.write_submission(output, {example.id: answer for example, answer in zip(examples, predictions)})
