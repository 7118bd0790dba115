"""What tests of live runs (scripts/live_runs.py) share."""

from typing import Any

from contests import NL2SQL, Contest, Example, sample_tables


def typed(contest: Contest, example: Example) -> dict[str, Any]:
    """What somebody would send of an example."""
    record = contest.unlabelled(example)
    if contest is not NL2SQL:
        return record
    return {"question": record["question"], "table": sample_tables()[record["table_id"]]}
