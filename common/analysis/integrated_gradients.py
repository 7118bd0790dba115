"""Integrated gradients: by how much each token of a text raises or lowers a number that a network computes of it
(Sundararajan et al. 2017; kexue.fm/archives/7533).

    A_i = (x - b)_i * integral from 0 to 1 of  df/dx_i (b + a (x - b))  da          sum of all A_i = f(x) - f(b)

x are the vectors that the embedding layers give: of tokens, segments, places, words, all of them together; b is the
baseline, zeros or the vectors of other tokens. The attribution of a token is the sum over its vectors' values, with its
sign. The network is called layer by layer (`replay`): nothing of it is changed.

Where on the line gradients are taken. Behind the embeddings of a BERT stands a normalisation: a x and x look the same to
it, until a is so small (1e-5) that its epsilon counts. All of f(x) - f(0) happens there, and no rule with equal steps
would see any of it. So f itself is asked first, which costs no gradients, where on the line it moves. If it moves near
the baseline faster than anything that is smooth from 0 to 1, the line is cut where f has done most of that, at 2 c: up to
there steps go by a, and from there on by its logarithm. For such a normalisation c is sqrt(epsilon) / deviation of the
vectors, and in both pieces what comes out of it is smooth. Each piece gets steps by how far f moves in it.

Corners. Units that are cut at 0 and maxima give f corners on the line, and no rule for smooth functions is exact there.
Where the rule misses f(x) - f(b) by more than 1 %, the same gradients are weighed anew: between two neighbouring ones
the first counts up to where there would have to be a corner, the second from there on, for f to be what it is at both.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from common.analysis.replay import CALL_IT, replay
from common.generators import Arrays
from common.keras_compat import keras, tf

from bert4keras.layers import PositionEmbedding  # isort: skip - after keras_compat, which tells it the Keras to use

Rule = Literal["gauss_legendre", "trapezoid"]

#: Where f is asked to find out where it moves.
_PROBES = np.concatenate([[0.0], np.logspace(-9, 0, 28)])
# What is smooth from 0 to 1 does not move by more than this share of its whole way, and so many times a, before a.
_SMOOTH, _STEEP = 0.003, 5.0
# A line is cut before this, and a piece of it has at least this share of the steps.
_LATEST, _LEAST = 0.4, 0.25
# From this error on f is taken to have corners.
_ROUGH = 0.01


class Attributions(NamedTuple):
    """by_kind: for each embedding layer by name, float64 (rows, length), `length` being that of what it embeds. value,
    baseline: f(x) and f(b), float64 (rows,). cut: where the line of each row is cut, float64 (rows,), 1 where it is not."""

    by_kind: dict[str, np.ndarray]
    value: np.ndarray
    baseline: np.ndarray
    cut: np.ndarray

    def tokens(self, without: Sequence[str] = ()) -> np.ndarray:
        """Of each token, float64 (rows, length): the sum over all kinds, but those that embed something else."""
        return sum(values for kind, values in self.by_kind.items() if kind not in without)

    @property
    def total(self) -> np.ndarray:
        """Of all that was attributed, float64 (rows,)."""
        return sum(values.sum(1) for values in self.by_kind.values())

    @property
    def error(self) -> np.ndarray:
        """How far the total is from f(x) - f(b), as a share of it, float64 (rows,); 0 where both are 0."""
        change = self.value - self.baseline
        gap = np.abs(self.total - change)
        return np.divide(gap, np.abs(change), out=np.where(gap > 0, np.inf, 0.0), where=change != 0)


def integrated_gradients(
    network: keras.Model,
    inputs: Arrays,
    output_of: Callable[[Any], tf.Tensor],
    steps: int = 64,
    rule: Rule = "gauss_legendre",
    baseline: Arrays | None = None,
    scaled: np.ndarray | None = None,
    values: Sequence[str] = (),
    numbering_rows: Sequence[str] = (),
    batch_tokens: int = 2048,
) -> Attributions:
    """The attributions of f = output_of(network(inputs)) to what the embedding layers of the network give.

    network: functional, of the encoders of this repository or of any layers; embedding layers are Keras' `Embedding`
    and bert4keras' `PositionEmbedding`, in it or in functional networks inside. inputs: as it takes them, by name.
    output_of: of its outputs for any number of such batches one behind the other, one number for each row, (rows,), by
    TensorFlow; of a row it must depend on this row alone. steps: gradients of each row. baseline: inputs that b are the
    embeddings of, those that are named, as large as in `inputs`; None: b is 0. scaled: bool (rows, length), which tokens
    go from b to x; the others stand at x all the way. values: inputs of numbers, (rows, length, ...), that are scaled as
    embeddings are. numbering_rows: inputs whose first column numbers rows of the batch. batch_tokens: how many tokens
    are computed at once, at least those of the batch.

    Raises ValueError where there is no embedding layer, or fewer than one step (two for the trapezoid rule).
    """
    line = _Line(network, inputs, baseline, scaled, values, numbering_rows)
    at_once = max(1, batch_tokens // line.tokens)
    probed = line.outputs(output_of, np.repeat(_PROBES[:, None], line.rows, 1), at_once)
    cut, share = zip(*map(_cut, probed.T))
    nodes = [_nodes(steps, rule, *of_row) for of_row in zip(cut, share)]
    positions, weights = np.array(nodes).transpose(1, 2, 0)
    by_step, passed = line.gradients(output_of, positions, at_once)
    found = Attributions(_weighed(by_step, weights), probed[-1], probed[0], np.array(cut))
    rough = found.error > _ROUGH
    if not rough.any():
        return found
    slopes = sum(step.sum(2) for step in by_step.values())
    weights = np.where(rough, _weights_by_corners(positions, passed, slopes), weights)
    return found._replace(by_kind=_weighed(by_step, weights))


def _cut(probed: np.ndarray) -> tuple[float, float]:
    """Where the line is cut, 1 where f is smooth from 0 to 1, and the share of its way that f has gone there. probed: f
    at `_PROBES`."""
    moved, places = np.cumsum(np.abs(np.diff(probed))), _PROBES[1:]
    fast = moved > moved[-1] * (_SMOOTH + _STEEP * places)
    if not fast.any():
        return 1.0, 1.0
    half = moved[np.flatnonzero(fast)[-1]] / 2
    # Half of what comes out of a normalisation is at 0.58 c.
    cut = 2 * float(places[(moved >= half).argmax()]) / 0.58
    if cut > _LATEST:
        return 1.0, 1.0
    return cut, float(np.interp(cut, places, moved) / moved[-1])


def _nodes(steps: int, rule: Rule, cut: float, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Where on the line from 0 to 1 gradients are taken, and what they weigh, each float64 (steps,)."""
    if cut == 1 or steps < 8:
        return _rule(steps, rule)
    first = round(steps * min(max(share, _LEAST), 1 - _LEAST))
    (begin, begin_weights), (u, weights) = _rule(first, rule), _rule(steps - first, rule)
    rest = cut ** (1 - u)
    return np.concatenate([cut * begin, rest]), np.concatenate([cut * begin_weights, -np.log(cut) * weights * rest])


def _weighed(by_step: dict[str, np.ndarray], weights: np.ndarray) -> dict[str, np.ndarray]:
    """Sums over the steps, by kind, float64 (rows, length)."""
    return {kind: np.einsum("srl,sr->rl", values, weights) for kind, values in by_step.items()}


def _weights_by_corners(positions: np.ndarray, values: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """What steps weigh where f has corners. All are float64 (steps, rows): places on the line, rising, f there, and by how
    much f rises there with a."""
    weights = np.zeros_like(positions)
    weights[0], weights[-1] = positions[0], 1 - positions[-1]
    widths, changes = np.diff(positions, axis=0), np.diff(values, axis=0)
    turns = (slopes[:-1] - slopes[1:]) * widths
    share = np.divide(changes - slopes[1:] * widths, turns, out=np.full_like(turns, 0.5), where=turns != 0)
    share = np.clip(share, 0, 1) * widths
    weights[:-1] += share
    weights[1:] += widths - share
    return weights


def _rule(steps: int, rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    """Nodes between 0 and 1 and their weights, which add up to 1."""
    least = 2 if rule == "trapezoid" else 1
    if steps < least:
        raise ValueError(f"{steps} steps are too few: the rule needs {least} at least")
    if rule == "trapezoid":
        weights = np.full(steps, 1 / (steps - 1))
        weights[[0, -1]] /= 2
        return np.linspace(0, 1, steps), weights
    t, weights = np.polynomial.legendre.leggauss(steps)
    return (t + 1) / 2, weights / 2


class _Line:
    """The straight line from the baseline to the embeddings of a batch, and a network on it."""

    def __init__(self, network, inputs, baseline, scaled, values, numbering_rows):
        self.network, self.numbering_rows = network, numbering_rows
        self.inputs = {name: np.asarray(array) for name, array in inputs.items()}
        first = next(array for name, array in self.inputs.items() if name not in numbering_rows)
        self.rows = len(first)
        self.ends = self._embedded(self.inputs, values)
        if not self.ends:
            raise ValueError(f"{network.name} has no embedding layer: nothing can be attributed to")
        self.tokens = max(end.shape[0] * end.shape[1] for end in self.ends.values())
        if baseline is None:
            begins = {kind: np.zeros_like(end) for kind, end in self.ends.items()}
        else:
            begins = self._embedded({**self.inputs, **baseline}, values)
        if scaled is not None:
            for kind, end in self.ends.items():
                if end.shape[:2] == scaled.shape:
                    begins[kind] = np.where(scaled[..., None], begins[kind], end)
        self.begins = begins

    def _embedded(self, inputs: Arrays, values: Sequence[str]) -> dict[str, np.ndarray]:
        """What goes from b to x, by kind, float32 (rows, length, size)."""
        found = {}

        def record(kind: str, vectors):
            found[kind] = np.array(tf.cast(tf.broadcast_to(vectors, [self.rows, *vectors.shape[1:]]), tf.float32))
            return vectors

        self._run({name: tf.constant(array) for name, array in inputs.items()}, record)
        for name in values:
            found[name] = np.asarray(inputs[name], np.float32).reshape(*inputs[name].shape[:2], -1)
        return found

    def outputs(self, output_of, positions: np.ndarray, at_once: int) -> np.ndarray:
        """f at positions (places, rows), float64 of the same shape."""
        parts = []
        for first in range(0, len(positions), at_once):
            some = positions[first : first + at_once]
            found = output_of(self._outputs_at(self._vectors_at(some), len(some)))
            parts.append(np.asarray(found, np.float64).reshape(some.shape))
        return np.concatenate(parts)

    def gradients(self, output_of, positions: np.ndarray, at_once: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """At positions (places, rows) (x - b) times the gradient, summed over the values of each token, by kind, float64
        (places, rows, length); and f, float64 (places, rows)."""
        by_step: dict[str, list[np.ndarray]] = {kind: [] for kind in self.ends}
        values = []
        for first in range(0, len(positions), at_once):
            some = positions[first : first + at_once]
            vectors = self._vectors_at(some)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(vectors)
                found = output_of(self._outputs_at(vectors, len(some)))
                together = tf.reduce_sum(found)
            gradients = tape.gradient(together, vectors, unconnected_gradients="zero")
            for kind, gradient in gradients.items():
                change = self.ends[kind].astype(np.float64) - self.begins[kind]
                by_place = np.asarray(gradient, np.float64).reshape(len(some), *change.shape)
                by_step[kind].append(np.einsum("srld,rld->srl", by_place, change))
            values.append(np.asarray(found, np.float64).reshape(some.shape))
        return {kind: np.concatenate(parts) for kind, parts in by_step.items()}, np.concatenate(values)

    def _vectors_at(self, positions: np.ndarray) -> dict[str, tf.Tensor]:
        """The vectors at positions (places, rows), one behind the other, by kind, float32 (places * rows, length,
        size)."""
        vectors = {}
        for kind, end in self.ends.items():
            begin = self.begins[kind]
            at = begin + positions[..., None, None] * (end.astype(np.float64) - begin)
            vectors[kind] = tf.constant(at.reshape(-1, *end.shape[1:]), tf.float32)
        return vectors

    def _outputs_at(self, vectors: dict[str, tf.Tensor], places: int) -> Any:
        inputs = {}
        for name, array in self.inputs.items():
            repeated = np.tile(array, (places, *[1] * (array.ndim - 1)))
            if name in self.numbering_rows:
                repeated[:, 0] += self.rows * np.repeat(np.arange(places), len(array)).astype(array.dtype)
            inputs[name] = tf.constant(repeated)
            if name in vectors:
                inputs[name] = tf.reshape(vectors[name], repeated.shape)
        return self._run(inputs, lambda kind, found: tf.cast(vectors[kind], found.dtype))

    def _run(self, inputs: dict[str, tf.Tensor], embedded: Callable[[str, tf.Tensor], tf.Tensor]) -> Any:
        """The network with `embedded(kind, vectors)` in place of what each embedding layer gives."""
        seen: set[str] = set()

        def kind_of(layer: keras.layers.Layer) -> str:
            number = next(number for number in range(1, 1000) if _numbered(layer.name, number) not in seen)
            seen.add(_numbered(layer.name, number))
            return _numbered(layer.name, number)

        def instead(layer, arguments, named):
            if isinstance(layer, PositionEmbedding) and layer.merge_mode == "add":
                found, *ids = tf.nest.flatten(arguments[0])
                places = layer([tf.zeros_like(found), *ids] if ids else tf.zeros_like(found))
                outputs = found + embedded(kind_of(layer), places)
                mask = getattr(found, "_keras_mask", None)
            elif isinstance(layer, keras.layers.Embedding) and named.get("mode", "embedding") == "embedding":
                outputs = tf.identity(embedded(kind_of(layer), layer(*arguments, **named)))
                mask = layer.compute_mask(arguments[0])
            else:
                return CALL_IT
            if mask is not None:
                outputs._keras_mask = mask
            return outputs

        return replay(self.network, inputs, instead)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}_{number}"
