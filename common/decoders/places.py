"""The hypotheses that a decoder writes, all of a batch at once: what may follow, what followed, and the State that
belongs to them.

beam.py, sampling.py and synchronous.py choose the tokens; everything else is the same for all of them, and stands here.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from common.decoders.autoregressive import Hypothesis, Rules, State, count_rows, take_rows

_ROUNDING = 0.01  # a log-probability that is higher is none, but a logit


class Places:
    """`width` places for each input that is still being decoded, with a hypothesis in each.

    inputs: int (n,), numbers of these inputs. log_probability: float64 (n, width), -inf in an empty place. tokens:
    int32 (n, width), what is read next. done: bool (n, width), of hypotheses that never change any more; they are
    finished, or cut: too long, or nothing can follow.
    steps: tokens that all others have. found: hypotheses of each input, in order of their places, once it has left.
    """

    def __init__(self, count: int, width: int, rules: Rules):
        self.rules, self.width, self.steps = rules, width, 0
        self.inputs = np.arange(count)
        self.log_probability = np.zeros((count, width))
        self.tokens = np.full((count, width), rules.start_id, np.int32)
        self.finished, self.done = np.zeros((2, count, width), bool)
        self._written = np.zeros((count, width, rules.max_length), np.int32)
        self._lengths = np.zeros((count, width), int)
        self.found: list[list[Hypothesis]] = [[] for _ in range(count)]

    @property
    def live(self) -> np.ndarray:
        return ~self.done & (self.log_probability > -np.inf)

    @property
    def scores(self) -> np.ndarray:
        return self.rules.score(self.log_probability, self._lengths + self.finished)

    def allowed(self, log_probabilities: Any) -> np.ndarray:
        """Log-probabilities of what may follow, -inf for all else, as a new array (n * width, vocabulary). ValueError
        for what are none.

        A hypothesis that is done can only be followed by the end, at no cost.
        """
        scores = self._checked(log_probabilities)
        live, rules = self.live.ravel(), self.rules
        scores[:, list(rules.banned)] = -np.inf
        self._ban_repeated(scores)
        if self.steps < rules.min_length:
            end = scores[:, rules.end_id].copy()
            scores[:, rules.end_id] = -np.inf
            scores[:, rules.end_id] = np.where(scores.max(1) == -np.inf, end, -np.inf)
        still = ~live | (scores.max(1) == -np.inf)
        self.done |= (live & still).reshape(self.done.shape)
        scores[still] = -np.inf
        scores[still, rules.end_id] = 0
        return scores

    def _checked(self, log_probabilities: Any) -> np.ndarray:
        given = np.asarray(log_probabilities)
        if given.ndim != 2 or len(given) != self.tokens.size:
            raise ValueError(f"Log-probabilities need the shape ({self.tokens.size}, vocabulary), not {given.shape}.")
        if max(self.rules.end_id, *self.rules.banned, 0) >= given.shape[1]:
            raise ValueError(f"The rules name a token that the model does not know: it has {given.shape[1]}.")
        scores = np.array(given, np.float64 if given.dtype == np.float64 else np.float32)
        highest = scores.max(1)[self.live.ravel()]
        if np.isnan(highest).any():
            raise ValueError("Log-probabilities that are not a number cannot be decoded: did the training diverge?")
        if (highest > _ROUNDING).any():
            raise ValueError(f"Log-probabilities cannot be {highest.max():g}: logits need a log-softmax.")
        if (highest > 0).any():  # with them a longer hypothesis could be more probable than its beginning
            np.minimum(scores, 0, out=scores)
        return scores

    def _ban_repeated(self, scores: np.ndarray) -> None:
        """A token is banned where it stands behind the same n - 1 tokens already."""
        n = self.rules.no_repeat_ngram
        if not 0 < n <= self.steps:
            return
        live = np.flatnonzero(self.live)
        written = self._written[:, :, : self.steps].reshape(-1, self.steps)[live]
        ngrams = np.lib.stride_tricks.sliding_window_view(written, n, axis=1)
        row, place = np.nonzero((ngrams[:, :, :-1] == written[:, None, self.steps - n + 1 :]).all(2))
        scores[live[row], ngrams[row, place, -1]] = -np.inf

    def fill(self, parents: np.ndarray, tokens: np.ndarray, log_probability: np.ndarray) -> None:
        """Goes on one step: each place gets the hypothesis of the place `parents` of its input, with one of `tokens`
        more. All are (n, width).

        After max_length tokens the end may still come. Anything else does not count: the hypothesis is cut, with the
        log-probability it had.
        """
        at = np.arange(len(self.inputs))[:, None], parents
        there = log_probability > -np.inf
        was_done = self.done[at] & there
        ends = there & ~was_done & (tokens == self.rules.end_id)
        goes_on = there & ~was_done & ~ends
        written, lengths = self._written[at], self._lengths[at]
        if self.steps == self.rules.max_length:
            log_probability = np.where(goes_on, self.log_probability[at], log_probability)
            was_done |= goes_on
        else:
            written[:, :, self.steps] = tokens
            lengths += goes_on
        self._written, self._lengths, self.log_probability = written, lengths, log_probability
        self.finished, self.done = self.finished[at] & there | ends, was_done | ends
        self.tokens = np.where(goes_on, tokens, self.rules.end_id).astype(np.int32)
        self.steps += 1

    def leave(self, over: np.ndarray) -> None:
        """Inputs, bool (n,), of which nothing more is asked."""
        if not over.any():
            return
        scores = self.scores
        for index in np.flatnonzero(over):
            self.found[self.inputs[index]] = [
                Hypothesis(
                    tuple(self._written[index, place, : self._lengths[index, place]].tolist()),
                    float(self.log_probability[index, place]),
                    float(scores[index, place]),
                    bool(self.finished[index, place]),
                )
                for place in np.flatnonzero(self.done[index])
            ]
        for name in ("inputs", "log_probability", "tokens", "finished", "done", "_written", "_lengths"):
            setattr(self, name, getattr(self, name)[~over])


# The State that belongs to them


def begin(model: Any, inputs: Any, rules: Rules, width: int, sides: int = 1) -> tuple[State, Places]:
    """The model's State with `width` rows for each input, and the places to fill. sides: rows that start() gives for
    each row of its inputs."""
    if width < 1:
        raise ValueError(f"At least one hypothesis of each input must be written, not {width}.")
    state = model.start(inputs)
    count = count_rows(state.inputs)
    if count is None:
        rows = count_rows(state.rows)
        if rows is None:
            raise ValueError(
                "The State that start() returns has no array, so that it cannot be told how many inputs there are."
            )
        count = rows // sides
    places = Places(count * sides, width, rules)
    if width > 1 and count:
        state = State(state.inputs, _take(model)(state.rows, np.repeat(np.arange(count * sides), width)))
    return state, places


def follow(model: Any, state: State, places: Places, parents: np.ndarray, over: np.ndarray, sides: int = 1) -> State:
    """The State after places.fill(parents, ...), without the inputs that are `over`, bool (n,), which leave; `sides` of
    them only together."""
    left = over.reshape(-1, sides).all(1)
    stays = np.repeat(~left, sides)
    rows = (np.arange(len(stays))[:, None] * places.width + parents)[stays].ravel()
    places.leave(~stays)
    if left.all():
        return state
    take = _take(model)
    inputs = take(state.inputs, np.flatnonzero(~left)) if left.any() else state.inputs
    moved = left.any() or not np.array_equal(rows, np.arange(len(rows)))
    return State(inputs, take(state.rows, rows) if moved else state.rows)


def _take(model: Any) -> Callable[[Any, np.ndarray], Any]:
    return getattr(model, "take", take_rows)
