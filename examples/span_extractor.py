"""A span extractor: the sentence behind a question, and a softmax over its tokens for start and end of the answer.

python examples/span_extractor.py                      # from nothing
python examples/span_extractor.py --pretrained BERT    # from a checkpoint
"""

from collections import defaultdict

import numpy as np

from common.command_line import parse_flags, run
from common.decoders import best_spans
from common.encoders import build_encoder
from common.generators import pad, pad_features
from common.keras_compat import keras, prepare
from common.losses import batch_mean, masked_marginal_cross_entropy

from fine_tuning import SEED, Config, defaults, fit, read_sample, read_text


def read(name):
    """(question, sentence, its answers as characters [start, end)): who, when or what has a role in an event?"""
    found = defaultdict(set)
    for record in read_sample("lic2020_event_extraction", name):
        for event in record["event_list"]:
            for one in event["arguments"]:
                start = one["argument_start_index"]
                question = f"{event['event_type']}，{one['role']}："
                found[question, record["text"]].add((start, start + len(one["argument"])))
    return [(question, sentence, sorted(spans)) for (question, sentence), spans in found.items()]


def row_of(encoder, question, sentence, spans):
    """The tokens of both, which of them may be an answer, and where answers start and end."""
    encoding, arrays = read_text(encoder, question + sentence)
    starts, ends = encoding.offsets.T
    allowed = (starts >= len(question)) & (starts < ends)
    edges = np.zeros((len(encoding), 2), np.int8)
    for start, end in spans:
        edges[:, 0] |= allowed & (starts == len(question) + start)
        edges[:, 1] |= allowed & (ends == len(question) + end)
    return encoding, arrays, allowed, edges


def build_network(encoder):
    encoding = encoder.network()
    states, _ = encoding.output
    logits = keras.layers.Dense(2, name="edges")(keras.layers.Dropout(encoder.dropout)(states))
    return keras.Model(encoding.inputs, logits)


def loss(batch, logits):
    errors = [
        masked_marginal_cross_entropy(batch["edges"][..., side], logits[..., side], batch["allowed"]) for side in (0, 1)
    ]
    return [batch_mean("edge_loss", errors[0] + errors[1], batch["token_ids"])]


def collate(rows):
    _, arrays, allowed, edges = zip(*rows)
    return pad_features(arrays) | {"allowed": pad(allowed), "edges": pad(edges)}


def main(argv=None):
    config = parse_flags(Config, argv, defaults(epochs=12))
    train, dev = read("train.json"), read("dev.json")
    prepare(SEED, config.training.mixed_precision)
    encoder = build_encoder(config.encoder, [question + sentence for question, sentence, _ in train])
    network = build_network(encoder)
    fit(network, loss, [row_of(encoder, *example) for example in train], collate, config)

    rows = [row_of(encoder, *example) for example in dev]
    batch = collate(rows)
    logits = network.predict_on_batch({name: batch[name] for name in network.input_names})
    best = best_spans(logits[..., 0], logits[..., 1], batch["allowed"], max_length=30, count=1)
    right = 0
    for (question, sentence, spans), (encoding, *_), ((first, last, _),) in zip(dev, rows, best):
        start, end = (place - len(question) for place in encoding.char_span(first, last))
        right += (start, end) in spans
    print(f"{question}{sentence}\n  -> {sentence[start:end]}")
    print(f"exact answers to {len(dev)} questions about sentences that it has not seen: {right / len(dev):.4f}")
    return {"exact": right / len(dev)}


if __name__ == "__main__":
    run(main)
