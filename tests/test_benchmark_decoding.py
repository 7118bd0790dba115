"""What measures the speed of writing titles, and the network without a memory that it compares with."""

import sys

import numpy as np
import pytest

import competition
from competition import ROOT
from helpers import mostly_slow

FOLDER = "seq2seq_titling"
copying = competition.load(FOLDER, "copying")
features = competition.load(FOLDER, "features")
sys.path.insert(0, str(ROOT / "scripts"))
import benchmark  # noqa: E402

with competition.inside(FOLDER):
    import decoding_speed

Candidate = decoding_speed.Candidate


@pytest.fixture(scope="module")
def built():
    return decoding_speed.random_network(layers=2, hidden_size=24)


@pytest.fixture(scope="module")
def plain(built):
    return decoding_speed.WithoutMemory(built[0])


@pytest.fixture(scope="module")
def articles(built):
    """Of several lengths, some with characters that the vocabulary lacks."""
    random = decoding_speed.random_articles(3, built[1])
    texts = [random[0].text[:40], random[1].text[:9] + "\u9fa5\u9fa4" * 4, random[2].text[:1], "\u9fa3" * 3]
    return [features.read_article(text, built[1]) for text in texts]


@pytest.mark.parametrize("beam", mostly_slow([1, 3], 3, reason="a beam does what greedy search does"))
def test_a_memory_changes_nothing(built, plain, articles, beam):
    network, encoder = built
    expected = [decoding_speed.write(plain, encoder, [article], 1, beam, length=6)[0] for article in articles]
    for model in (network, plain):
        decoding_speed.check_equal(decoding_speed.write(model, encoder, articles, 4, beam, length=6), expected)
    assert [len(one.title) for one in expected] == [6] * 4 and len({one.title for one in expected}) == 4


def test_without_a_memory_it_says_what_training_says(built, plain, articles):
    network, encoder = built
    written = decoding_speed.write(plain, encoder, articles, 4, beam=3, length=6)
    for article, one in zip(articles, written):
        title = features.title_ids(one.title, article, encoder)
        batch = features.collate([features.Pair(article, title, one.finished, title)], encoder.tokenizer, "unilm")
        scores = network.training({name: batch[name] for name in network.training.input_names})["title"]
        log_probabilities = copying.log_probabilities(batch["title_targets"], batch["copy_ids"], scores)
        np.testing.assert_allclose(np.sum(log_probabilities[:, : 6 + one.finished]), one.log_probability, atol=1e-4)


def test_random_networks_and_texts_are_the_same_every_time_and_of_the_size_that_is_said(built):
    network, encoder = built
    again, _ = decoding_speed.random_network(layers=2, hidden_size=24)
    for one, other in zip(network.training.get_weights(), again.training.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    articles = decoding_speed.random_articles(2, encoder)
    assert [len(article.encoding) for article in articles] == [decoding_speed.SOURCE] * 2
    assert [article.text for article in articles] == [
        article.text for article in decoding_speed.random_articles(2, encoder)
    ]


@pytest.mark.parametrize(
    "other",
    [Candidate("山", -1.0, -1.0, True), Candidate("水", -1.01, -1.0, True), Candidate("水", np.nan, -1.0, True)],
)
def test_titles_that_differ_are_an_error(other):
    expected = [Candidate("月", -3.0, -3.0, True), Candidate("水", -1.0, -1.0, True)]
    decoding_speed.check_equal([expected[0], Candidate("水", -1.0001, -1.0, True)], expected)
    decoding_speed.check_equal(expected[:1], expected)
    with pytest.raises(RuntimeError, match="depend on memory or batch"):
        decoding_speed.check_equal([expected[0], other], expected)


# The benchmark


@pytest.fixture
def measure(monkeypatch, built):
    """The benchmark, with the network that is already there."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(
        decoding_speed,
        "random_network",
        lambda layers, hidden_size: built if (layers, hidden_size) == (2, 24) else None,
    )
    with competition.inside(FOLDER):
        yield lambda: benchmark.main(
            ["decoding", "--titles", "2", "--layers", "2", "--hidden-size", "24", "--repeats", "1"]
        )


def test_the_benchmark(measure, capsys):
    speeds = measure()
    assert len(speeds) == 8 and all(speed > 0 for speed in speeds.values())
    lines = capsys.readouterr().out.splitlines()
    cases = ["batch 1, beam 1", "batch 32, beam 1", "batch 1, beam 3", "batch 32, beam 3"]
    assert len(lines) == 6 and [line[:16].strip() for line in lines[1:5]] == cases
    ratio = speeds["cached, batch 32, beam 3"] / speeds["plain, batch 1, beam 3"]
    assert lines[4].endswith(f" {ratio:.1f}") and lines[5].endswith(f" {ratio:.1f} with beam 3 (target 10)")


def test_titles_that_depend_on_the_memory_stop_the_benchmark(measure, monkeypatch, built):
    flat = np.full((1, len(built[1].tokenizer)), -9.0)
    monkeypatch.setattr(decoding_speed.WithoutMemory, "step", lambda model, state, tokens: (flat, state))
    with pytest.raises(RuntimeError, match="depend on memory or batch"):
        measure()


def test_a_width_that_does_not_fit(capsys):
    with pytest.raises(SystemExit, match="2"):
        benchmark.main(["decoding", "--hidden-size", "100"])
    assert "--hidden-size 100: must be a multiple of its 12 attention heads" in capsys.readouterr().err
