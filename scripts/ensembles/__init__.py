"""What the ensemble of a contest is made of, one module for each, named like its folder in competitions/: its `Contest` says
what is not as in most (`_contest.AnyContest`). No TensorFlow."""

import importlib

from ensembles._contest import AnyContest

__all__ = ["AnyContest", "contest_of"]


def contest_of(task: str) -> type[AnyContest]:
    """That of a contest, by its name; made of a run."""
    return importlib.import_module(f"ensembles.{task}").Contest
