"""What measures `--pretrained`: the same small network in both formats, and the figures of a process for each."""

import sys

import numpy as np

import competition

sys.path.insert(0, str(competition.ROOT / "scripts"))
import benchmark  # noqa: E402
import checkpoint_loading  # noqa: E402


def test_both_formats_are_the_same_network_and_are_measured(monkeypatch, tmp_path):
    from common.encoders.checkpoint import read_checkpoint

    for name, value in {"_LAYERS": 1, "_SIZE": 12, "_INNER": 16, "_TOKENS": 30, "_POSITIONS": 8}.items():
        monkeypatch.setattr(checkpoint_loading, name, value)
    values = []
    for form in checkpoint_loading.FORMATS:
        (tmp_path / form).mkdir()
        checkpoint_loading.write(tmp_path / form, form)
        tensors = read_checkpoint(tmp_path / form).tensors
        values.append(dict(zip(sorted(tensors.shapes), tensors.read(sorted(tensors.shapes)))))
    assert len(values[0]) == 21 and values[0].keys() == values[1].keys()
    assert all(np.array_equal(values[0][name], values[1][name]) for name in values[0])
    figures = checkpoint_loading.measure(tmp_path / "safetensors")
    assert (
        figures["seconds"] > 0 and figures["file_bytes"] == (tmp_path / "safetensors/model.safetensors").stat().st_size
    )


def test_the_best_of_all_rounds_counts(monkeypatch, capsys):
    figures = iter(
        {"import_seconds": 3, "seconds": seconds, "cpu_seconds": 2, "file_bytes": 10**8, "added_bytes": 5 * 10**7}
        for seconds in (5, 4, 7, 8)
    )
    monkeypatch.setattr(checkpoint_loading, "write", lambda folder, form: None)
    monkeypatch.setattr(benchmark, "figures_of", lambda script, folder: next(figures))
    found = benchmark.main(["loading", "--repeats", "2"])
    assert found["safetensors, seconds"] == 4 and found["tensorflow, seconds"] == 7
    assert "50 MB" in capsys.readouterr().out
