"""Entity linking: members agree on a mention of an entity where offset, text and entity are the same."""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from common.runs.directory import Run

from ensembles._contest import AnyContest, Line, mean_candidates

_KEY = ("mention", "offset", "kb_id")


class Contest(AnyContest):
    EMPTY: list[Any] = []
    KNOWN = "a knowledge base"

    @staticmethod
    def known(run: Run) -> Any:
        return run.config["data"].get("knowledge_base", {}).get("sha256")

    def merge(self, lines: Sequence[Line], weights: Sequence[float]) -> Line:
        return {"candidates": mean_candidates([line["candidates"] for line in lines], weights, _KEY)}

    def choose(self, example: Any, line: Line, settings: Any) -> list[Any]:
        found = [self.decode.Candidate(**one) for one in line["candidates"]]
        return self.decode.choose(example, found, settings)

    def check(self, example: Any, prediction: list[Any], where: str) -> None:
        self.task.check_mentions(prediction, example.text, self.knowledge_base, where)

    def write(self, output: Path, examples: Sequence[Any], predictions: Iterable[list[Any]]) -> None:
        self.task.write_submission(output, examples, predictions)

    def check_submission(self, output: Path, examples: Sequence[Any]) -> None:
        self.task.check_submission(output, examples, self.knowledge_base)

    @cached_property
    def knowledge_base(self) -> Any:
        module = self.module("knowledge_base")
        return module.KnowledgeBase(self.run.file(module.INDEX_NAME))
