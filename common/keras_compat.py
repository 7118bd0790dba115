"""The one module that knows which Keras this is; everything else imports `keras` and `tf` from here.

bert4keras 0.11.5 runs on tf_keras (Keras 2) only, and needs both `TF_KERAS=1` and `TF_USE_LEGACY_KERAS=1` before
TensorFlow is imported (one alone ends in a RecursionError). Both are set here, so no user ever has to. Nothing else in
the process is changed by importing this; what changes it is a function below.

Random numbers: after `seed_everything` every layer draws from its own `tf.random.Generator`, whose state is a variable.
That is what lets `seed_layers` restart dropout at the beginning of each epoch, and so lets a resumed run equal an
uninterrupted one.
"""

import contextlib
import functools
import os
import zlib
from collections.abc import Iterator

os.environ["TF_KERAS"] = "1"
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import tensorflow as tf  # noqa: E402

_keras_name = tf.keras.__name__

if not _keras_name.startswith("tf_keras"):
    raise ImportError(
        "TensorFlow was imported before `common` and brought Keras 3; bert4keras needs tf_keras. "
        "Import `common.keras_compat` first, or export TF_KERAS=1 TF_USE_LEGACY_KERAS=1."
    )

import tf_keras as keras  # noqa: E402

__all__ = [
    "convert_no_code",
    "in_precision",
    "keras",
    "prepare",
    "seed_everything",
    "seed_layers",
    "set_precision",
    "tf",
]


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and TensorFlow, and ask TensorFlow for deterministic kernels. Call it before the network is
    built.

    Equal seeds then give equal weights bit for bit on a CPU, and on a GPU wherever TensorFlow has a deterministic
    kernel.
    """
    keras.backend.clear_session()
    keras.backend.experimental.enable_tf_random_generator()
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def set_precision(name: str) -> None:
    """What the layers made from now on compute in: "bfloat16" or "float16", with weights in float32 ("mixed precision",
    Micikevicius et al. 2018), or, by the name of "no", float32.

    Heads, losses, LSTMs, softmaxes and the statistics of normalisations stay in float32: TensorFlow's kernels for 16
    bits add up and exponentiate in 16 bits, where exponentials of usual scores are wrong by 7 % and a bfloat16 cannot
    count above 256 (measured on a CPU). This is a setting of the whole process.
    """
    if name != "no":
        _add_up_gradients_of_biases_in_float32()
    keras.mixed_precision.set_global_policy("float32" if name == "no" else f"mixed_{name}")


@contextlib.contextmanager
def in_precision(name: str) -> Iterator[None]:
    """`set_precision` for the layers made inside of the block."""
    before = keras.mixed_precision.global_policy()
    set_precision(name)
    try:
        yield
    finally:
        keras.mixed_precision.set_global_policy(before)


@functools.cache
def _add_up_gradients_of_biases_in_float32() -> None:
    """Where a network computes in 16 bits. TensorFlow adds up the gradient of a bias in the precision of the network,
    on a CPU one token after the other, and a bfloat16 cannot count above 256: the gradient is wrong by a third for
    4,096 tokens. Nothing changes in float32.

    Layers of Keras and bert4keras add their biases by `tf.nn.bias_add`, whose gradient can be replaced in TensorFlow's
    register only.
    """
    from tensorflow.python.framework import ops

    registered = ops.gradient_registry._registry["BiasAdd"]
    original = registered["type"]

    def gradient(op, received):
        if received.dtype not in (tf.bfloat16, tf.float16):
            return original(op, received)
        return received, tf.cast(original(op, tf.cast(received, tf.float32))[1], received.dtype)

    registered["type"] = gradient


def convert_no_code() -> None:
    """Keep autograph from parsing and rewriting the source of every layer that a network is built with: the same comes
    out, a third of a second later. It is for Python's `if` and `for` over tensors, which no training step here may have
    anyway (`TrainingModel.train_step` is not converted). For this thread, and not inside of a `tf.function`."""
    from tensorflow.python.autograph.core import ag_ctx

    ag_ctx._control_ctx().append(ag_ctx.ControlStatusCtx(ag_ctx.Status.DISABLED))


def prepare(seed: int, precision: str, devices: str | None = None) -> None:
    """What comes before a network that is trained: `seed_everything`, `set_precision`, and the devices of --devices, with
    those of other workers, where it can share its batches."""
    from common.devices import strategy_for

    strategy = strategy_for(devices) if devices else None  # workers find each other before anything is computed
    seed_everything(seed)
    set_precision(precision)
    if strategy is not None or tf.distribute.has_strategy():
        tf.distribute.experimental_set_strategy(strategy)  # at last: seeds begin a new graph, which has none


def seed_layers(model: keras.Model, seed: int, epoch: int) -> None:
    """Restart the random generator of every layer from (seed, epoch, layer name)."""
    for layer in model._flatten_layers():
        generator = getattr(getattr(layer, "_random_generator", None), "_generator", None)
        if generator is not None:
            generator.reset_from_seed(zlib.crc32(f"{seed}/{epoch}/{layer.name}".encode()))
