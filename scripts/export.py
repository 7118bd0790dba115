"""Take a trained run to programs that know nothing of this repository.

python scripts/export.py runs/TASK/NAME --format hub --output FOLDER           # its BERT, for transformers and --pretrained
python scripts/export.py runs/TASK/NAME --format tensorflow --output FOLDER    # its BERT, for bert4keras and --pretrained
python scripts/export.py runs/TASK/NAME --format savedmodel --output FOLDER    # its whole network as a graph
python scripts/export.py runs/TASK/NAME --format tflite --output FOLDER        # the same for TensorFlow Lite

What was written is loaded and compared with the run before the folder appears under its name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from common.command_line import UserError, parse_flags, run
from common.encoders import Encoder, load_encoder
from common.new_folder import check_new, new_folder
from common.process import start_tensorflow
from common.runs.directory import PRETRAINING, Run, check_trained, open_run

from contest_folders import CONTEST_NAMES

#: What stands in place of the code for families that transformers 5 does not compute.
NOT_IN_TRANSFORMERS = {
    "nezha": "transformers has NEZHA up to its version 4 only; --pretrained {0} reads it here",
    "roformer_v2": "transformers has no RoFormer without biases; --pretrained {0} reads it here",
}


@dataclass
class Config:
    """Export the BERT of a trained run, or its whole network."""

    run: Annotated[Path, tyro.conf.Positional]
    """Run directory of any contest, or of scripts/pretrain.py."""
    format: Literal["hub", "tensorflow", "savedmodel", "tflite"]
    """hub and tensorflow: a checkpoint of the encoder, which must be a BERT. savedmodel and tflite: the network, from all
    of its inputs to all of its outputs; savedmodel also from plain text, if the encoder is a BERT; tflite of a network
    that reads more than text: the encoder alone."""
    output: Path
    """Folder to be made."""


def main(argv: Sequence[str] | None = None) -> dict[str, Any]:
    """Writes the folder; returns `output`, and the largest `difference` of what was loaded again."""
    config = parse_flags(Config, argv)
    check_new(config.output)
    trained = check_trained(open_run(config.run, *CONTEST_NAMES, PRETRAINING))

    start_tensorflow()  # now that flags and files have been looked at
    from common.keras_compat import set_precision

    set_precision("no")
    encoder = load_encoder(trained.path)
    with new_folder(config.output) as folder:
        difference, load = WRITERS[config.format](trained, encoder, folder)
    for path in sorted(path for path in config.output.rglob("*") if path.is_file()):
        print(f"{path}  {path.stat().st_size:,} bytes")
    print(f"loaded again: the largest difference of an output is {difference:.1e}")
    print(f"elsewhere: {load.format(config.output)}")
    return {"output": config.output, "difference": difference}


def write_checkpoint(trained: Run, encoder: Encoder, folder: Path, kind: str) -> tuple[float, str]:
    """The BERT of a run as a checkpoint. Returns how far what was read from it again is from the run, and the code that
    loads it elsewhere."""
    from common.encoders.bert import BertEncoder
    from common.encoders.saving import save_checkpoint
    from common.exporting.checks import check_checkpoint, watched
    from common.exporting.hub import save_hub

    from run_networks import network_of

    if not isinstance(encoder, BertEncoder):
        raise UserError(
            f"--format {kind}: the encoder of {trained.path} is a light one, and a checkpoint is of a BERT - take --format savedmodel or tflite"
        )
    transformers = watched(encoder, "transformer")
    network_of(trained, encoder)
    transformer = transformers[0]
    if len(transformers) > 1:
        print(f"{trained.path} has {len(transformers)} encoders: this is the first of them")
    if encoder.attention.kind != "full":
        print(
            f"a checkpoint does not say which tokens see each other: give --attention {encoder.attention.kind} again with --pretrained, and know that other programs let all see all"
        )
    (save_hub if kind == "hub" else save_checkpoint)(encoder, transformer, folder)
    difference = check_checkpoint(encoder, transformer, folder)
    if kind == "hub":
        return difference, NOT_IN_TRANSFORMERS.get(encoder.model, 'transformers.AutoModel.from_pretrained("{0}")')
    model = "" if encoder.model == "bert" else f', model="{encoder.model}"'
    names = f'"{{0}}/bert_config.json", "{{0}}/bert_model.ckpt"{model}'
    return difference, f"bert4keras.models.build_transformer_model({names})"


def write_saved_model(trained: Run, encoder: Encoder, folder: Path) -> tuple[float, str]:
    """The network of a run and its vocabularies. Returns the same."""
    from common.encoders.bert import BertEncoder
    from common.exporting.checks import check_saved_model, watched
    from common.exporting.graphs import NETWORK, TEXTS, Graph
    from common.exporting.text import TextReader

    from run_networks import network_of

    pairs, all_networks = (watched(encoder, method) for method in ("pair_network", "network"))
    network = network_of(trained, encoder)
    of_pairs = 0 < len(pairs) == len(all_networks)  # a BERT reads a pair by the network for a text
    encoder.save(folder)
    reader = TextReader(encoder.tokenizer, encoder.max_length) if isinstance(encoder, BertEncoder) else None
    signatures = Graph(network, reader, of_pairs).save(folder)
    print(f"signatures: {', '.join(signatures)}")
    if reader is None:
        print("ids only, no text: a light encoder reads the words that jieba finds, which no graph can")
    else:
        print("texts have the ids of our tokenizer, save for a capital sigma at the end of a word, and rare marks")
    if reader is not None and TEXTS not in signatures:
        print(f"no text to outputs: the network also reads {', '.join(sorted(others_of(network, encoder)))}")
    difference = check_saved_model(network, encoder, of_pairs, folder)
    best = TEXTS if TEXTS in signatures else NETWORK
    return difference, f'tensorflow.saved_model.load("{{0}}").signatures["{best}"]'


def write_lite(trained: Run, encoder: Encoder, folder: Path) -> tuple[float, str]:
    """The network of a run, or its encoder where the network reads more than that, and its vocabularies. Returns the
    same."""
    from common.encoders.bert import BertEncoder
    from common.exporting.checks import check_lite, network_of_transformer, watched
    from common.exporting.graphs import NETWORK, convert_to_lite

    from run_networks import network_of

    encoders = watched(encoder, "network")
    transformers = watched(encoder, "transformer") if isinstance(encoder, BertEncoder) else []
    network = network_of(trained, encoder)
    if others := others_of(network, encoder):
        print(f"the encoder alone: the network also reads {', '.join(sorted(others))}")
        network = encoders[0] if encoders else network_of_transformer(encoder, transformers[0])
    encoder.save(folder)
    content = convert_to_lite(network, encoder.max_length)
    (folder / "model.tflite").write_bytes(content)
    print(f"one text at a time, padded to {encoder.max_length} tokens; no select ops")
    difference = check_lite(network, encoder, content)
    return difference, f'tensorflow.lite.Interpreter("{{0}}/model.tflite").get_signature_runner("{NETWORK}")'


def others_of(network: Any, encoder: Encoder) -> set[str]:
    """What a network reads beside one text, or a question and a text."""
    from common.exporting.checks import pair_inputs

    return set(network.input_names) - set(pair_inputs(encoder))


WRITERS = {
    "hub": partial(write_checkpoint, kind="hub"),
    "tensorflow": partial(write_checkpoint, kind="tensorflow"),
    "savedmodel": write_saved_model,
    "tflite": write_lite,
}


if __name__ == "__main__":
    run(main)
