"""Attention in which most tokens see few of the others: local, atrous, and both (Child et al. 2019;
kexue.fm/archives/6853).

Token i sees token j where |i - j| is at most the window (local), or a multiple of the rate (atrous), or either (sparse).
The first tokens of a text may be seen by all and see all (Beltagy et al. 2020): through [CLS] far tokens hear of each
other, and the words of a question reach the whole context.

All is ordinary attention within groups of tokens. Local attention cuts a text into blocks, of which each sees itself
and its two neighbours: keys are copied three times, whatever the window. Atrous attention takes each residue of the
position for a text of its own. In sparse attention a token has a softmax of each kind, joined by their sums. Where a
text is so short that its groups are nearly all of it, it is dense attention under a mask.
"""

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import NamedTuple

from common.keras_compat import tf
from common.layers.softmax import masked_softmax, softmax_logarithm

# Smaller blocks cost more in copies than they save in products.
_SMALLEST_BLOCK = 32
# Groups that hold a larger share of the text take longer than all of it: sparse attention of 256 tokens 1.5 times as
# long.
_LARGEST_SHARE = 0.5

#: Dropout of attention weights; the number tells the parts of one attention apart.
Drop = Callable[[tf.Tensor, int], tf.Tensor]


def keep_all(weights, part):
    return weights


def local_attention(queries, keys, values, mask, leading, window: int, drop: Drop = keep_all):
    """Each token sees those at most `window` away, and the leading ones.

    queries, keys, values: float (batch, heads, length, size), the queries scaled. mask: bool (batch, length), False at
    padding, which is never seen. leading: int (batch,), how many first tokens of each text are seen by all and see all.
    Returns the weighted values, of the shape and dtype of `values`.
    """
    return _under_pattern(queries, keys, values, mask, leading, [_Blocks(window)], drop)


def atrous_attention(queries, keys, values, mask, leading, rate: int, drop: Drop = keep_all):
    """Each token sees those a multiple of `rate` away, and the leading ones. See `local_attention`."""
    return _under_pattern(queries, keys, values, mask, leading, [_Residues(rate)], drop)


def sparse_attention(queries, keys, values, mask, leading, window: int, rate: int, drop: Drop = keep_all):
    """Each token sees those at most `window` or a multiple of `rate` away, and the leading ones. See
    `local_attention`."""
    return _under_pattern(queries, keys, values, mask, leading, [_Residues(rate), _Blocks(window, without=rate)], drop)


class _Residues(NamedTuple):
    """A grouping: the tokens of each residue of the position, whose number is `size`."""

    size: int

    def sees(self, away):
        """Whether a token sees one so many places away, bool."""
        return away % self.size == 0

    def keys_of_group(self, length):
        """How many a group has in a text of this length."""
        return -(-length // self.size)

    def queries(self, x):
        """(batch, heads, length, size) -> (batch, heads, groups, queries of each, size)"""
        return tf.transpose(_cut(x, self.size), [0, 1, 3, 2, 4])

    def keys(self, x):
        """The same of keys, values and masks: what a group may see."""
        return self.queries(x)

    def pattern(self, keys):
        """bool, what of that it does see: (1 or queries of a group, keys of a group)."""
        return tf.ones([1, keys], tf.bool)

    def back(self, x, length):
        """The inverse of `queries`."""
        return _joined(tf.transpose(x, [0, 1, 3, 2, 4]), length)


class _Blocks(NamedTuple):
    """A grouping: blocks of queries, and the keys of three blocks. without: distances that are a multiple of it are
    hidden, for another grouping has them."""

    window: int
    without: int | None = None

    @property
    def size(self) -> int:
        return max(self.window, _SMALLEST_BLOCK)

    def sees(self, away):
        near = tf.abs(away) <= self.window
        return near if self.without is None else near & (away % self.without != 0)

    def keys_of_group(self, length):
        return 3 * self.size

    def queries(self, x):
        return _cut(x, self.size)

    def keys(self, x):
        blocks = self.queries(x)
        around = tf.pad(blocks, [[0, 0], [0, 0], [1, 1], [0, 0], [0, 0]])
        return tf.concat([_part(around, first, tf.shape(blocks)[2]) for first in range(3)], 3)

    def pattern(self, keys):
        return self.sees(tf.range(keys) - self.size - tf.range(self.size)[:, None])

    def back(self, x, length):
        return _joined(x, length)


def _cut(x, size: int):
    """(batch, heads, length, n) -> (batch, heads, parts, size, n), with zeros at the end of the last part."""
    _, heads, _, n = x.shape
    padded = tf.pad(x, [[0, 0], [0, 0], [0, -tf.shape(x)[2] % size], [0, 0]])
    return tf.reshape(padded, [tf.shape(x)[0], heads, -1, size, n])


def _joined(x, length):
    """The inverse of `_cut`."""
    _, heads, *_, n = x.shape
    return _part(tf.reshape(x, [tf.shape(x)[0], heads, -1, n]), 0, length)


def _part(x, first, count):
    """x[:, :, first : first + count], by an operation whose gradient takes a fifth of the time of that of brackets."""
    after = x.shape[3:]
    part = tf.slice(x, [0, 0, first, *(0 for _ in after)], [-1, -1, count, *(-1 for _ in after)])
    return tf.ensure_shape(part, [*x.shape[:2], None, *after])


def _under_pattern(queries, keys, values, mask, leading, groupings: Sequence[_Residues | _Blocks], drop: Drop):
    length = tf.shape(keys)[2]
    of_groups = sum(grouping.keys_of_group(length) for grouping in groupings)
    pays = tf.cast(of_groups, tf.float32) <= _LARGEST_SHARE * tf.cast(length, tf.float32)
    arguments = queries, keys, values, mask, leading, groupings, drop
    return tf.cond(pays, lambda: _in_groups(*arguments), lambda: _dense(*arguments))


def _dense(queries, keys, values, mask, leading, groupings, drop):
    places = tf.range(tf.shape(keys)[2])
    leads = places < leading[:, None]
    within = reduce(tf.logical_or, (grouping.sees(places - places[:, None]) for grouping in groupings))
    visible = mask[:, None] & (within | leads[:, None] | leads[..., None])
    weights = masked_softmax(tf.matmul(queries, keys, transpose_b=True), visible[:, None])
    return tf.matmul(drop(weights, part=0), values)


def _in_groups(queries, keys, values, mask, leading, groupings, drop):
    most = tf.reduce_max(leading)
    leads = tf.range(tf.shape(keys)[2]) < leading[:, None]
    # The leading tokens go with the first grouping alone: no key may count twice.
    parts = [
        _attended(grouping, queries, keys, values, mask, leads, 0 if part else most, partial(drop, part=part))
        for part, grouping in enumerate(groupings)
    ]
    attended = parts[0][0] if len(parts) == 1 else _merged(parts)
    weights = masked_softmax(tf.matmul(_part(queries, 0, most), keys, transpose_b=True), mask[:, None, None])
    of_leading = tf.matmul(drop(weights, part=len(parts)), values)
    led = tf.where(leads[:, None, :most, None], of_leading, _part(attended, 0, most))
    return tf.concat([led, _part(attended, most, -1)], 2)


def _attended(grouping, queries, keys, values, mask, leads, first, drop):
    """What each query gets from its group and from the leading among the `first` tokens, (batch, heads, length, size),
    and the logarithm of the sum of the exponentials of its scores, float32 (batch, heads, length, 1)."""

    def seen(one, other):
        grouped = grouping.keys(other)
        of_all = tf.repeat(_part(one, 0, first)[:, :, None], tf.shape(grouped)[2], 2)
        return tf.concat([of_all, grouped], 3)

    grouped, length = grouping.queries(queries), tf.shape(queries)[2]
    # As numbers, since oneDNN complains of transposed bools.
    of_all, of_groups = (tf.cast(one, tf.int32)[:, None, :, None] for one in (mask & leads, mask & ~leads))
    tokens = (seen(of_all, of_groups) > 0)[..., 0][..., None, :]
    pattern = grouping.pattern(tf.shape(tokens)[-1] - first)
    visible = tokens & tf.pad(pattern, [[0, 0], [first, 0]], constant_values=True)
    scores = tf.matmul(grouped, seen(keys, keys), transpose_b=True)
    attended = tf.matmul(drop(masked_softmax(scores, visible)), seen(values, values))
    total = softmax_logarithm(scores, visible)
    return grouping.back(attended, length), grouping.back(total, length)


def _merged(parts):
    """One softmax over all that was seen in several."""
    shares = tf.nn.softmax(tf.concat([total for _, total in parts], -1))
    return sum(
        attended * tf.cast(share, attended.dtype)
        for (attended, _), share in zip(parts, tf.split(shares, len(parts), -1))
    )
