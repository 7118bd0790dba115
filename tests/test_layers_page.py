"""The layer of docs/layers.md, which people copy."""

import re
import runpy

import numpy as np
import pytest

from common.keras_compat import keras
from common.runs.weights import assign, load_arrays, named_values, save_arrays

import competition


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """What the example defines."""
    text = (competition.ROOT / "docs/layers.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    script = tmp_path_factory.mktemp("page") / "layer.py"
    script.write_text(example, "utf-8")
    return runpy.run_path(str(script))


def test_pooling_of_the_page(page):
    generator = np.random.default_rng(0)
    states, lengths = generator.normal(size=(3, 9, 8)).astype(np.float32) - 2, (9, 4, 1)
    mask = np.arange(9) < np.array(lengths)[:, None]
    layer = page["MaxMeanPooling"](4)
    layer(states, mask)
    layer.projection.bias.assign([5, 5, -9, -9])
    found = layer(states, mask).numpy()
    for text, length in enumerate(lengths):
        projected = states[text, :length] @ layer.projection.kernel.numpy() + layer.projection.bias.numpy()
        np.testing.assert_allclose(found[text], [*projected.max(0), *projected.mean(0)], rtol=1e-5)


def test_weights_of_the_layer_inside_are_trained_and_kept(page, tmp_path):
    model = page["model"]
    assert [tuple(weight.shape) for weight in model.trainable_weights] == [(8, 4), (4,), (8, 1), (1,)]
    save_arrays(tmp_path / "weights.h5", {"model": named_values(model.weights)})
    other = keras.models.clone_model(model)
    assign(other.weights, load_arrays(tmp_path / "weights.h5", "model"), tmp_path)
    inputs = np.ones((2, 5, 8), np.float32), np.ones((2, 5), np.int32)
    np.testing.assert_array_equal(other(inputs), model(inputs))
