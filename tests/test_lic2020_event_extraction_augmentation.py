import numpy as np
import pytest

from competition import load

FOLDER = "lic2020_event_extraction"
task = load(FOLDER, "task")
features = load(FOLDER, "features")


def example(text, *events):
    """Events are (type, trigger, (role, argument), ...), found at their first occurrence."""
    return task.Example(
        "1",
        text,
        tuple(
            task.Event(
                kind,
                trigger,
                text.find(trigger),
                tuple(task.Argument(role, value, text.find(value)) for role, value in arguments),
            )
            for kind, trigger, *arguments in events
        ),
        1,
    )


MATCHES = [
    example(
        f"周{i:02d}甲{i:02d}胜乙{i:02d}",
        ("赛", "胜", ("时间", f"周{i:02d}"), ("胜者", f"甲{i:02d}"), ("败者", f"乙{i:02d}")),
    )
    for i in range(30)
]


def replaced(sentence, rate=1.0, seed=0, corpus=MATCHES):
    replacement = features.ArgumentReplacement(corpus, None, None, rate=rate)
    return replacement.replace(sentence, np.random.default_rng(seed))


def test_arguments_become_others_of_their_role_and_starts_move_with_them():
    sentence = example("在周1，甲队胜乙队，观众离席", ("赛", "胜", ("时间", "周1"), ("胜者", "甲队"), ("败者", "乙队")))
    for seed in range(30):
        new = replaced(sentence, seed=seed)
        [event] = new.events
        when, winner, loser = (argument.text for argument in event.arguments)
        assert (
            when.startswith("周")
            and winner.startswith("甲")
            and loser.startswith("乙")
            and len(when + winner + loser) == 9
        )
        assert new.text == f"在{when}，{winner}胜{loser}，观众离席"
        assert all(new.text.startswith(argument.text, argument.start) for argument in event.arguments)
        assert new.text.startswith("胜", event.trigger_start) and (new.id, new.line) == (sentence.id, sentence.line)


def test_one_argument_of_several_events_stays_one():
    text = "甲队胜乙队，甲队夺冠"
    events = (
        task.Event("赛", "胜", 2, (task.Argument("胜者", "甲队", 0),)),
        task.Event("冠", "夺冠", 8, (task.Argument("胜者", "甲队", 6), task.Argument("冠军", "甲队", 6))),
    )
    new = replaced(task.Example("1", text, events, 1), seed=1)
    values = {argument.text for event in new.events for argument in event.arguments}
    assert len(values) == 1 and "甲队" not in values
    [value] = values
    assert new.text == f"{value}胜乙队，{value}夺冠" and new.events[1].trigger_start == new.text.index("夺冠")


@pytest.mark.parametrize(
    "sentence",
    [
        example("无事", *()),
        example("甲队胜乙队", ("赛", "胜", ("裁判", "甲队"))),  # a role without other arguments
        example("甲队胜乙队", ("赛", "胜", ("胜者", "丙队"))),  # not in the text
        example("甲队胜乙队", ("赛", "胜", ("胜者", "甲队胜乙队"))),  # around a trigger
        example("胜", ("赛", "胜", ("胜者", "胜"))),  # the trigger itself
        example("甲队胜乙队", ("赛", "胜", ("胜者", "甲队"), ("败者", "队"), ("时间", "甲"))),  # nested in one another
    ],
)
def test_what_cannot_be_replaced_safely_stays_the_very_same(sentence):
    assert all(replaced(sentence, seed=seed) is sentence for seed in range(10))


def test_the_rate_decides_and_the_generator_repeats():
    assert replaced(MATCHES[0], rate=0.0) is MATCHES[0]
    assert replaced(MATCHES[0], seed=3) == replaced(MATCHES[0], seed=3)
    changed = [replaced(MATCHES[0], rate=0.5, seed=seed).events[0].arguments[0].text for seed in range(400)]
    assert 0.4 < np.mean([text != "周00" for text in changed]) < 0.6
