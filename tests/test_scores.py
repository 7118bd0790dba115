"""predict.py --scores: what each answer was chosen from, and that it is chosen from that."""

import sys

import pytest

from common.candidates import check_outputs, record_of, scores_file
from common.runs.directory import open_run
from common.submission import read_json_lines

import competition
from contests import ENTITY_LINKING, EVENT_EXTRACTION, NL2SQL, TITLING, every_contest, these
from helpers import refused
from workshop import numbered, sample_of, succeeds

sys.path.insert(0, str(competition.ROOT / "scripts"))
from ensembles import contest_of  # noqa: E402


def scores_of(path):
    return [record for _, record in read_json_lines(path)]


@every_contest
def test_scores_stand_beside_the_answers_and_change_none(workshop, contest, output):
    good = workshop.trained(contest).examples
    examples = numbered(contest, [*good[:3], *(contest.with_text(good[0], text) for text in ("", "甲" * 300))])
    scores = output.with_name("scores.json")
    succeeds(workshop.predict(contest, examples, output))
    alone = output.read_bytes()
    succeeds(workshop.predict(contest, examples, output, "--scores", scores))
    assert output.read_bytes() == alone
    found = scores_of(scores)
    names = [example.get("id", example.get("text_id", number)) for number, example in enumerate(examples, start=1)]
    assert [one["id"] for one in found] == names
    for one in found:
        probabilities = [candidate["probability"] for candidate in one["candidates"]]
        assert contest is TITLING or probabilities == sorted(probabilities, reverse=True)
        assert all(0 <= value <= 1 for value in probabilities)
    assert max(one["candidates"][0]["probability"] for one in found[:3]) > 0.3


@pytest.mark.parametrize(
    ("contest", "settings"),
    [
        pytest.param(EVENT_EXTRACTION, {"threshold": -3.5}, id="events"),
        pytest.param(ENTITY_LINKING, {"threshold": 0.07}, id="entities"),
    ],
)
def test_thresholds_can_be_moved_without_the_network(workshop, contest, settings, output):
    """predict.py with other thresholds answers what is chosen by them out of the scores of any."""
    trained = workshop.trained(contest)
    scores, flags = (
        output.with_name("scores.json"),
        [f"--{name.replace('_', '-')}={settings[name]}" for name in settings],
    )
    examples = contest.read(sample_of(contest) / "dev.json")[:8]  # of those that it knows by heart it is too sure
    succeeds(workshop.predict(contest, examples, output, "--scores", scores))
    before = output.read_bytes()
    moved = contest_of(contest.folder)(open_run(trained.run, contest.folder))
    with competition.inside(contest.folder):
        asked = moved.read(output.with_name(f"{output.name}-input.json"), None)
        lines, others = scores_of(scores), moved.decode.Settings(**settings)
        answers = [moved.choose(*one, others) for one in zip(asked, lines, strict=True)]
        moved.write(output.with_name("moved.json"), asked, answers)
    succeeds(workshop.predict(contest, examples, output, *flags))
    assert output.with_name("moved.json").read_bytes() == output.read_bytes() != before


@these(NL2SQL)
def test_whole_queries_stand_beside_the_parts_they_are_made_of(contest, workshop, output):
    scores, examples = output.with_name("scores.json"), workshop.trained(contest).examples
    answers = workshop.answers(contest, examples, output, "--scores", scores, "--tries", 1)
    for answer, one in zip(answers, scores_of(scores)):
        parts, (best, *_) = one["parts"], one["candidates"]
        assert answer == {name: value for name, value in best.items() if name != "probability"}
        selected = {pair: parts["selections"][pair[0]][pair[1]] for pair in zip(best["sel"], best["agg"])}
        assert best["probability"] <= min(selected.values()) * parts["connection"][best["cond_conn_op"]] * 1.01


def test_a_file_of_scores_appears_whole_or_not_at_all(tmp_path):
    class Example:
        id = "甲"

    class Judged(dict):
        pass

    with pytest.raises(KeyError), scores_file(tmp_path / "scores.json") as keep:
        keep([Example], [[]])
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    with scores_file(tmp_path / "scores.json.gz") as keep:
        keep([Example, object()], [[], Judged(candidates=[], more=1)])
    assert scores_of(tmp_path / "scores.json.gz") == [
        {"id": "甲", "candidates": []},
        {"id": 2, "candidates": [], "more": 1},
    ]
    assert record_of({"candidates": [1]}) == {"candidates": [1]}
    with scores_file(None) as keep:
        assert keep is None


def test_what_could_not_be_written_is_told_first(tmp_path):
    good = tmp_path / "new/submission.json"
    check_outputs(good, tmp_path / "scores.json")
    refused(lambda: check_outputs(tmp_path, None), tmp_path, "is a folder")
    refused(lambda: check_outputs(good, tmp_path), tmp_path, "is a folder")
    refused(lambda: check_outputs(good, tmp_path / "x/../new/submission.json"), "--scores", "is the submission")
