"""Title generation: members hardly ever write the same, so they vote: the answer of that member wins which is most like
all that all members have found (minimum Bayes risk, see common.decoders.consensus)."""

from collections.abc import Sequence
from typing import Any

from common.decoders import by_consensus, common_subsequence_f1

from ensembles._contest import AnyContest, Line


class Contest(AnyContest):
    def grid(self, settings: Any) -> list[Any]:
        """Titles are found under the settings of each member: there is nothing left to set."""
        return [settings]

    def merge(self, lines: Sequence[Line], weights: Sequence[float]) -> Line:
        """All titles of all members, the one that is chosen first. A member's titles share its weight as they share its
        probability."""
        lists = [line["candidates"] for line in lines]
        if all(candidates == lists[0] for candidates in lists):
            return {"candidates": lists[0]}
        found = [one for candidates in lists for one in candidates]
        shares = [share for candidates, weight in zip(lists, weights) for share in _shares(candidates, weight)]
        order = by_consensus([one["title"].lower() for one in found], common_subsequence_f1, shares)
        answers = [candidates[0] for candidates in lists]
        first = next(place for place in order if found[place] in answers)
        return {"candidates": [found[place] for place in sorted(order, key=lambda place: place != first)]}

    def choose(self, example: Any, line: Line, settings: Any) -> str:
        return line["candidates"][0]["title"]

    def check(self, example: Any, prediction: str, where: str) -> None:
        """Any title is a title."""

    def score(self, total: Any) -> float:
        return self.decode.rouge_l(total)


def _shares(candidates: Sequence[dict[str, Any]], weight: float) -> list[float]:
    probabilities = [max(one["probability"], 1e-300) for one in candidates]
    return [weight * probability / sum(probabilities) for probability in probabilities]
