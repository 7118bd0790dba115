"""common/decoders/gibbs.py: what chains sample against a joint distribution that is known to the last text, and what
never happens."""

import itertools

import numpy as np
import pytest

from common.decoders.gibbs import GibbsWalk, contains_all, gibbs_texts

VOCABULARY, LENGTH, CHAINS = 3, 3, 250
TEXTS = np.array(list(itertools.product(range(VOCABULARY), repeat=LENGTH)))
#: Between what is sampled and what is true: half of the sum of all differences of probability.
TOLERANCE = 0.02
ALL = np.ones(LENGTH, bool)


def joint() -> np.ndarray:
    """Probabilities of TEXTS, of which a token tells much of the others."""
    scores = np.random.default_rng(4).normal(size=len(TEXTS)) + 2 * (TEXTS[:, 0] == TEXTS[:, 2])
    return np.exp(scores) / np.exp(scores).sum()


def conditionals(texts, places):
    """Those of the joint distribution, text by text."""
    found = np.zeros((len(texts), VOCABULARY))
    for row, (text, place) in enumerate(zip(texts, places)):
        others = np.arange(LENGTH) != place
        same = (TEXTS[:, others] == text[others]).all(1)
        found[row] = joint()[same] / joint()[same].sum()  # in order of the token at the place
    return np.log(found)


TABLE = {
    (*text, place): conditionals(np.array([text]), [place])[0]
    for text in itertools.product(range(VOCABULARY), repeat=LENGTH)
    for place in range(LENGTH)
}


def looked_up(texts, places):
    """The same, faster."""
    return np.array([TABLE[(*text, place)] for text, place in zip(texts.tolist(), places.tolist())])


def start(tokens=(2, 0, 0), chains=CHAINS):
    return np.tile(tokens, (chains, 1))


def shares_of(texts) -> np.ndarray:
    """Share of each of TEXTS."""
    numbers = np.concatenate(list(texts)) @ VOCABULARY ** np.arange(LENGTH)[::-1]
    return np.bincount(numbers, minlength=len(TEXTS)) / len(numbers)


def distance(one, other) -> float:
    return np.abs(one - other).sum() / 2


@pytest.mark.parametrize("order", ["random", "sweep"])
def test_the_texts_have_the_joint_distribution(order):
    walk = GibbsWalk(330, burn_in=30, thinning=3, order=order)
    found = shares_of(gibbs_texts(looked_up, start(), ALL, walk))
    assert distance(found, joint()) < TOLERANCE
    # What is wrong is further away: places by themselves, and a first draw that is never redrawn.
    alone = [np.bincount(TEXTS[:, place], joint(), VOCABULARY) for place in range(LENGTH)]
    assert distance(np.prod([alone[place][TEXTS[:, place]] for place in range(LENGTH)], 0), joint()) > 5 * TOLERANCE
    once = [next(gibbs_texts(looked_up, start(), ALL, GibbsWalk(3, order="sweep"), seed=seed)) for seed in range(40)]
    assert distance(shares_of(once), joint()) > 5 * TOLERANCE


def test_a_temperature_samples_the_power_of_the_distribution():
    walk = GibbsWalk(330, burn_in=30, thinning=3, temperature=0.5)
    found = shares_of(gibbs_texts(looked_up, start(), ALL, walk))
    assert distance(found, joint() ** 2 / (joint() ** 2).sum()) < TOLERANCE


def test_required_words_leave_the_distribution_among_the_texts_that_have_them():
    accept = contains_all([[2], [0, 0]])
    assert (
        accept(TEXTS).sum() == 2
        and (accept(TEXTS) == [2 in one and "00" in "".join(map(str, one)) for one in TEXTS.tolist()]).all()
    )
    has_two = contains_all([[2]])
    walk = GibbsWalk(330, burn_in=30, thinning=3)
    found = shares_of(gibbs_texts(looked_up, start(), ALL, walk, has_two))
    expected = joint() * (TEXTS == 2).any(1)
    assert found[~(TEXTS == 2).any(1)].sum() == 0 and distance(found, expected / expected.sum()) < TOLERANCE


def test_fixed_places_never_move_and_the_others_have_their_distribution_given_them():
    free = np.array([True, False, True])
    walk = GibbsWalk(220, burn_in=20, thinning=2)
    kept = list(gibbs_texts(looked_up, start((0, 1, 2)), free, walk))
    assert all((texts[:, 1] == 1).all() for texts in kept) and len(kept) == 100
    expected = joint() * (TEXTS[:, 1] == 1)
    assert distance(shares_of(kept), expected / expected.sum()) < TOLERANCE


def test_banned_tokens_are_not_written_and_of_the_top_one_only_it():
    walk = GibbsWalk(60, burn_in=30, thinning=3, banned=(1,))
    texts = np.concatenate(list(gibbs_texts(looked_up, start((1, 1, 1)), ALL, walk)))
    assert set(texts.ravel().tolist()) == {0, 2}
    walk = GibbsWalk(30, burn_in=29, top_k=1)
    for text in next(gibbs_texts(looked_up, start(chains=20), ALL, walk)):
        assert [int(TABLE[(*text, place)].argmax()) for place in range(LENGTH)] == text.tolist()


def test_a_chain_hangs_on_the_seed_and_its_number_alone():
    def kept(chains, seed=5):
        return np.array(list(gibbs_texts(looked_up, start(chains=chains), ALL, GibbsWalk(40, 4, 3), seed=seed)))

    assert kept(9).shape == (12, 9, LENGTH)
    assert np.array_equal(kept(9), kept(9)) and np.array_equal(kept(9)[:, :4], kept(4))
    assert not np.array_equal(kept(9), kept(9, seed=6))


def test_a_round_visits_every_place_of_a_chain_once_and_chains_go_their_own_ways():
    seen = []

    def watch(texts, places):
        seen.append(places)
        return np.zeros((len(texts), VOCABULARY))

    list(gibbs_texts(watch, start(chains=30), ALL, GibbsWalk(6)))
    rounds = np.array(seen).reshape(2, LENGTH, 30)
    assert (np.sort(rounds, 1) == np.arange(LENGTH)[:, None]).all()
    assert len({tuple(way) for way in rounds[0].T.tolist()}) == 6 and not np.array_equal(*rounds)
    seen.clear()
    list(gibbs_texts(watch, start(chains=2), np.array([True, False, True]), GibbsWalk(4, order="sweep")))
    assert np.array(seen)[:, 0].tolist() == [0, 2, 0, 2]


def test_what_cannot_be_is_refused():
    for wrong in (
        {"steps": 0},
        {"steps": 5, "burn_in": 5},
        {"steps": 5, "thinning": 6},
        {"steps": 5, "thinning": 0},
        {"steps": 5, "temperature": 0},
        {"steps": 5, "top_k": -1},
        {"steps": 5, "order": "backwards"},
    ):
        with pytest.raises(ValueError, match="No text is kept|Needed"):
            GibbsWalk(**wrong)
    walk = GibbsWalk(5)
    for tokens, free in ((start(), ~ALL), (start(), ALL[:2]), (start()[0], ALL)):
        with pytest.raises(ValueError, match="free places"):
            gibbs_texts(looked_up, tokens, free, walk)
    with pytest.raises(ValueError, match="begin with texts that are accepted"):
        gibbs_texts(looked_up, start((0, 0, 0)), ALL, walk, contains_all([[1, 2, 0, 0]]))
    for said in (np.full((CHAINS, VOCABULARY), np.nan), np.full((CHAINS, VOCABULARY), -np.inf), np.zeros((2, 3))):
        with pytest.raises(ValueError, match="Log-probabilities"):
            next(gibbs_texts(lambda texts, places, said=said: said, start(), ALL, walk))
