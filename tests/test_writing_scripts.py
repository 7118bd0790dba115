"""What measures writing: its speed with a memory and without, and the memory that loading takes."""

import sys

import numpy as np
import pytest

import competition

SCRIPTS = competition.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
from common.generation.decoding import CachedDecoder  # noqa: E402

import benchmark  # noqa: E402
import writer_loading  # noqa: E402
import writing_speed  # noqa: E402
from own_process import figures_of  # noqa: E402


@pytest.fixture(scope="module")
def built():
    return writing_speed.random_model(layers=1, hidden_size=24, length=20)


def test_the_benchmark(monkeypatch, capsys, built):
    monkeypatch.setattr(writing_speed, "random_model", lambda *shape: built if shape == (1, 24, 18) else None)
    monkeypatch.setattr(writing_speed, "BATCHES", (1, 3))
    monkeypatch.setattr(benchmark, "WRITTEN", 18)
    figures = benchmark.main(["writing", "--layers", "1", "--hidden-size", "24", "--repeats", "1"])
    assert figures.keys() == {f"{way}, batch {batch}" for way in ("cached", "plain") for batch in (1, 3)}
    ratio = figures["cached, batch 3"] / figures["plain, batch 3"]
    assert capsys.readouterr().out.splitlines()[-1].split()[-1] == f"{ratio:.1f}"


def test_a_memory_that_changes_a_text_stops_it(built):
    model, transformer = built
    prompts, plain = writing_speed.prompts_of(model, 2), writing_speed.PlainPass(transformer)
    found = writing_speed.write(CachedDecoder(transformer), model, prompts, 6)
    assert [len(one.tokens) for one in found] == [6, 6]
    writing_speed.check_equal(plain, prompts, found)
    with pytest.raises(RuntimeError, match="the memory changes a text"):
        writing_speed.check_equal(plain, prompts[::-1], found)


def test_both_formats_are_the_same_network(monkeypatch, tmp_path):
    monkeypatch.setattr(writer_loading, "_TOKENS", 30)
    networks = []
    for form in ("safetensors", "tensorflow"):
        (tmp_path / form).mkdir()
        writer_loading.write(tmp_path / form, form, layers=1, hidden_size=12)
        networks.append(writer_loading.network_of(tmp_path / form))
    for one, other in zip(*(network.get_weights() for network in networks), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_most_that_loading_takes_is_told(monkeypatch, capsys):
    rounds = iter([{"seconds": 2.0, "weight_bytes": 10**8, "added_bytes": bytes_} for bytes_ in (7e6, 5e6, 9e6, 8e6)])
    monkeypatch.setattr(writer_loading, "write", lambda *arguments: None)
    monkeypatch.setattr(benchmark, "figures_of", lambda script, folder: next(rounds))
    found = benchmark.main(["writer-loading", "--repeats", "2"])
    assert found["safetensors, added_bytes"] == 5e6 and found["tensorflow, added_bytes"] == 8e6
    assert "1.050" in capsys.readouterr().out


@pytest.mark.slow(reason="needs a gigabyte; weights are read one at a time, by what reads those of a BERT")
@pytest.mark.parametrize("form", ["safetensors", "tensorflow"])
def test_loading_holds_little_more_than_the_weights(form, tmp_path):
    """1.15 times the weights at most; of 878 MB here."""
    writer_loading.write(tmp_path, form, layers=16, hidden_size=1056)
    figures = figures_of("writer_loading.py", tmp_path)
    assert figures["weight_bytes"] > 3e8 and figures["added_bytes"] < 0.15 * figures["weight_bytes"]
