"""The one module that knows which Keras this is; everything else imports `keras` and `tf` from here.

bert4keras 0.11.5 runs on tf_keras (Keras 2) only, and needs both `TF_KERAS=1` and `TF_USE_LEGACY_KERAS=1` before TensorFlow
is imported (one alone ends in a RecursionError). Both are set here, so no user ever has to.

Random numbers: every layer draws from its own `tf.random.Generator`, whose state is a variable. That is what lets
`seed_layers` restart dropout at the beginning of each epoch, and so lets a resumed run equal an uninterrupted one.
"""

import contextlib
import ctypes
import os
import sys
import tempfile
import zlib

os.environ["TF_KERAS"] = "1"
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@contextlib.contextmanager
def _quiet_standard_error():
    """Hold back what native libraries write to file descriptor 2; show it when the import inside fails."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _keep_freed_memory() -> None:
    """Have glibc keep what TensorFlow frees, instead of giving it back to the kernel and asking for it again at every step.

    Batches differ in length, so hardly any array fits where another one was, and each new page costs a fault and 4 KiB of zeros: measured in
    training, 180,000 faults a second and 40 % of all processor time, against 300 faults and 4 % with these settings. The process keeps
    its largest size until it ends. Other C libraries have no such settings, and are left alone.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL("libc.so.6").mallopt
        for parameter, value in ((_M_ARENA_MAX, 1), (_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_TOP_PAD, 2**28)):
            mallopt(parameter, value)


# From glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -2, -4, -8
_keep_freed_memory()

# TensorFlow's start-up chatter (no CUDA driver, oneDNN is on) is written before any log level counts.
with _quiet_standard_error():
    import tensorflow as tf

    _keras_name = tf.keras.__name__
    tf.config.list_physical_devices()

if not _keras_name.startswith("tf_keras"):
    raise ImportError(
        "TensorFlow was imported before `common` and brought Keras 3; bert4keras needs tf_keras. "
        "Import `common.keras_compat` first, or export TF_KERAS=1 TF_USE_LEGACY_KERAS=1."
    )

import tf_keras as keras  # noqa: E402

keras.backend.experimental.enable_tf_random_generator()

__all__ = ["keras", "tf", "seed_everything", "seed_layers", "set_precision"]


def seed_everything(seed: int) -> None:
    """Seed Python, numpy and TensorFlow, and ask TensorFlow for deterministic kernels.

    Equal seeds then give equal weights bit for bit on a CPU, and on a GPU wherever TensorFlow has a deterministic kernel.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def _add_up_gradients_of_biases_in_float32() -> None:
    """Where a network computes in 16 bits. TensorFlow adds up the gradient of a bias in the precision of the network, on a CPU one token after the
    other, and a bfloat16 cannot count above 256: the gradient is wrong by a third for 4,096 tokens. Nothing changes in float32.

    Layers of Keras and bert4keras add their biases by `tf.nn.bias_add`, whose gradient can be replaced in TensorFlow's register only.
    """
    from tensorflow.python.framework import ops

    registered = ops.gradient_registry._registry["BiasAdd"]
    original = registered["type"]

    def gradient(op, received):
        if received.dtype not in (tf.bfloat16, tf.float16):
            return original(op, received)
        return received, tf.cast(original(op, tf.cast(received, tf.float32))[1], received.dtype)

    registered["type"] = gradient


_add_up_gradients_of_biases_in_float32()


def set_precision(name: str) -> None:
    """What the layers made from now on compute in: "bfloat16" or "float16", with weights in float32 ("mixed precision", Micikevicius et al. 2018), or,
    by the name of "no", float32.

    Heads, losses, LSTMs, softmaxes and the statistics of normalisations stay in float32: TensorFlow's kernels for 16 bits add up and exponentiate in 16
    bits, where exponentials of usual scores are wrong by 7 % and a bfloat16 cannot count above 256 (measured on a CPU). This is a setting of the whole process.
    """
    keras.mixed_precision.set_global_policy("float32" if name == "no" else f"mixed_{name}")


def seed_layers(model: keras.Model, seed: int, epoch: int) -> None:
    """Restart the random generator of every layer from (seed, epoch, layer name)."""
    for layer in model._flatten_layers():
        generator = getattr(getattr(layer, "_random_generator", None), "_generator", None)
        if generator is not None:
            generator.reset_from_seed(zlib.crc32(f"{seed}/{epoch}/{layer.name}".encode()))
