"""Other values in a model's weights for a while: what it is evaluated and saved with."""

import contextlib
from collections.abc import Iterator, Sequence

from common.keras_compat import tf


@contextlib.contextmanager
def swapped(variables: Sequence[tf.Variable], values: Sequence) -> Iterator[None]:
    """Inside the block `variables` have these values (variables or arrays); afterwards those they had, bit for bit."""
    before = [variable.numpy() for variable in variables]
    for variable, value in zip(variables, values):
        variable.assign(value)
    try:
        yield
    finally:
        for variable, value in zip(variables, before):
            variable.assign(value)
