"""predict.py --scores: what each answer was chosen from, and that it is chosen from that."""

from common.submission import read_json_lines

from contests import every_contest
from workshop import numbered, succeeds


def scores_of(path):
    return [record for _, record in read_json_lines(path)]


@every_contest
def test_scores_stand_beside_the_answers_and_change_none(workshop, contest, output):
    good = workshop.trained(contest).examples
    examples = numbered(contest, [*good[:4], *(contest.with_text(good[0], text) for text in ("", "甲" * 300))])
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
        assert probabilities == sorted(probabilities, reverse=True) and all(0 <= value <= 1 for value in probabilities)
    assert max(one["candidates"][0]["probability"] for one in found[:4]) > 0.5
