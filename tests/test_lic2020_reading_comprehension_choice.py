import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.dev_search import DevSet
from common.runs.directory import Run

from competition import load
from helpers import refused

FOLDER = "lic2020_reading_comprehension"
task = load(FOLDER, "task")
metric = load(FOLDER, "metric")
decode = load(FOLDER, "decode")
train = load(FOLDER, "train")
predict = load(FOLDER, "predict")
Candidate, Settings = decode.Candidate, decode.Settings
deterministic = settings(max_examples=100)
MOST_PROBABLE = Settings(choice="most_probable")


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

    chosen = decode.choose("天地人", found, Settings())
    best = max(expected(one.text) for one in found)
    assert expected(chosen) == pytest.approx(best) and chosen in {one.text for one in found}
    assert decode.choose("天地人", found, MOST_PROBABLE) == found[0].text


def test_what_most_candidates_share_may_win_over_the_most_probable():
    found = [Candidate("白鹿", 9, 0.3), Candidate("顾南", 0, 0.28), Candidate("顾南许", 0, 0.26)]
    assert decode.choose("", found, MOST_PROBABLE) == "白鹿"
    assert decode.choose("", found, Settings()) == "顾南"


@pytest.mark.parametrize(("penalty", "answer"), [(0.0, "顾南和许青"), (0.2, "许青")])
def test_a_penalty_prefers_the_shorter_answer(penalty, answer):
    found = [
        Candidate("顾南和许青", 0, 0.4),
        Candidate("许青", 3, 0.3),
    ]  # 0.4 exp(-0.2 * 5) = 0.147, 0.3 exp(-0.2 * 2) = 0.201
    assert decode.choose("顾南和许青", found, Settings(penalty, "most_probable")) == answer


def test_a_penalty_counts_in_expected_f1():
    found = [Candidate("顾南许青白鹿", 0, 0.5), Candidate("顾南", 0, 0.4)]
    assert decode.choose("顾南许青白鹿", found, Settings()) == "顾南许青白鹿"
    assert decode.choose("顾南许青白鹿", found, Settings(0.1)) == "顾南"


# The search of the penalty


def search(examples, found, choice="most_probable", seed=1):
    """What train.py does, with the n-best lists `found` for what the network says."""
    predictor = object.__new__(decode.Predictor)
    predictor.features = predictor.score = lambda *arguments: found
    grid = [Settings(penalty, choice) for penalty in decode.GRID]
    result, evaluation = DevSet(examples, predictor, train.evaluation).search(grid, decode.counts, decode.f1, seed)
    assert evaluation == train.evaluation(examples, predictor(examples, result.setting))
    assert evaluation.metrics.get("f1_all", evaluation.metrics["f1"]) == pytest.approx(result.score, abs=1e-3)
    assert result.setting.choice == choice
    return result._replace(setting=result.setting.length_penalty)


def dev(count, best, article=0):
    """Questions whose right answer is found at penalties from `best` on, and is too short a penalty later than that."""
    right, long, short = "顾南许青", "顾南许青和白鹿等", "顾"
    step = decode.GRID[decode.GRID.index(best) + 1] if best < decode.GRID[-1] else 2 * best
    # The long answer loses to the right one just below `best`, and the right one to the short one half a step above.
    at, until = best - 1e-4, (best + step) / 2
    found = [
        Candidate(long, 0, 0.1),
        Candidate(right, 0, 0.1 * np.exp(-4 * at)),
        Candidate(short, 0, 0.1 * np.exp(-4 * at - 3 * until)),
    ]
    examples = [example("谁", long, right, name=f"{article} {number}", article=article) for number in range(count)]
    return examples, [found] * count


@pytest.mark.parametrize("best", decode.GRID[1:])
def test_the_search_finds_the_best_penalty(best):
    examples, found = dev(9, best)
    assert search(examples, found) == (best, 100.0, 100.0)


def test_every_question_has_a_say_also_those_that_the_organisers_do_not_score():
    """CMRC and DRCD have an article for each text: of a dev file of theirs the first one has a question or two."""
    examples, found = (one + other for one, other in zip(dev(3, decode.GRID[2]), dev(30, decode.GRID[-1], article=1)))
    assert search(examples, found).setting == decode.GRID[-1]


def test_an_epoch_is_judged_by_all_questions():
    examples = [example("谁", "顾南", "顾南", name=str(number), article=number) for number in range(4)]
    evaluation = train.evaluation(examples, ["顾南", "白", "顾南", "鹿"])
    assert evaluation.metrics | {"f1": 100.0, "f1_all": 50.0, "total_all": 4} == evaluation.metrics
    assert [error["id"] for error in evaluation.errors] == ["1", "3"]
    assert train.outside(examples).startswith(", 3 of them outside of the first article")
    assert train.FIGURES_OF_ARTICLES[0] == "f1_all" and train.outside(examples[:1]) == ""


def test_the_crossed_score_is_of_questions_that_had_no_say():
    """Each half wants a penalty that the other half is wrong with."""
    seed, count = 3, 20
    halves = np.random.default_rng(seed).permutation(count) % 2
    kinds = dev(count, decode.GRID[1]), dev(count, decode.GRID[-1])
    examples = kinds[0][0]
    found = [kinds[half][1][index] for index, half in enumerate(halves)]
    result = search(examples, found, seed=seed)
    assert result.score > 60 and result.crossed < 60
    answers = [
        decode.choose(one.context, best, Settings(decode.GRID[-1 if half == 0 else 1], "most_probable"))
        for one, best, half in zip(examples, found, halves)
    ]
    scores = metric.compare(examples, {one.id: answer for one, answer in zip(examples, answers)})
    assert result.crossed == pytest.approx(metric.total(scores).f1, abs=1e-3)


def test_of_equally_good_penalties_the_mildest_is_taken():
    examples = [example("谁", "顾南", "顾南")]
    assert search(examples, [[Candidate("顾南", 0, 0.5)]], "expected_f1") == (0.0, 100.0, 100.0)


# predict.py: what a run says, and where the answers go


@pytest.mark.parametrize(
    "kept", [{"length_penalty": -1}, {"length_penalty": "0"}, {"choice": "the best"}, {"penalty": 1}]
)
def test_settings_that_are_none_are_refused(tmp_path, kept):
    (tmp_path / "decoding.json").write_text(json.dumps(kept))
    refused(lambda: Run(tmp_path, {}).read_decoding(Settings), tmp_path / "decoding.json")


@pytest.mark.parametrize("changed", [{"doc_stride": 0}, {"max_answer_length": "40"}, {"max_question_length": 1e9}])
def test_lengths_that_are_none_are_refused(tmp_path, changed):
    lengths = {"max_question_length": 64, "doc_stride": None, "max_answer_length": 40}
    assert predict.lengths_of(Run(tmp_path, {"settings": lengths})) == ((64, None), 40)
    refused(lambda: predict.lengths_of(Run(tmp_path, {"settings": lengths | changed})), tmp_path, *changed)


def test_what_could_not_be_written_is_told_first(tmp_path):
    good = tmp_path / "new/submission.json"
    predict.check_name(good)
    refused(lambda: predict.check_name(good.with_suffix(".zip")), "submission.zip", ".json")
