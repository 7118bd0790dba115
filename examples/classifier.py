"""A sentence classifier: the state of [CLS], and one dense layer. What kind of event does the sentence tell?

python examples/classifier.py                      # from nothing
python examples/classifier.py --pretrained BERT    # from a checkpoint
"""

import numpy as np

from common.command_line import parse_flags, run
from common.encoders import build_encoder
from common.generators import pad_features
from common.keras_compat import keras, prepare
from common.losses import batch_mean

from fine_tuning import SEED, Config, defaults, fit, read_sample, read_text


def read(name):
    """(sentence, kind of its event), without the sentences that tell events of several kinds."""
    records = read_sample("lic2020_event_extraction", name)
    kinds = [(record["text"], {event["event_type"] for event in record["event_list"]}) for record in records]
    return [(text, *found) for text, found in kinds if len(found) == 1]


def build_network(encoder, kinds):
    encoding = encoder.network()
    states, _ = encoding.output
    logits = keras.layers.Dense(kinds, name="kinds")(keras.layers.Dropout(encoder.dropout)(states[:, 0]))
    return keras.Model(encoding.inputs, logits)


def loss(batch, logits):
    errors = keras.losses.sparse_categorical_crossentropy(batch["kind"], logits, from_logits=True)
    return [batch_mean("kind_loss", errors, batch["token_ids"])]


def collate(rows):
    return pad_features([arrays for _, arrays, _ in rows]) | {"kind": np.array([kind for *_, kind in rows])}


def main(argv=None):
    config = parse_flags(Config, argv, defaults(epochs=15, encoder="bert", layers=2))
    train, dev = read("train.json"), read("dev.json")
    kinds = sorted({kind for _, kind in train})
    prepare(SEED, config.training.mixed_precision)
    encoder = build_encoder(config.encoder, [text for text, _ in train])
    network = build_network(encoder, len(kinds))
    fit(network, loss, [(*read_text(encoder, text), kinds.index(kind)) for text, kind in train], collate, config)

    told = network.predict_on_batch(pad_features([read_text(encoder, text)[1] for text, _ in dev])).argmax(-1)
    right = np.mean([kinds[number] == kind for number, (_, kind) in zip(told, dev)])
    print(f"{dev[0][0]}\n  -> {kinds[told[0]]}")
    print(f"accuracy on {len(dev)} sentences that it has not seen: {right:.4f}  ({len(kinds)} kinds)")
    return {"accuracy": float(right)}


if __name__ == "__main__":
    run(main)
