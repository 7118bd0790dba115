"""From scores to answers, in numpy and plain Python."""

from common.decoders.spans import best_spans, pair_starts_with_ends, spans_above
from common.decoders.viterbi import bio_labels, bio_spans, bio_transitions, viterbi

__all__ = ["best_spans", "bio_labels", "bio_spans", "bio_transitions", "pair_starts_with_ends", "spans_above", "viterbi"]
