"""What `--pretrained` costs for a network of the size of BERT-base: a step of `benchmark.py loading`, in a process of its
own.

    python scripts/checkpoint_loading.py FOLDER

Reads the checkpoint in this folder into a network, as train.py does. The last line on stdout is a JSON object: seconds
of the import of TensorFlow and of all after it, seconds of the processor of that, and bytes: of the weights in the
folder, and held at most, beyond what was held before and those of the network.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from process_memory import peak, resident

_LAYERS, _SIZE, _INNER, _TOKENS, _POSITIONS = 12, 768, 3072, 21_128, 512
FORMATS = ("safetensors", "tensorflow")


def bert_of(folder: Path) -> Any:
    """Its network."""
    from common.encoders.bert import BertEncoder

    return BertEncoder.from_checkpoint(folder, _POSITIONS).network()


def measure(folder: Path, network_of: Callable[[Path], Any] = bert_of) -> dict[str, float]:
    """The figures of this process. network_of: what loads a network."""
    begun = time.perf_counter()
    from common.process import start_tensorflow

    start_tensorflow()
    import common.encoders.bert
    import common.encoders.transformers  # noqa: F401 - loaded before the clock starts, and with them bert4keras

    imported, busy, held = time.perf_counter(), time.process_time(), resident()
    network = network_of(folder)
    loaded, worked = time.perf_counter(), time.process_time()
    weights = sum(weight.numpy().nbytes for weight in network.weights)
    return {
        "import_seconds": imported - begun,
        "seconds": loaded - imported,
        "cpu_seconds": worked - busy,
        "file_bytes": max(path.stat().st_size for path in folder.iterdir()),
        "weight_bytes": weights,
        "added_bytes": peak() - held - weights,
    }


def write(folder: Path, form: str) -> None:
    """A BERT-base with random weights, in one of FORMATS."""
    generator = np.random.default_rng(0)
    tensors = {
        name: generator.normal(0, 0.02, shape).astype(np.float32) + name.endswith("gamma")
        for name, shape in _shapes().items()
    }
    config = {
        **{"hidden_size": _SIZE, "num_hidden_layers": _LAYERS, "num_attention_heads": 12, "intermediate_size": _INNER},
        **{"vocab_size": _TOKENS, "max_position_embeddings": _POSITIONS, "type_vocab_size": 2, "model_type": "bert"},
    }
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(chr, range(0x4E00, 0x4E00 + _TOKENS - 5))]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    if form == "safetensors":
        _write_safetensors(folder / "model.safetensors", tensors)
    else:
        from common.keras_compat import tf

        names = list(tensors)
        tf.raw_ops.SaveV2(
            prefix=str(folder / "bert_model.ckpt"),
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=list(tensors.values()),
        )


def _shapes() -> dict[str, tuple[int, ...]]:
    """Of all tensors, by Google's names."""
    rows = {"word_embeddings": _TOKENS, "position_embeddings": _POSITIONS, "token_type_embeddings": 2}
    shapes: dict[str, tuple[int, ...]] = {f"bert/embeddings/{name}": (count, _SIZE) for name, count in rows.items()}
    norms = ["bert/embeddings"]
    for layer in (f"bert/encoder/layer_{number}" for number in range(_LAYERS)):
        dense = {f"attention/self/{name}": (_SIZE, _SIZE) for name in ("query", "key", "value")}
        dense |= {"attention/output/dense": (_SIZE, _SIZE)}
        dense |= {"intermediate/dense": (_SIZE, _INNER), "output/dense": (_INNER, _SIZE)}
        for name, shape in dense.items():
            shapes |= {f"{layer}/{name}/kernel": shape, f"{layer}/{name}/bias": shape[1:]}
        norms += [f"{layer}/attention/output", f"{layer}/output"]
    return shapes | {f"{norm}/LayerNorm/{name}": (_SIZE,) for norm in norms for name in ("gamma", "beta")}


def _write_safetensors(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """Under the hub's names."""
    from safetensors.numpy import save_file

    endings = {
        "/kernel": ".weight",
        "/bias": ".bias",
        "/gamma": ".weight",
        "/beta": ".bias",
        "embeddings": "embeddings.weight",
    }
    renamed = {}
    for name, values in tensors.items():
        ending = next(ending for ending in endings if name.endswith(ending))
        hub = name.removesuffix(ending).replace("/layer_", "/layer/").replace("/", ".") + endings[ending]
        renamed[hub] = np.ascontiguousarray(values.T) if ending == "/kernel" else values
    save_file(renamed, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    print(json.dumps(measure(parser.parse_args().folder)))
