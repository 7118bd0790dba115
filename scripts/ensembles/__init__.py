"""What the ensemble of a contest is made of, one module for each, named like its folder in competitions/. No TensorFlow.

A module has:

    read(opened, path, skipped)                 the examples of an input file, as predict.py reads them
    grid(opened, settings)                      the settings of decoding that dev may choose between, `settings` among them
    merge(opened, lines, weights)               of lines of several files of scores, all of one example, the line of the ensemble
    choose(opened, example, line, settings)     the prediction out of such a line, as predict.py would choose it
    check(opened, example, prediction, where)   raises UserError where the judge would refuse it; then EMPTY is submitted
    write(opened, output, examples, predictions)   writes the submission, which is checked by the organisers' rules
    counts(opened, examples, predictions)       what each counts, (examples, n), and
    score(opened, total)                        the official figure of such counts, added up
    known(run)                                  what all members must have in common, such as their schema

and where an ensemble has more to say than one network

    Settings                                    settings of decoding with those that only an ensemble has
    told(opened, example, line, settings)       a merged line as a file of scores has it

A line is what common.candidates says: {"candidates": [...]}. That of one member is merged into itself, and so are equal
ones.
"""

import importlib
from types import ModuleType

from ensembles._contest import Opened

__all__ = ["Opened", "contest_of"]


def contest_of(task: str) -> ModuleType:
    """The module of a contest, by its name."""
    return importlib.import_module(f"ensembles.{task}")
