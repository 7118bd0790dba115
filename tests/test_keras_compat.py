"""common/keras_compat: the right Keras, in silence, and random numbers that can be had again."""

import os
import subprocess
import sys

import numpy as np
import pytest

from common.keras_compat import keras, seed_everything, seed_layers, tf
from common.layers import GatedDilatedConvolution, IdDropout

from competition import ROOT


def fresh_python(code, *flags):
    """Runs `code` in a process that knows nothing of tf_keras yet."""
    environment = {name: value for name, value in os.environ.items() if name not in ("TF_KERAS", "TF_USE_LEGACY_KERAS")}
    environment["PYTHONPATH"] = str(ROOT)
    return subprocess.run(
        [sys.executable, *flags, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )


def test_bert4keras_finds_its_keras_and_nothing_is_written():
    done = fresh_python(
        "import os, tempfile\n"
        "from common.process import start_tensorflow\n"
        "tempfile._candidate_tempdir_list = list  # as where nothing can be written\n"
        "start_tensorflow()\n"
        "from common.keras_compat import keras, tf\n"
        "from bert4keras.backend import keras as bert_keras\n"
        "import tf_keras\n"
        "print(os.environ['TF_KERAS'], os.environ['TF_USE_LEGACY_KERAS'], keras is tf_keras)\n"
        "print(tf.keras.__name__.split('.')[0], bert_keras.__name__.split('.')[0])\n"
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "1 1 True"
    assert lines[1] == "tf_keras tf_keras"
    assert done.stderr == ""


def test_a_python_without_docstrings_is_refused():
    done = fresh_python("from common.process import start_tensorflow\nstart_tensorflow()", "-OO")
    assert done.stderr.splitlines()[-1].endswith("does not start without docstrings - leave it out")


def test_keras_3_that_came_first_is_named_in_one_line():
    done = fresh_python(
        "import tensorflow as tf\n"
        "tf.keras.layers.Dense(1)\n"
        "try:\n"
        "    import common.keras_compat\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("TensorFlow was imported before `common` and brought Keras 3")
    assert "Import `common.keras_compat` first" in done.stdout and done.stdout.count("\n") == 1


def noisy_model(rate=0.5):
    """Ids -> vectors through every layer of ours that draws, one of them inside a nested model."""
    inner_input = keras.Input((None, 8))
    inner = keras.Model(inner_input, keras.layers.Dropout(rate, name="inner_dropout")(inner_input), name="inner")
    ids = keras.Input((None,), dtype="int32")
    state = keras.layers.Embedding(50, 8, name="table")(IdDropout(rate, unknown=1, name="id_dropout")(ids))
    state = GatedDilatedConvolution(2, gate_dropout=rate, name="convolution")(inner(state), tf.ones_like(ids))
    return keras.Model(ids, keras.layers.Dropout(rate, name="last_dropout")(state))


IDS = np.arange(2, 42).reshape(2, 20)


def test_equal_seeds_give_equal_initial_weights_bit_for_bit():
    def weights(seed):
        seed_everything(seed)
        return (
            [weight.tobytes() for weight in noisy_model().get_weights()],
            np.random.random(),
            float(tf.random.uniform(())),
        )

    first, other = weights(3), weights(4)
    assert weights(3) == first
    assert all(one != another for one, another in zip(first, other))


def test_seeded_layers_drop_the_same_again():
    seed_everything(1)
    model = noisy_model()

    def run(seed, epoch):
        seed_layers(model, seed, epoch)
        return [model(IDS, training=True).numpy().tobytes() for _ in range(2)]

    first = run(1, 0)
    assert first[0] != first[1], "two steps of one epoch drop the same"
    assert run(1, 0) == first
    assert run(1, 1) != first
    assert run(2, 0) != first


def test_a_model_built_again_drops_the_same():
    def run():
        seed_everything(1)
        model = noisy_model()
        keras.layers.Dropout(0.5)(tf.ones((3, 3)), training=True)  # what else the program draws has no influence
        seed_layers(model, 7, 2)
        return model(IDS, training=True).numpy().tobytes()

    assert run() == run()


def test_layers_do_not_share_a_stream():
    seed_everything(1)
    inputs = keras.Input((1000,))
    model = keras.Model(inputs, [keras.layers.Dropout(0.5, name=name)(inputs) for name in ("one", "other")])
    seed_layers(model, 1, 0)
    one, other = model(np.ones((1, 1000)), training=True)
    assert np.mean(one.numpy() == other.numpy()) == pytest.approx(0.5, abs=0.1)


def test_seeding_layers_leaves_prediction_and_weights_alone():
    seed_everything(1)
    model = noisy_model()
    before = model(IDS, training=False).numpy(), model.get_weights()
    seed_layers(model, 1, 5)
    assert np.array_equal(model(IDS, training=False).numpy(), before[0])
    assert all(map(np.array_equal, model.get_weights(), before[1]))
