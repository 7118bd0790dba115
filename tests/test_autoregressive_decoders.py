"""The decoders of common/decoders that write token after token, against plain Python and against all that can be
written at all."""

import itertools
import math
from collections import Counter
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.decoders import (
    Hypothesis,
    Rules,
    State,
    beam_search,
    on_grid,
    sample,
    synchronous_beam_search,
    take_rows,
)
from common.decoders.sampling import draw, truncate
from common.decoders.synchronous import mix

START, END = 0, 1
deterministic = settings(max_examples=50, deadline=None)
seeds = st.integers(0, 2**32 - 1)


@lru_cache(maxsize=100_000)
def log_probabilities(seed, vocabulary, kind, *read):
    """Of the next token after all that was read. Some kinds have many that are equal, and sums that are exact, or
    tokens that are impossible."""
    generator = np.random.default_rng([seed, *read])
    if kind == "equal":
        return -generator.integers(0, 5, vocabulary) / 4
    scores = generator.normal(0, 2, vocabulary)
    if kind == "impossible":
        scores[generator.random(vocabulary) < 0.4] = -np.inf
        scores[END] = scores[END] if np.isfinite(scores).any() else 0.0
    return scores - np.logaddexp.reduce(scores)


class Model:
    """What comes next depends on the input and on everything that was written. Nothing sensible is said of what has its
    end."""

    def __init__(self, seed, vocabulary, kind="normal"):
        self.settings = (seed, vocabulary, kind)
        self.calls = []

    def start(self, inputs):
        inputs = np.array(inputs)
        return State(
            {"number": inputs, "nothing": None}, [(inputs, np.zeros((len(inputs), 0), int)), {"a name": "stays"}]
        )

    def step(self, state, tokens):
        assert tokens.dtype == np.int32 and tokens.shape == (len(tokens),)
        (numbers, read), name = state.rows
        assert name == {"a name": "stays"}
        width = len(tokens) // len(state.inputs["number"])
        np.testing.assert_array_equal(numbers, np.repeat(state.inputs["number"], width))
        self.calls.append(len(tokens))
        read = np.concatenate([read, tokens[:, None]], axis=1)
        rows = [
            self.next(number, row) if END not in row else np.full(self.settings[1], np.nan)
            for number, row in zip(numbers, read)
        ]
        return np.array(rows), State(state.inputs, [(numbers, read), name])

    def next(self, number, read):
        return log_probabilities(*self.settings, int(number), *map(int, read))


# The definitions, in plain Python


def options(scores, written, rules):
    """What may follow what was written: token -> log-probability."""
    left = {
        token: score for token, score in enumerate(scores.tolist()) if score > -math.inf and token not in rules.banned
    }
    n = rules.no_repeat_ngram
    if n:
        known = {written[start : start + n] for start in range(len(written) - n + 1)}
        left = {token: score for token, score in left.items() if token == END or (*written, token)[-n:] not in known}
    if len(written) < rules.min_length and len(left) > 1:
        left.pop(END, None)
    return left


def hypothesis(written, log_probability, finished, rules):
    return Hypothesis(
        written, log_probability, log_probability / max(len(written) + finished, 1) ** rules.length_penalty, finished
    )


def everything(model, number, rules, written=(), log_probability=0.0):
    """All hypotheses there are."""
    left = options(model.next(number, (START, *written)), written, rules)
    if END in left:
        yield hypothesis(written, log_probability + left[END], True, rules)
    others = {token: score for token, score in left.items() if token != END}
    if not left or (others and len(written) == rules.max_length):
        yield hypothesis(written, log_probability, False, rules)
    elif others:
        for token, score in others.items():
            yield from everything(model, number, rules, (*written, token), log_probability + score)


def best_first(found):
    return sorted(found, key=lambda one: (not one.finished, -on_grid(one.score)))


def slow_step(places, scores_of, rules, width):
    """One step of a beam: (written, log-probability, state) in each place, where the state is live, finished or cut."""
    kept, candidates = [], []
    for place in places:
        written, log_probability, state = place
        left = options(scores_of(written), written, rules) if state == "live" else {}
        if state == "live" and len(written) == rules.max_length and left:
            best = max((token for token in left if token != END), key=lambda token: on_grid(left[token]), default=END)
            left = {token: score for token, score in left.items() if token in (best, END)}
        if not left:
            kept.append((written, log_probability, "cut" if state == "live" else state))
        for token in sorted(left, key=lambda token: -on_grid(left[token])):
            total = log_probability + left[token]
            if token == END:
                new = (written, total, "finished")
            elif len(written) == rules.max_length:
                new = (written, log_probability, "cut")
            else:
                new = ((*written, token), total, "live")
            candidates.append((total, new))
    candidates.sort(key=lambda candidate: -on_grid(candidate[0]))
    return [*kept, *(new for _, new in candidates[: width - len(kept)])]


def slow_beam_search(model, number, rules, width):
    places = [((), 0.0, "live")]
    while any(state == "live" for *_, state in places):
        places = slow_step(places, lambda written: model.next(number, (START, *written)), rules, width)
    return best_first(hypothesis(written, total, state == "finished", rules) for written, total, state in places)


def check_same(found, expected):
    assert [(one.tokens, one.finished) for one in found] == [(one.tokens, one.finished) for one in expected]
    for name in ("log_probability", "score"):
        np.testing.assert_allclose(
            [getattr(one, name) for one in found], [getattr(one, name) for one in expected], rtol=1e-12, atol=1e-12
        )


@st.composite
def all_rules(draw, vocabulary, longest=4):
    max_length = draw(st.integers(1, longest))
    return Rules(
        START,
        END,
        max_length,
        draw(st.integers(0, max_length)),
        draw(st.sampled_from([1.0, 0.0, 0.6, 2.0, -1.0])),
        draw(st.integers(0, 3)),
        tuple(
            draw(
                st.sets(
                    st.sampled_from([token for token in range(vocabulary) if token != END]), max_size=vocabulary - 1
                )
            )
        ),
    )


kinds = st.sampled_from(["normal", "equal", "impossible"])
models_and_rules = st.integers(2, 4).flatmap(
    lambda size: st.tuples(st.builds(Model, seeds, st.just(size), kinds), all_rules(size))
)


# Beam search


@deterministic
@given(models_and_rules)
def test_a_wide_beam_is_exhaustive_search(model_and_rules):
    model, rules = model_and_rules
    for number, found in enumerate(beam_search(model, range(2), rules, 256, 256)):
        expected = best_first(everything(model, number, rules))
        assert {one[0::3] for one in found} == {one[0::3] for one in expected} and len(found) == len(expected)
        by_tokens = {one[0::3]: one for one in expected}
        check_same(found, [by_tokens[one[0::3]] for one in found])
        assert found == best_first(found)
        best = beam_search(model, [number], rules, 256)[0][0]
        assert (best.finished, on_grid(best.score)) == (expected[0].finished, on_grid(expected[0].score))


@settings(deterministic, max_examples=100)
@given(models_and_rules, st.integers(1, 7), st.integers(1, 7))
def test_any_beam_against_plain_python(model_and_rules, width, count):
    model, rules = model_and_rules
    count = min(count, width)
    plain = [slow_beam_search(model, number, rules, width)[:count] for number in range(5)]
    for stop_early in (True, False):
        found = beam_search(model, range(5), rules, width, count, stop_early)
        for one, expected in zip(found, plain, strict=True):
            check_same(one, expected)
            assert one, "every input gets something"
        alone = [beam_search(model, [number], rules, width, count, stop_early)[0] for number in range(5)]
        assert found == alone


class Noisy:
    """The same model on another day: its last bits are others, in each row and column."""

    def __init__(self, model, seed):
        self.model, self.generator = model, np.random.default_rng(seed)

    def start(self, inputs):
        return self.model.start(inputs)

    def noise(self, scores):
        return (scores - self.generator.uniform(0, 3e-6, scores.shape)).astype(np.float32)

    def step(self, state, tokens):
        scores, state = self.model.step(state, tokens)
        return self.noise(scores), state

    def step_pairs(self, state, tokens):
        scores, state = self.model.step_pairs(state, tokens)
        return self.noise(scores), state


@settings(deterministic, max_examples=20)
@given(seeds, all_rules(4), st.integers(1, 4))
def test_the_last_bits_decide_nothing(seed, rules, width):
    """Not between tokens that are equally probable, and not between hypotheses or directions."""

    def written(model, search, *more):
        return [[one.tokens for one in found] for found in search(model, range(4), rules, *more)]

    for search, model, more in (
        (beam_search, Model(seed, 4, "equal"), (width, width)),
        (synchronous_beam_search, Pairs(seed, 4, "equal", alone=True), (width, 2 * width)),
        (sample, Model(seed, 4, "equal"), (3, 1.0, 2, 0.6)),
    ):
        expected = written(model, search, *more)
        assert all(written(Noisy(model, noise), search, *more) == expected for noise in range(3))


def greedy_search(model, inputs, rules):
    return [one for [one] in beam_search(model, inputs, rules, 1)]


@deterministic
@given(models_and_rules)
def test_greedy_search_takes_the_best_token_again_and_again(model_and_rules):
    model, rules = model_and_rules
    found = greedy_search(model, [3, 8, 5], rules)
    for number, one in zip([3, 8, 5], found):
        written, total, token = (), 0.0, START
        while token != END and len(written) <= rules.max_length:
            left = options(model.next(number, (START, *written)), written, rules)
            if not left:
                break
            token = max(left, key=lambda token: (on_grid(left[token]), -token))
            if token == END or len(written) < rules.max_length:
                total += left[token]
                written += (token,) * (token != END)
            else:
                break
        check_same([one], [hypothesis(written, total, token == END, rules)])


def fixed(*rows):
    """A model that says the same of all inputs, step by step."""

    class Fixed(Model):
        def next(self, number, read):
            return rows[min(len(read), len(rows)) - 1]

    return Fixed(0, len(rows[0]))


def logs(*probabilities):
    with np.errstate(divide="ignore"):
        return np.log(probabilities)


def test_beams_by_hand():
    # A finished hypothesis is kept, though better ones than it go on at first, and wins in the end.
    model = fixed(logs(0, 0.3, 0.4, 0.3), logs(0, 0.5, 0.25, 0.25), logs(0, 1, 0, 0))
    [found] = beam_search(model, [0], Rules(START, END, 9, length_penalty=0), 3, 3)
    assert [(one.tokens, round(math.exp(one.log_probability), 6)) for one in found] == [
        ((), 0.3),
        ((2,), 0.2),
        ((3,), 0.15),
    ]
    [[best]] = beam_search(model, [0], Rules(START, END, 9, min_length=2), 3)
    assert best.tokens == (2, 2) and best.score == pytest.approx(math.log(0.1) / 3)
    [[unfinished]] = beam_search(fixed(logs(0.0, 0.1, 0.9)), [0], Rules(START, END, 3), 1)
    assert unfinished == ((2, 2, 2), 3 * math.log(0.9), math.log(0.9), False)
    [[finished]] = beam_search(fixed(logs(0.0, 0.1, 0.9)), [0], Rules(START, END, 3), 2)
    assert finished.finished and finished.tokens in ((), (2,), (2, 2), (2, 2, 2))
    assert beam_search(model, [], Rules(START, END, 3), 2) == sample(model, [], Rules(START, END, 3), 2) == []


def test_no_search_ends_while_a_longer_hypothesis_can_win():
    longest = Rules(START, END, 1)  # the mean counts the end too, behind the last token
    [[best]] = beam_search(fixed(logs(0, 0.4, 0.3, 0.3), logs(0, 1, 0, 0)), [0], longest, 2)
    assert best == ((2,), pytest.approx(math.log(0.3)), pytest.approx(math.log(0.3) / 2), True)
    short = Rules(START, END, 2000, length_penalty=-1)  # a short one is better, but not one that is improbable
    [[best]] = beam_search(fixed(logs(0, 0.01, 0.99), logs(0, 1, 0)), [0], short, 2)
    assert best == ((2,), pytest.approx(math.log(0.99)), pytest.approx(math.log(0.99) * 2), True)


def test_no_ngram_comes_twice():
    model = fixed(logs(0, 0.1, 0.6, 0.3))
    [[one]] = beam_search(model, [0], Rules(START, END, 9, no_repeat_ngram=1), 1)
    assert one.tokens == (2, 3) and one.finished
    [[two]] = beam_search(model, [0], Rules(START, END, 9, 9, no_repeat_ngram=2), 1)
    assert two.tokens == (2, 2, 3, 2) and two.finished, "after it nothing but the end is left, which comes through"
    [[two]] = beam_search(model, [0], Rules(START, END, 9, no_repeat_ngram=2, banned=(3,)), 1)
    assert two.tokens == (2, 2) and two.log_probability == pytest.approx(math.log(0.6 * 0.6 * 0.1)), "not renormalised"


def test_inputs_that_are_done_make_no_more_work():
    """An input that is done leaves, with all of its rows."""

    class Uneven(Model):
        def next(self, number, read):
            return logs(0, 0.98, 0.02) if len(read) > number else logs(0, 0.02, 0.98)

    model = Uneven(0, 3)
    found = beam_search(model, [4, 0, 2], Rules(START, END, 20), 2)
    assert [len(one.tokens) for [one] in found] == [4, 0, 2]
    assert model.calls[0] == 6 and sorted(model.calls, reverse=True) == model.calls and len(model.calls) < 10
    slow = Uneven(0, 3)
    assert beam_search(slow, [4, 0, 2], Rules(START, END, 20), 2, stop_early=False) == found
    assert sum(slow.calls) > sum(model.calls), "or nothing was saved by stopping early"


class Opaque:
    """An array of another library."""

    def __init__(self, values):
        self.values, self.shape = values, values.shape


def test_arrays_of_other_libraries():
    class Other(Model):
        def start(self, inputs):
            state = super().start(inputs)
            return State(
                state.inputs | {"opaque": Opaque(np.array(inputs))},
                {"own": state.rows, "opaque": Opaque(np.array(inputs))},
            )

        def step(self, state, tokens):
            numbers = state.rows["opaque"].values
            np.testing.assert_array_equal(
                numbers, np.repeat(state.inputs["opaque"].values, len(numbers) // len(state.inputs["number"]))
            )
            scores, new = super().step(State(state.inputs, state.rows["own"]), tokens)
            return scores.tolist(), State(state.inputs, {"own": new.rows, "opaque": Opaque(numbers)})

        def take(self, structure, indices):
            return take_rows(
                structure,
                indices,
                lambda array, rows: Opaque(array.values[rows]) if isinstance(array, Opaque) else array[rows],
            )

    rules = Rules(START, END, 4)
    assert beam_search(Other(5, 4), [7, 1, 4], rules, 3, 2) == beam_search(Model(5, 4), [7, 1, 4], rules, 3, 2)


def test_take_rows_keeps_the_structure():
    state = State({"a": np.arange(6).reshape(3, 2)}, [np.arange(3), None, (np.array(["x", "y", "z"]), 5)])
    taken = take_rows(state, np.array([2, 0, 2]))
    assert isinstance(taken, State) and taken.inputs["a"].tolist() == [[4, 5], [0, 1], [4, 5]]
    assert taken.rows[0].tolist() == [2, 0, 2] and taken.rows[1] is None
    assert isinstance(taken.rows[2], tuple) and taken.rows[2][0].tolist() == ["z", "x", "z"] and taken.rows[2][1] == 5


def test_single_precision_is_summed_in_double():
    row = logs(0, 0.3, 0.7).astype(np.float32)
    [one] = greedy_search(fixed(row), [0], Rules(START, END, 40))
    assert one.log_probability == pytest.approx(40 * float(row[2]), rel=1e-14)
    nearly = np.array([-np.inf, 1e-7, -17], np.float32)
    [one] = greedy_search(fixed(nearly), [0], Rules(START, END, 4))
    assert one == ((), 0.0, 0.0, True), "what rounding puts above 0 is 0"


def test_the_scores_of_a_model_are_left_as_they_are():
    row = logs(0.1, 0.3, 0.6)
    scores = np.tile(row, (2, 1))
    scores.flags.writeable = False

    class Fixed(Model):
        def step(self, state, tokens):
            return scores[: len(tokens)], state

    beam_search(Fixed(0, 3), [0], Rules(START, END, 5, 2, no_repeat_ngram=2, banned=(0,)), 2)
    sample(Fixed(0, 3), [0], Rules(START, END, 5, 2, no_repeat_ngram=2, banned=(0,)), 2, top_k=2, top_p=0.5)
    np.testing.assert_array_equal(scores, np.tile(row, (2, 1)))


def test_what_cannot_be_decoded_is_refused():
    model, rules = fixed(logs(0, 0.5, 0.5)), Rules(START, END, 3)
    for count in (0, 3):
        with pytest.raises(ValueError, match="between 1 and 2"):
            beam_search(model, [0], rules, 2, count)
    for searched in (
        lambda model, rules=rules: beam_search(model, [0], rules, 2),
        lambda model, rules=rules: sample(model, [0], rules),
    ):
        with pytest.raises(ValueError, match="diverge"):
            searched(fixed(np.array([0, np.nan, -1])))
        with pytest.raises(ValueError, match="log-softmax"):
            searched(fixed(np.array([0, 3.0, -1])))
        with pytest.raises(ValueError, match="does not know: it has 3"):
            searched(model, Rules(START, 3, 3))
        with pytest.raises(ValueError, match="does not know: it has 3"):
            searched(model, Rules(START, END, 3, banned=(2, 7)))

    class Broken(Model):
        def start(self, inputs):
            return State(None, None) if not inputs else super().start(inputs)

        def step(self, state, tokens):
            return np.zeros((len(tokens) + 1, 3)), state

    with pytest.raises(ValueError, match=r"shape \(2, vocabulary\), not \(3, 3\)"):
        beam_search(Broken(0, 3), [0], rules, 2)
    with pytest.raises(ValueError, match="no array"):
        greedy_search(Broken(0, 3), [], rules)
    for wrong in (
        (0, 1, 0),
        (0, 1, 3, 4),
        (0, 1, 3, -1),
        (-1, 1, 3),
        (0, 1, 3, 0, math.inf),
        (0, 1, 3, 0, 1.0, -1),
        (0, 1, 3, 0, 1.0, 0, (1,)),
    ):
        with pytest.raises(ValueError):
            Rules(*wrong)


# Sampling


def slow_truncate(row, top_k, top_p):
    order = sorted(range(len(row)), key=lambda token: -row[token])
    kept = order[: top_k or None]
    total, mass = sum(row[token] for token in kept), 0.0
    for place, token in enumerate(kept):
        mass += row[token]
        if mass >= top_p * total:
            return set(kept[: place + 1])
    return set(kept)


@deterministic
@given(seeds, st.integers(1, 8), st.integers(0, 9), st.sampled_from([0.05, 0.3, 0.7, 0.999, 1.0]))
def test_truncation_against_plain_python(seed, vocabulary, top_k, top_p):
    probabilities = np.random.default_rng(seed).dirichlet(np.full(vocabulary, 0.4), size=4)
    before = probabilities.copy()
    kept = truncate(probabilities, top_k, top_p)
    np.testing.assert_array_equal(probabilities, before)
    for row, short in zip(probabilities, kept):
        expected = slow_truncate(row.tolist(), top_k, top_p)
        assert short.tolist() == [value if token in expected else 0 for token, value in enumerate(row.tolist())]


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p"), [(1.0, 0, 1.0), (0.5, 0, 1.0), (2.0, 2, 1.0), (1.0, 3, 0.6), (1.0, 0, 0.5)]
)
def test_tokens_are_drawn_as_often_as_their_probabilities_say(temperature, top_k, top_p):
    row = np.array([0.05, 0.02, 0.3, 0.23, 0.4])
    drawn = draw(
        np.tile(np.log(row), (20_000, 1)), np.random.default_rng(0).random(20_000), END, temperature, top_k, top_p
    )
    heated = row ** (1 / temperature)
    candidates = slow_truncate(heated.tolist(), top_k, top_p) | {END}
    expected = np.array([value if token in candidates else 0 for token, value in enumerate(heated)])
    shares = np.bincount(drawn, minlength=5) / len(drawn)
    np.testing.assert_allclose(shares, expected / expected.sum(), atol=0.012)
    assert set(np.flatnonzero(shares)) == candidates, "the end is always one"


def test_impossible_tokens_are_not_drawn_at_the_edges():
    scores = np.log(np.array([[1e-300, 0.3, 0.7, 1e-300]])) + np.array([-np.inf, 0, 0, -np.inf])
    assert draw(scores, np.array([0.0]), END, 1.0, 0, 1.0).tolist() == [1]
    assert draw(scores, np.array([1 - 2**-53]), END, 1.0, 0, 1.0).tolist() == [2]


@deterministic
@given(
    models_and_rules,
    st.integers(1, 4),
    st.sampled_from([1.0, 0.3, 3.0]),
    st.integers(0, 3),
    st.sampled_from([1.0, 0.5]),
)
def test_samples_are_what_the_model_and_the_rules_allow(model_and_rules, count, temperature, top_k, top_p):
    model, rules = model_and_rules
    arguments = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "seed": 3}
    found = sample(model, range(4), rules, count, **arguments)
    for number, samples in enumerate(found):
        assert len(samples) == count
        possible = {one[0::3]: one for one in everything(model, number, rules)}
        check_same(samples, [possible[one[0::3]] for one in samples])
    # Whatever stands beside it, and however many are drawn of it.
    alone = [sample(model, [number], rules, count, **arguments, numbers=[number])[0] for number in range(4)]
    assert alone == found
    assert [samples[:1] for samples in found] == sample(model, range(4), rules, 1, **arguments)


def test_samples_are_as_frequent_as_they_are_probable():
    model, rules = Model(11, 3), Rules(START, END, 2, banned=(START,))
    first, second = (np.exp(log_probabilities(*model.settings, 5, *read)) for read in ((START,), (START, 2)))
    found = sample(model, [5], rules, 4000)[0]
    shares = Counter(len(one.tokens) for one in found)
    # What is banned is never drawn, but the others do not get its probability in log_probability.
    end, more = first[END] / (first[END] + first[2]), second[2] / (second[END] + second[2])
    assert shares[0] / 4000 == pytest.approx(end, abs=0.03) and shares[2] / 4000 == pytest.approx(
        (1 - end) * more, abs=0.03
    )
    assert all(one.log_probability == pytest.approx(math.log(first[END])) for one in found if not one.tokens)


def test_seeds_and_samples_differ():
    model, rules = Model(1, 4), Rules(START, END, 8, min_length=8)
    first, second = sample(model, [0], rules, 20, seed=1)[0], sample(model, [0], rules, 20, seed=2)[0]
    assert first != second and len(set(first)) > 15
    model.next = lambda number, read: log_probabilities(*model.settings, 0, *map(int, read))
    assert len({one.tokens for [one] in sample(model, range(20), rules)}) > 10, (
        "equal inputs do not draw the same numbers"
    )
    assert sample(model, [0], rules, numbers=[7]) == sample(model, range(8), rules)[7:]


def test_sampling_ends_though_the_end_is_never_among_the_best():
    model = fixed(logs(0, 0.05, 0.6, 0.35))
    for settings_of in ({"top_k": 1}, {"top_p": 0.3}):
        samples = sample(model, [0], Rules(START, END, 400), 10, **settings_of)[0]
        assert all(one.finished for one in samples) and {token for one in samples for token in one.tokens} == {2}


def test_settings_that_cannot_be():
    model, rules = Model(1, 4), Rules(START, END, 3)
    for wrong in ({"temperature": 0}, {"temperature": math.nan}, {"top_k": -1}, {"top_p": 0}, {"top_p": 1.5}):
        with pytest.raises(ValueError, match="Needed"):
            sample(model, [0], rules, **wrong)
    with pytest.raises(ValueError, match="not 0"):
        sample(model, [0], rules, count=0)
    with pytest.raises(ValueError, match="1 inputs, but 2 numbers"):
        sample(model, [0], rules, numbers=[1, 2])


# Both directions at once


class Pairs:
    """What comes next on a side depends on the text, on what it has written and, if they look at each other, on what
    the other side has.

    Nothing sensible is said where an end was read before the last token: such a hypothesis can only be what fills an
    empty place, or done.
    """

    def __init__(self, seed, vocabulary, kind="normal", alone=False):
        self.settings, self.alone = (seed, vocabulary, kind), alone

    def start(self, inputs):
        inputs = np.array(inputs)
        return State({"number": inputs}, {"read": np.zeros((2 * len(inputs), 0), int)})

    def step_pairs(self, state, tokens):
        texts, sides, width = tokens.shape
        assert tokens.dtype == np.int32 and sides == 2 and texts == len(state.inputs["number"])
        read = np.concatenate([state.rows["read"], tokens.reshape(-1, 1)], axis=1)
        rows = read.reshape(texts, 2, width, -1)
        scores = np.full((texts, 2, width, width, self.settings[1]), np.nan)
        for text, side, own, other in itertools.product(range(texts), range(2), range(width), range(width)):
            if END not in rows[text, side, own]:
                partner = rows[text, 1 - side, other]
                scores[text, side, own, other] = self.next(
                    state.inputs["number"][text], side, rows[text, side, own], partner
                )
        return scores, State(state.inputs, {"read": read})

    def next(self, number, side, own, other):
        # Of the other side counts what was written up to its end, and that it has one.
        other = (
            []
            if self.alone
            else [*itertools.takewhile(lambda token: token != END, map(int, other)), *[END] * (END in other)]
        )
        return log_probabilities(*self.settings, int(number), side, *map(int, own), 99, *other)


def slow_synchronous(model, number, rules, width):
    sides = [[((), 0.0, "live")], [((), 0.0, "live")]]
    while any(state == "live" for places in sides for *_, state in places):

        def mixture(side, written):
            partners = sides[1 - side]
            weights = [math.exp(total) for _, total, _ in partners]
            with np.errstate(divide="ignore"):
                return np.log(
                    sum(
                        weight
                        / sum(weights)
                        * np.exp(
                            model.next(number, side, (START, *written), (START, *other, *[END] * (state != "live")))
                        )
                        for weight, (other, _, state) in zip(weights, partners)
                    )
                )

        sides = [
            slow_step(places, lambda written: mixture(side, written), rules, width) for side, places in enumerate(sides)
        ]
    found = []
    for name, step, places in zip(("left-to-right", "right-to-left"), (1, -1), sides):
        for written, total, state in places:
            found.append((*hypothesis(written[::step], total, state == "finished", rules), name))
    return sorted(found, key=lambda one: (not one[3], -on_grid(one[2])))


def check_same_directed(found, expected):
    check_same(found, [Hypothesis(*one[:4]) for one in expected])
    assert [one.direction for one in found] == [one[4] for one in expected]


@settings(deterministic, max_examples=30)
@given(
    seeds,
    st.integers(3, 4).flatmap(lambda size: st.tuples(st.just(size), all_rules(size, 3))),
    st.sampled_from(["normal", "impossible"]),
    st.sampled_from([1, 2, 3, 30]),
)
def test_synchronous_beams_against_plain_python(seed, size_and_rules, kind, width):
    size, rules = size_and_rules
    model = Pairs(seed, size, kind)
    texts = range(3) if width < 30 else range(1)
    for number, found in enumerate(synchronous_beam_search(model, texts, rules, width, 2 * width)):
        check_same_directed(found, slow_synchronous(model, number, rules, width))
    assert [synchronous_beam_search(model, [number], rules, width)[0] for number in texts] == synchronous_beam_search(
        model, texts, rules, width
    )


@settings(deterministic, max_examples=30)
@given(seeds, st.sampled_from(["normal", "impossible"]), all_rules(4), st.integers(1, 5))
def test_sides_that_ignore_each_other_are_two_beams(seed, kind, rules, width):
    pairs = Pairs(seed, 4, kind, alone=True)
    both = synchronous_beam_search(pairs, range(3), rules, width, 2 * width)
    for side, (name, step) in enumerate((("left-to-right", 1), ("right-to-left", -1))):
        model = Model(seed, 4, kind)
        model.next = lambda number, read: pairs.next(number, side, read, ())
        for found, plain in zip(both, beam_search(model, range(3), rules, width, width)):
            check_same(
                [Hypothesis(*one[:4]) for one in found if one.direction == name],
                [one._replace(tokens=one.tokens[::step]) for one in plain],
            )


def test_what_is_said_of_an_empty_partner_is_not_looked_at():
    said = logs(0, 0.5, 0.5), logs(0, 0.9, 0.1), np.full(3, np.nan)
    scores = np.broadcast_to(np.array(said), (1, 2, 3, 3, 3)).astype(np.float32)
    mixed = mix(scores, np.log(np.array([[[0.01, 0.03, 1e-320]] * 2])) + np.array([0, 0, -np.inf]))
    assert mixed.shape == (1, 2, 3, 3) and mixed.dtype == np.float32
    np.testing.assert_allclose(np.exp(mixed), np.broadcast_to([0, 0.8, 0.2], mixed.shape), rtol=1e-6)
    far = mix(np.full((1, 2, 1, 1, 3), -2000.0), np.array([[[-3000.0]] * 2]))
    np.testing.assert_array_equal(far, np.full((1, 2, 1, 3), -2000.0), "neither runs out of range")


def test_synchronous_beams_by_hand():
    """What the better half of the other side says counts as much more as it is more probable; and the right side is
    turned round."""

    class ByHand(Pairs):
        def next(self, number, side, own, other):
            if len(own) == 1:
                return logs(0, 0, 0.75, 0.25)
            if len(own) == 2 and side == 1:
                return logs(0, 0, 0, 1)
            return logs(0, 1, 0, 0) if len(own) > 2 else logs(0, 0.8, 0.2, 0) if other[1] == 2 else logs(0, 0.4, 0, 0.6)

    found = synchronous_beam_search(ByHand(0, 4), [0], Rules(START, END, 5, length_penalty=0), 2, 4)[0]
    assert [(one.tokens, one.direction, round(math.exp(one.log_probability), 6)) for one in found] == [
        ((3, 2), "right-to-left", 0.75),
        ((2,), "left-to-right", 0.525),
        ((3, 3), "right-to-left", 0.25),
        ((3,), "left-to-right", 0.175),
    ]
    with pytest.raises(ValueError, match="between 1 and 4"):
        synchronous_beam_search(ByHand(0, 4), [0], Rules(START, END, 5), 2, 5)

    class Broken(Pairs):
        def step_pairs(self, state, tokens):
            return np.zeros((len(tokens), 2, 2, 4)), state

    with pytest.raises(ValueError, match=r"shape \(1, 2, 2, 2\) and the vocabulary"):
        synchronous_beam_search(Broken(0, 4), [0], Rules(START, END, 5), 2)
