"""Why a trained run says what it says: integrated gradients of its outputs, laid over the characters of what it read.
For all seven contests: one module for each, named like its folder in competitions/.

    opened = open_explained("runs/nl2sql/NAME")               a LiveRun (live_runs); 32 bits, whatever the run was trained in
    examples = opened.examples(records)                       or what task.read gives
    attributions(opened, examples, answers)                   for each example, for each of its texts, float64 (characters,)
    outputs(opened, example, answer)                          the names of all that can be explained of an answer
    explain(opened, example, answer, output="...")            one of them: an Explanation, with f(x), f(baseline) and error

The texts are those of `shown.shown(task, example).texts`, in that order. An answer is a record in the official format; None
is the run's own. Without an `output` the sum of all outputs is explained, and all of that is linear: so are their
attributions. The attribution of a token is spread evenly over its characters. `elsewhere` has what goes to no character:
[CLS] and [SEP], descriptions of entities, a text's end that is not read has none. So the texts and `elsewhere` add up to
f(x) - f(baseline), but for the `error`.

What is explained, logits and not probabilities where it can be (these are flat where a network is sure):

    reading comprehension    log p(start) + log p(end) of the answer among the places of its window
    WebQA                    log p(start) + log p(end), each with the gate, in the passage that has the answer
    relation extraction      for each triple the logits of the borders of subject and objects, or of its spans and links
    event extraction         for each argument the score of its span
    entity linking           for each mention the logit of being one, and the score of its entity
    NL2SQL                   for each selected column, condition and connection its logits
    title generation         for each token of the title its log-probability, given the text and the tokens before, which are
                             no part of what is explained

TensorFlow must have been started (common.process.start_tensorflow).
"""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from common.analysis.integrated_gradients import Rule
from common.command_line import UserError

from explained._readings import Explanation, Part, explained
from live_runs import LiveRun, contest_run

__all__ = ["Baseline", "Explanation", "attributions", "explain", "open_explained", "outputs"]

#: What nothing is said by: zeros in place of all embeddings, or [MASK] (of a light encoder the unknown token and word) in
#: place of each token of the texts.
Baseline = Literal["zero", "mask"]


def open_explained(run: str | Path) -> LiveRun:
    """A run of any contest, to be explained. Raises UserError for what is none."""
    # Gradients of 16 bits would be all that the error of an explanation tells.
    return LiveRun(contest_run(Path(run)), mixed_precision="no")


def attributions(
    run: str | Path | LiveRun,
    examples: Sequence[Any],
    answers: Sequence[dict[str, Any] | None] | None = None,
    steps: int = 64,
) -> list[list[np.ndarray]]:
    """For each example, for each of its texts, float64 (characters,): how much each raises, or lowers, the sum of all
    outputs of the answer. Zeros where there is nothing to explain: no answer, or one that is nowhere in the texts."""
    opened = open_explained(run) if isinstance(run, str | Path) else run
    answers = [None] * len(examples) if answers is None else answers
    return [
        explain(opened, example, answer, steps=steps).texts for example, answer in zip(examples, answers, strict=True)
    ]


def outputs(opened: LiveRun, example: Any, answer: dict[str, Any] | None = None) -> list[str]:
    """The names of the outputs of an answer that can be explained, in the order of the answer. Of some nothing can:
    what is not in the texts has no output."""
    return [part.name for part in _parts(opened, example, answer)]


def explain(
    opened: LiveRun,
    example: Any,
    answer: dict[str, Any] | None = None,
    output: int | str | None = None,
    steps: int = 64,
    rule: Rule = "gauss_legendre",
    baseline: Baseline = "zero",
) -> Explanation:
    """One output of an answer, by its number (from 0) or its name among `outputs`, or the sum of all. Raises UserError for
    an output that there is not."""
    parts = _parts(opened, example, answer)
    if output is not None:
        parts = [parts[_number(output, parts)]]
    texts = _module("shown", opened.task).shown(example).texts
    return explained(parts, [len(text) for _, text in texts], steps, rule, baseline == "mask")


def _parts(opened: LiveRun, example: Any, answer: dict[str, Any] | None) -> list[Part]:
    record = opened.answers([example])[0].record if answer is None else answer
    return _module("explained", opened.task).parts(opened, example, record)


def _number(output: int | str, parts: Sequence[Part]) -> int:
    names = [part.name for part in parts]
    if isinstance(output, str) and output in names:
        return names.index(output)
    if isinstance(output, int) and 0 <= output < len(parts):
        return output
    has = f"the outputs are {', '.join(names)}" if names else "the answer has no output"
    raise UserError(f"output {output!r}: there is none - {has:.300}")


def _module(package: str, task: str) -> Any:
    return importlib.import_module(f"{package}.{task}")
