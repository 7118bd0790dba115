"""From scores to answers, in numpy and plain Python."""

from common.decoders.autoregressive import Hypothesis, Model, Rules, State, take_rows
from common.decoders.beam import beam_search
from common.decoders.consensus import by_consensus, common_subsequence_f1
from common.decoders.diagnostics import (
    RepetitionBound,
    bigram_transitions,
    repetition_bound,
    repetition_rate,
    truncated,
    unfinished_share,
)
from common.decoders.gibbs import Accept, Conditionals, GibbsWalk, contains_all, gibbs_texts
from common.decoders.margins import bio_span_margins
from common.decoders.sampling import sample
from common.decoders.spans import best_spans, innermost, pair_starts_with_ends, spans_above
from common.decoders.synchronous import Directed, PairModel, synchronous_beam_search
from common.decoders.ties import on_grid
from common.decoders.viterbi import bio_labels, bio_spans, bio_transitions, viterbi

__all__ = [
    "Accept",
    "Conditionals",
    "Directed",
    "GibbsWalk",
    "Hypothesis",
    "Model",
    "PairModel",
    "RepetitionBound",
    "Rules",
    "State",
    "beam_search",
    "best_spans",
    "bigram_transitions",
    "bio_labels",
    "bio_span_margins",
    "bio_spans",
    "bio_transitions",
    "by_consensus",
    "common_subsequence_f1",
    "contains_all",
    "gibbs_texts",
    "innermost",
    "on_grid",
    "pair_starts_with_ends",
    "repetition_bound",
    "repetition_rate",
    "sample",
    "spans_above",
    "synchronous_beam_search",
    "take_rows",
    "truncated",
    "unfinished_share",
    "viterbi",
]
