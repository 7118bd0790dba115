"""What a run is good at, and at what not: scores by class, confusions, and kinds of errors, for all seven contests, one
module for each, named like its folder in competitions/, by the contest's own metric.py and evaluate.py. No TensorFlow."""

import importlib
from collections.abc import Callable

from breakdowns._parts import NOTHING, Breakdown, Confusion, Row, Table
from dev_results import DevResults

__all__ = ["NOTHING", "Breakdown", "Confusion", "Row", "Table", "breakdown"]


def breakdown(results: DevResults, types_of: Callable[[str], tuple[str, ...]] | None = None) -> Breakdown:
    """Of a run on dev. types_of: the types of an entity, by its id, where the knowledge base is at hand; only entity
    linking asks."""
    module = importlib.import_module(f"breakdowns.{results.task}")
    return module.breakdown(results, types_of)
