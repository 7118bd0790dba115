"""Checkpoints as strangers publish them: other configs, vocabularies and names, damaged files, weights of other names,
shapes and types, and of NaN."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import numpy as np

from battery import Part, Tally
from battery.mutations import any_value, mutated, mutated_bytes
from workshop import Workshop

_PREFIX = "bert_model.ckpt"


class Checkpoints(Part):
    """A checkpoint must become a network or be refused, before what it asks for is allocated."""

    seconds = 20.0

    def __init__(self, folder: Path, workshop: Workshop):
        from tiny_checkpoint import write_checkpoint  # TensorFlow

        folder.mkdir()
        self.folder, self.good = folder, write_checkpoint(folder / "good")

    def attempt(self, generator: Random, tally: Tally) -> None:
        with tempfile.TemporaryDirectory(dir=self.folder) as home:
            folder = Path(home) / "checkpoint"
            shutil.copytree(self.good, folder)
            changes = generator.sample(_CHANGES, generator.choice((1, 1, 1, 2)))
            for change in sorted(changes, key=_CHANGES.index):
                change(folder, generator)
            what = " and ".join(change.__name__.strip("_").replace("_", " ") for change in changes)
            if tally.call(what, partial(built, folder), folder) and changes == [_not_finite]:
                tally.fault(what, "works, and should be refused")


def built(folder: Path) -> object:
    """The network of a checkpoint, as train.py builds it."""
    from common.encoders import build_encoder
    from common.options import EncoderOptions

    return build_encoder(EncoderOptions(pretrained=folder), ["人的"]).network()


# What is wrong


def _config(folder: Path, generator: Random) -> None:
    path = folder / "bert_config.json"
    path.write_bytes(mutated(path.read_bytes(), generator))


_VALUES = {
    "hidden_act": ("gelu_new", "GELU", "quick_gelu", 7, None, "eval", "", ["gelu"], "relu", "字" * 70_000),
    "model_type": ("bert", "albert", "gpt2", "roformer", 7),
    "num_hidden_layers": (300, 12, 10**6, 0, -1, "1", 1.0, 2),
    "hidden_size": (9, 10**9, 16, "8", 8.0, True),
    "vocab_size": (3, 10**9, 21128, "7", 0),
    "max_position_embeddings": (2, 10**9, 512, 65),
    "type_vocab_size": (0, 1, 16, 10**9, None),
    "embedding_size": (4, 128, "8"),
    "num_hidden_groups": (1, 2, "1"),
    "use_relative_position": (True, "yes"),
    "do_lower_case": (False, "no"),
    "attention_probs_dropout_prob": (0, 5, -1, float("nan"), "0.1"),
    **dict.fromkeys(
        ("_name_or_path", "name", "keep_tokens", "model", "checkpoint", "layers", "trainable"), ("bert", 7, [1])
    ),
}


def _setting(folder: Path, generator: Random) -> None:
    """One key of the config says something else, as those of other models do, or is not there."""
    path = folder / "bert_config.json"
    try:
        config = json.loads(path.read_bytes())
    except ValueError:  # another change was here before
        return
    if not isinstance(config, dict):
        return
    name = generator.choice([*_VALUES, *config])
    values = _VALUES.get(name, ()) + (any_value(config.get(name), generator),)
    config[name] = generator.choice(values)
    if generator.random() < 0.1:
        del config[name]
    path.write_text(json.dumps(config), "utf-8-sig" if generator.random() < 0.2 else "utf-8")


def _vocabulary(folder: Path, generator: Random) -> None:
    path = folder / "vocab.txt"
    tokens = path.read_bytes().split(b"\n")
    changes: tuple[Callable[[], bytes], ...] = (
        lambda: mutated_bytes(path.read_bytes(), generator),
        lambda: b"\n".join(generator.sample(tokens, len(tokens))),
        lambda: b"\n".join(tokens[: generator.randrange(len(tokens))]) + b"\n",
        lambda: b"\n".join([*tokens[:-1], generator.choice(tokens), b""]),
        lambda: b"\r\n".join(tokens),
        lambda: b"\n".join([*tokens[:-2], generator.choice(("字" * 70_000, "\x1b[31m", "##", " ", "A")).encode(), b""]),
        lambda: b"\n".join(tokens[:-1] + [f"[unused{number}]".encode() for number in range(3000)]),
    )
    path.write_bytes(generator.choice(changes)())


def _names(folder: Path, generator: Random) -> None:
    """Files under other names, more of them, or fewer."""
    prefix = generator.choice(
        ("model.ckpt-100000", "albert_model.ckpt", "electra_180g_base", "a.b", "模型", "[1]", "a b", "*")
    )
    for suffix in (".index", ".data-00000-of-00001"):
        source = folder / f"{_PREFIX}{suffix}"
        if generator.random() < 0.95:
            shutil.copyfile(source, folder / f"{prefix}{suffix}")
        if generator.random() < 0.6:
            source.unlink(missing_ok=True)
    if generator.random() < 0.4:
        paths = (prefix, f"/elsewhere/{prefix}", "../outside", "/etc/passwd", "\x1b[31m", "", 'a"b', "字" * 70_000)
        (folder / "checkpoint").write_text(f'model_checkpoint_path: "{generator.choice(paths)}"\n', "utf-8")
    if generator.random() < 0.3:
        (folder / "bert_config.json").rename(
            folder / generator.choice(("config.json", "bert_config_rbt3.json", "x.txt"))
        )
    if generator.random() < 0.1:
        (folder / "vocab.txt").rename(folder / "vocab_small.txt")


def _damage(folder: Path, generator: Random) -> None:
    path = generator.choice(sorted(folder.iterdir()))
    content = mutated_bytes(path.read_bytes(), generator)
    path.unlink()
    kind = generator.random()
    if kind < 0.8:
        path.write_bytes(content)
    elif kind < 0.9:
        path.mkdir()
    else:
        path.symlink_to(os.devnull)


def _tensors(folder: Path, generator: Random) -> None:
    """Weights of other names, shapes and types."""
    weights = _read(folder)
    name = generator.choice(sorted(weights))
    values = weights[name]
    changes: tuple[Callable[[], object], ...] = (
        lambda: weights.pop(name),
        lambda: weights.update({name + "x": weights.pop(name)}),
        lambda: weights.update({name.replace("bert/", "electra/"): weights.pop(name)}),
        lambda: weights.update({f"layer-1/{name}/.ATTRIBUTES/VARIABLE_VALUE": values}),
        lambda: weights.update({"字\x1b[31m" * 9000: values}),
        lambda: weights.update({name: values.astype(generator.choice((np.float64, np.float16, np.int32, bool)))}),
        lambda: weights.update({name: np.full(values.shape, b"text", object)}),
        lambda: weights.update(
            {name: generator.choice((values[None], values[:1], values[..., :1], values.sum(), values[:0]))}
        ),
    )
    generator.choice(changes)()
    _save(folder, weights)


def _not_finite(folder: Path, generator: Random) -> None:
    weights = _read(folder)
    names = sorted(name for name, values in weights.items() if values.dtype == np.float32 and values.size)
    values = weights[generator.choice(names)]
    values.flat[generator.randrange(values.size)] = generator.choice((np.nan, np.inf))
    _save(folder, weights)


def _read(folder: Path) -> dict[str, np.ndarray]:
    from common.keras_compat import tf

    reader = tf.train.load_checkpoint(str(folder / _PREFIX))
    return {name: np.array(reader.get_tensor(name)) for name in reader.get_variable_to_shape_map()}


def _save(folder: Path, weights: dict[str, np.ndarray]) -> None:
    from common.keras_compat import tf

    tf.raw_ops.SaveV2(
        prefix=str(folder / _PREFIX),
        tensor_names=list(weights),
        shape_and_slices=[""] * len(weights),
        tensors=list(weights.values()),
    )


_CHANGES: tuple[Callable[[Path, Random], None], ...] = (
    *(_tensors, _not_finite, _setting, _config, _vocabulary, _names, _damage),  # in the order in which they can be made
)
