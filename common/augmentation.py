"""Training examples changed at random, other ones in each epoch."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def with_other_examples(
    batch: Sequence[Any],
    examples: Sequence[Any],
    share: float,
    replace: Callable[[Any, np.random.Generator], Any],
    windows_of: Callable[[Any], list[Any]],
    generator: np.random.Generator,
) -> list[Any]:
    """The batch with changed examples in about `share` of its windows; one whose example needs several windows, before
    or after, stays as it is.

    batch: windows with `example`, an index into `examples`, and `whole`, whether they are all of it. replace: another
    example in place of one, or itself. windows_of: the labelled windows of an example.
    """
    changed = []
    for window in batch:
        if window.whole and generator.random() < share:
            example = replace(examples[window.example], generator)
            if example is not examples[window.example]:
                others = windows_of(example)
                window = others[0] if len(others) == 1 else window
        changed.append(window)
    return changed
