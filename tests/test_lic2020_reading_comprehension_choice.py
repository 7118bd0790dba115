import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from competition import load

FOLDER = "lic2020_reading_comprehension"
task = load(FOLDER, "task")
metric = load(FOLDER, "metric")
choice = load(FOLDER, "choice")
Candidate = choice.Candidate
deterministic = settings(max_examples=100)


def example(question, context, answer, name="0", article=0):
    return task.Example(name, question, context, (task.Answer(answer, -1),), article)


# Candidates -> answer


probabilities = st.integers(1, 10_000).map(lambda number: number / 100_000)
candidate_lists = st.dictionaries(
    st.text(alphabet="天地人3，", min_size=1, max_size=6), probabilities, min_size=1, max_size=8
).map(
    lambda found: sorted(
        (Candidate(text, 0, probability) for text, probability in found.items()), key=lambda one: -one.probability
    )
)


@deterministic
@given(candidate_lists)
def test_the_choice_has_the_highest_expected_f1(found):
    def expected(text):
        # What the organisers' evaluator would give on average, question by question.
        return sum(
            one.probability * metric.compare([example("谁？", "", one.text, name="0")], {"0": text})[0].f1
            for one in found
            if one.text.strip()
        )

    chosen = choice.choose("天地人", found, "expected_f1")
    best = max(expected(one.text) for one in found)
    assert expected(chosen) == pytest.approx(best) and chosen in {one.text for one in found}
    assert choice.choose("天地人", found, "most_probable") == found[0].text


def test_what_most_candidates_share_may_win_over_the_most_probable():
    found = [Candidate("白鹿", 9, 0.3), Candidate("顾南", 0, 0.28), Candidate("顾南许", 0, 0.26)]
    assert choice.choose("", found, "most_probable") == "白鹿"
    assert choice.choose("", found, "expected_f1") == "顾南"


@pytest.mark.parametrize(("penalty", "answer"), [(0.0, "顾南和许青"), (0.2, "许青")])
def test_a_penalty_prefers_the_shorter_answer(penalty, answer):
    found = [
        Candidate("顾南和许青", 0, 0.4),
        Candidate("许青", 3, 0.3),
    ]  # 0.4 exp(-0.2 * 5) = 0.147, 0.3 exp(-0.2 * 2) = 0.201
    assert choice.choose("顾南和许青", found, "most_probable", penalty) == answer


def test_a_penalty_counts_in_expected_f1():
    found = [Candidate("顾南许青白鹿", 0, 0.5), Candidate("顾南", 0, 0.4)]
    assert choice.choose("顾南许青白鹿", found, "expected_f1") == "顾南许青白鹿"
    assert choice.choose("顾南许青白鹿", found, "expected_f1", 0.1) == "顾南"


# The search of the penalty


def dev(count, best, article=0):
    """Questions whose right answer is found at penalties from `best` on, and is too short a penalty later than that."""
    right, long, short = "顾南许青", "顾南许青和白鹿等", "顾"
    step = choice.GRID[choice.GRID.index(best) + 1] if best < choice.GRID[-1] else 2 * best
    # The long answer loses to the right one just below `best`, and the right one to the short one half a step above.
    at, until = best - 1e-4, (best + step) / 2
    found = [
        Candidate(long, 0, 0.1),
        Candidate(right, 0, 0.1 * np.exp(-4 * at)),
        Candidate(short, 0, 0.1 * np.exp(-4 * at - 3 * until)),
    ]
    examples = [example("谁", long, right, name=f"{article} {number}", article=article) for number in range(count)]
    return examples, [found] * count


@pytest.mark.parametrize("best", choice.GRID[1:])
def test_the_search_finds_the_best_penalty(best):
    examples, found = dev(9, best)
    assert choice.search_length_penalty(examples, found, "most_probable", seed=1) == (best, 100.0, 100.0)


def test_what_the_organisers_do_not_score_has_no_say():
    examples, found = (one + other for one, other in zip(dev(3, choice.GRID[2]), dev(30, choice.GRID[-1], article=1)))
    result = choice.search_length_penalty(examples, found, "most_probable", seed=1)
    assert result == (choice.GRID[2], 100.0, 100.0)


def test_the_crossed_score_is_of_questions_that_had_no_say():
    """Each half wants a penalty that the other half is wrong with."""
    seed, count = 3, 20
    halves = np.random.default_rng(seed).permutation(count) % 2
    kinds = dev(count, choice.GRID[1]), dev(count, choice.GRID[-1])
    examples = kinds[0][0]
    found = [kinds[half][1][index] for index, half in enumerate(halves)]
    result = choice.search_length_penalty(examples, found, "most_probable", seed)
    assert result.f1 > 60 and result.crossed_f1 < 60
    answers = [
        choice.choose(one.context, best, "most_probable", choice.GRID[-1 if half == 0 else 1])
        for one, best, half in zip(examples, found, halves)
    ]
    scores = metric.compare(examples, {one.id: answer for one, answer in zip(examples, answers)})
    assert result.crossed_f1 == pytest.approx(metric.total(scores).f1, abs=1e-3)


def test_of_equally_good_penalties_the_mildest_is_taken():
    examples = [example("谁", "顾南", "顾南")]
    assert choice.search_length_penalty(examples, [[Candidate("顾南", 0, 0.5)]], "expected_f1", seed=1) == (
        0.0,
        100.0,
        100.0,
    )
