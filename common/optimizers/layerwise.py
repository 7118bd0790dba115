"""Layer-wise learning rates of a transformer (Howard and Ruder 2018; Clark et al. 2020).

    rate of layer i of L (from 0) = decay^(L - i),   of the embeddings decay^(L + 1),   of everything else, such as heads, 1

When: fine-tuning a checkpoint on few examples, with 0.8 to 0.95: what is close to the text has less to learn anew than
what is close to the answer.
Cost: none.
"""

import re
from collections.abc import Sequence

from common.keras_compat import tf

_LAYER = re.compile(r"(?:^|/)Transformer-(?:(\d+)-)?")
_EMBEDDINGS = re.compile(r"(?:^|/)Embedding-")


def layer_multipliers(variables: Sequence[tf.Variable], decay: float) -> list[float]:
    """What the learning rate of each variable is multiplied with, told from the names that bert4keras gives:
    Embedding-*, Transformer-3-*.

    ALBERT's layers share their weights (Transformer-*), and so count as one. Raises ValueError where there is no
    transformer.
    """
    layers = [_LAYER.search(variable.name) for variable in variables]
    depth = max((int(layer[1] or 0) + 1 for layer in layers if layer), default=0)
    if not depth:
        raise ValueError(
            "layer-wise learning rates are for transformers, and no variable is named as bert4keras names theirs (Transformer-0-...)"
        )

    def multiplier(variable, layer) -> float:
        if layer:
            return decay ** (depth - int(layer[1] or 0))
        return decay ** (depth + 1) if _EMBEDDINGS.search(variable.name) else 1.0

    return [multiplier(*both) for both in zip(variables, layers)]
