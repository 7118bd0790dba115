"""From scores to answers, in numpy and plain Python."""

from common.decoders.spans import pair_starts_with_ends

__all__ = ["pair_starts_with_ends"]
