"""A relation extractor: subjects first, and then, given the states of one of them, the object of each predicate.

python examples/relation_extractor.py                      # from nothing
python examples/relation_extractor.py --pretrained BERT    # from a checkpoint
"""

from collections import defaultdict

import numpy as np

from common.command_line import parse_flags, run
from common.decoders import pair_starts_with_ends
from common.encoders import build_encoder
from common.generators import pad, pad_features
from common.keras_compat import keras, prepare, tf
from common.layers import ConditionalLayerNormalization
from common.losses import masked_mean, powered_sigmoid_cross_entropy

from fine_tuning import SEED, Config, defaults, fit, read_sample, read_text


def read(name):
    """(sentence, its triples of subject, predicate and object)."""
    records = read_sample("lic2020_relation_extraction", name)
    return [
        (record["text"], {(one["subject"], one["predicate"], one["object"]["@value"]) for one in record["spo_list"]})
        for record in records
    ]


def rows_of(encoder, predicates, sentence, triples):
    """A row for each subject: the tokens, the tags of all subjects, this one, and the tags of its objects."""
    encoding, arrays = read_text(encoder, sentence)
    subject_tags = np.zeros((len(encoding), 2), np.int8)
    object_tags = defaultdict(lambda: np.zeros((len(encoding), len(predicates), 2), np.int8))
    for subject, predicate, value in triples:
        spans = [encoding.token_span(start := sentence.find(name), start + len(name)) for name in (subject, value)]
        if None not in spans:
            (first, last), (value_first, value_last) = spans
            subject_tags[first, 0] = subject_tags[last, 1] = 1
            tags = object_tags[first, last][:, predicates.index(predicate)]
            tags[value_first, 0] = tags[value_last, 1] = 1
    return [(encoding, arrays, subject_tags, np.array(span), tags) for span, tags in object_tags.items()]


def build_networks(encoder, predicates):
    """For training, and the same weights in two steps: subjects, and objects given one of them."""
    encoding = encoder.network()
    states, residual = encoding.output
    subject_logits = keras.layers.Dense(2, name="subject_tags")(keras.layers.Dropout(encoder.dropout)(states))
    subject = keras.Input((2,), dtype="int32", name="subject")
    edges = tf.gather(residual, subject, batch_dims=1)
    state = ConditionalLayerNormalization()([residual, tf.concat([edges[:, 0], edges[:, 1]], -1)])
    state = keras.layers.Dense(2 * predicates, name="object_tags")(keras.layers.Dropout(encoder.dropout)(state))
    object_logits = keras.layers.Reshape((-1, predicates, 2))(state)
    return (
        keras.Model([*encoding.inputs, subject], {"subjects": subject_logits, "objects": object_logits}),
        keras.Model(encoding.inputs, tf.sigmoid(subject_logits) ** 2),
        keras.Model([*encoding.inputs, subject], tf.sigmoid(object_logits) ** 4),
    )


def loss(batch, logits):
    mask = batch["token_ids"] > 0
    subjects = powered_sigmoid_cross_entropy(batch["subject_tags"], logits["subjects"], 2)
    objects = powered_sigmoid_cross_entropy(batch["object_tags"], logits["objects"], 4)
    return [
        masked_mean("subject_loss", tf.reduce_mean(subjects, -1), mask),
        masked_mean("object_loss", tf.reduce_sum(tf.reduce_mean(objects, -1), -1), mask),
    ]


def collate(rows):
    _, arrays, subject_tags, subjects, object_tags = zip(*rows)
    return pad_features(arrays) | {
        "subject": np.array(subjects, np.int32),
        "subject_tags": pad(subject_tags),
        "object_tags": pad(object_tags),
    }


def triples_of(encoder, networks, predicates, sentence):
    _, subjects_of, objects_of = networks
    encoding, arrays = read_text(encoder, sentence)
    inputs = pad_features([arrays])
    found = set()
    for subject in spans_of(encoding, subjects_of.predict_on_batch(inputs)[0]):
        tags = objects_of.predict_on_batch(inputs | {"subject": np.array([subject], np.int32)})[0]
        for number, predicate in enumerate(predicates):
            for value in spans_of(encoding, tags[:, number]):
                words = [sentence[slice(*encoding.char_span(*span))] for span in (subject, value)]
                found.add((words[0], predicate, words[1]))
    return found


def spans_of(encoding, probabilities):
    """Each start above one half with the nearest end; [CLS] and [SEP] are neither."""
    starts, ends = (np.flatnonzero(column[1:-1] > 0.5) + 1 for column in probabilities.T)
    return pair_starts_with_ends(starts.tolist(), ends.tolist())


def main(argv=None):
    config = parse_flags(Config, argv, defaults(epochs=15))
    train, dev = read("train.json"), read("dev.json")
    predicates = sorted({predicate for _, triples in train for _, predicate, _ in triples})
    prepare(SEED, config.training.mixed_precision)
    encoder = build_encoder(config.encoder, [sentence for sentence, _ in train])
    networks = build_networks(encoder, len(predicates))
    rows = [row for example in train for row in rows_of(encoder, predicates, *example)]
    fit(networks[0], loss, rows, collate, config)

    found = [triples_of(encoder, networks, predicates, sentence) for sentence, _ in dev]
    right = sum(len(triples & gold) for triples, (_, gold) in zip(found, dev))
    f1 = 2 * right / max(1, sum(map(len, found)) + sum(len(gold) for _, gold in dev))
    print(f"{dev[0][0]}\n  -> {sorted(found[0])}")
    print(f"F1 of the triples of {len(dev)} sentences that it has not seen: {f1:.4f}")
    return {"f1": f1}


if __name__ == "__main__":
    run(main)
