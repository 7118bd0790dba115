"""WebQA: members agree on a string at a place of a passage, and what they agree on votes as that of one network does."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ensembles._contest import AnyContest, Line, mean_candidates


class Contest(AnyContest):
    def merge(self, lines: Sequence[Line], weights: Sequence[float]) -> Line:
        lists, averaged = [line["candidates"] for line in lines], ("start_probability", "end_probability")
        merged = mean_candidates(lists, weights, ("text", "passage", "start"), averaged)
        found = sorted(map(self._candidate, merged), key=lambda one: -one.probability)
        return {"candidates": [one.record() for one in found]}

    def choose(self, example: Any, line: Line, settings: Any) -> str:
        return self.decode.vote([*map(self._candidate, line["candidates"])], settings)

    def write(self, output: Path, examples: Sequence[Any], predictions: Iterable[str]) -> None:
        self.task.write_submission(output, [example.id for example in examples], list(predictions))

    def score(self, total: Any) -> float:
        return self.decode.score(total)

    def _candidate(self, record: dict[str, Any]) -> Any:
        kind = self.decode.Candidate
        return kind(*(record[name] for name in kind._fields))
