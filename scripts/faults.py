"""Faults that somebody could well make, for mutation_check.py, each with the tests of the default suite that see it."""

from typing import NamedTuple


class Fault(NamedTuple):
    """`wrong` instead of `right`, which stands once in the file; `tests` are given to pytest."""

    name: str
    file: str
    right: str
    wrong: str
    tests: str


RELATION, CONTRACT, REFUSALS = (
    "lic2020_relation_extraction",
    "tests/test_contract.py",
    "tests/test_contract_refusals.py",
)

FAULTS = [
    # Batches, windows, offsets
    Fault(
        "the last batch of a prediction is lost",
        "common/generators.py",
        "return batches[::-1]",
        "return batches[:0:-1]",
        "tests/test_generators.py",
    ),
    Fault(
        "a batch of a prediction has more tokens than memory was meant for",
        "common/generators.py",
        "np.where(tokens <= batch_tokens, tokens, np.inf)",
        "tokens",
        "tests/test_generators.py",
    ),
    Fault(
        "the gradient of a convolution goes to the wrong side",
        "common/layers/gated_convolution.py",
        "tf.transpose(kernel[::-1], [0, 2, 1])",
        "tf.transpose(kernel, [0, 2, 1])",
        "tests/test_layers.py",
    ),
    Fault(
        "padding goes on in the state of an ON-LSTM",
        "common/layers/ordered_neurons_lstm.py",
        "tf.where(is_token, new_state, state)",
        "new_state",
        "tests/test_ordered_neurons_lstm.py",
    ),
    Fault(
        "both master gates of an ON-LSTM are summed up from the left",
        "common/layers/ordered_neurons_lstm.py",
        "reverse=not reverse",
        "reverse=reverse",
        "tests/test_ordered_neurons_lstm.py",
    ),
    Fault(
        "the gradient of an ON-LSTM stops at padding",
        "common/layers/ordered_neurons_lstm.py",
        " + of_state * (1 - is_token[time])",
        "",
        "tests/test_ordered_neurons_lstm.py",
    ),
    Fault(
        "dropconnect of an ON-LSTM goes on after training",
        "common/layers/ordered_neurons_lstm.py",
        "tf.convert_to_tensor(self.recurrent), training=training)",
        "tf.convert_to_tensor(self.recurrent), training=True)",
        "tests/test_ordered_neurons_lstm.py",
    ),
    Fault(
        "dropout does not scale what it keeps",
        "common/layers/dropout.py",
        " * (1 / (1 - rate)))",
        ")",
        "tests/test_layers.py",
    ),
    Fault(
        "the rest of a word is looked up as its beginning",
        "common/tokenizers/character_table.py",
        'prefix = "##" if start else ""',
        'prefix = ""',
        "tests/test_character_table.py",
    ),
    Fault(
        "a seed is ignored in the order of training",
        "common/generators.py",
        "default_rng((seed, epoch))",
        "default_rng((0, epoch))",
        "tests/test_generators.py",
    ),
    Fault(
        "answers of a batch are out of order",
        "competitions/nl2sql/decode.py",
        "for number, index in enumerate(batch):",
        "for number, index in enumerate(sorted(batch)):",
        f"{CONTRACT} -k nl2sql",
    ),
    Fault(
        "what a batch says is given to other rows",
        "common/prediction.py",
        "zip(batch, outputs.numpy())",
        "zip(sorted(batch), outputs.numpy())",
        "tests/test_prediction.py",
    ),
    Fault(
        "padding is left on an answer",
        "common/prediction.py",
        'values[: len(rows[index]["token_ids"])]',
        "values",
        "tests/test_prediction.py",
    ),
    Fault(
        "offsets are shifted by one",
        "common/tokenizers/wordpiece.py",
        "normalized.ends[ranges[:, 1] - 1]], axis=1)",
        "normalized.ends[ranges[:, 1] - 1] - 1], axis=1)",
        "tests/test_tokenizers.py",
    ),
    Fault(
        "windows do not overlap",
        "common/tokenizers/windows.py",
        "step = room - min(overlap, room // 2)",
        "step = room",
        "tests/test_windows.py",
    ),
    Fault(
        "a text's last window is missing",
        "common/tokenizers/windows.py",
        "while starts[-1] + room < length:",
        "while starts[-1] + room + 1 < length:",
        "tests/test_windows.py",
    ),
    Fault(
        "examples of one text are in two folds",
        "common/folds.py",
        "return firsts[components].tolist()",
        "return list(range(len(shared)))",
        "tests/test_folds.py",
    ),
    # Networks and training
    Fault(
        "an attention sees padding",
        "common/layers/softmax.py",
        "tf.where(mask, tf.cast(scores, tf.float32), _HIDDEN)",
        "tf.cast(scores, tf.float32)",
        "tests/test_encoders.py",
    ),
    Fault(
        "a convolution sees padding",
        "common/layers/gated_convolution.py",
        "values * gates) * token_mask",
        "values * gates)",
        "tests/test_layers.py",
    ),
    Fault(
        "padding counts in a loss",
        "common/losses.py",
        "tf.reduce_sum(mask), tuple(distributions)",
        "tf.reduce_sum(tf.ones_like(mask)), tuple(distributions)",
        "tests/test_losses.py",
    ),
    Fault(
        "averaged weights are not swapped back",
        "common/optimizers/swapping.py",
        "zip(variables, before)",
        "zip((), before)",
        "tests/test_optimizers.py",
    ),
    Fault(
        "the best weights are not the averaged ones",
        "common/runs/callbacks.py",
        'with getattr(self.model, "averaged_weights", contextlib.nullcontext)():',
        "with contextlib.nullcontext():",
        "tests/test_runs.py",
    ),
    Fault(
        "rows that stand still are left out of the average",
        "common/optimizers/moving_average.py",
        "return kept * averages + (1 - kept) * weights",
        "return averages",
        "tests/test_lazy_adam.py",
    ),
    Fault(
        "FGM leaves embeddings where it moved them",
        "common/optimizers/adversarial.py",
        "            _assign(table, rows, before)\n",
        "            pass\n",
        "tests/test_training_model.py",
    ),
    Fault(
        "accumulation takes the mean of unequal batches",
        "common/generators.py",
        "total = np.sum([",
        "total = np.mean([",
        "tests/test_training_model.py",
    ),
    Fault(
        "bfloat16 counts to 256",
        "common/keras_compat.py",
        'registered["type"] = gradient',
        "pass",
        "tests/test_mixed_precision.py -k biases",
    ),
    Fault(
        "dropout goes on where the last epoch ended",
        "common/runs/callbacks.py",
        "seed_layers(self.model, self.seed, epoch)",
        "pass",
        "tests/test_runs.py -k resumed",
    ),
    # Decoders and metrics
    Fault(
        "a beam loses finished titles",
        "common/decoders/beam.py",
        "np.where(done, np.inf, on_grid(totals))",
        "totals",
        "tests/test_autoregressive_decoders.py",
    ),
    Fault(
        "a path begins with any label",
        "common/decoders/viterbi.py",
        "scores[:1, :, starts] = emissions[:, :1, starts].swapaxes(0, 1)",
        "scores[:1] = emissions[:, :1].swapaxes(0, 1)",
        "tests/test_decoders.py",
    ),
    Fault(
        "what overlapping passages say is not summed",
        "competitions/webqa_dgcnn/decode.py",
        "v**settings.exponent for v",
        "v for v",
        "tests/test_webqa_dgcnn_model.py",
    ),
    Fault(
        "a metric is rounded too early",
        "common/metrics.py",
        "precision = correct_predictions / predicted if predicted",
        "precision = round(correct_predictions / predicted, 2) if predicted",
        "tests/test_metrics.py",
    ),
    Fault(
        "accuracy is rounded",
        "competitions/nl2sql/metric.py",
        "return count / self.questions if",
        "return round(count / self.questions, 2) if",
        "tests/test_nl2sql_task.py",
    ),
    Fault(
        "a score is measured on what it was chosen on",
        "common/dev_search.py",
        "halves != half].sum(0)",
        "halves == half].sum(0)",
        "tests/test_dev_search.py",
    ),
    Fault(
        "a query may write",
        "competitions/nl2sql/execution.py",
        "    return sqlite3.SQLITE_DENY",
        "    return sqlite3.SQLITE_OK",
        "tests/test_nl2sql_execution.py",
    ),
    # Runs
    Fault(
        "the state is written before the weights",
        "common/runs/callbacks.py",
        "            self.history.append(entry)\n",
        "            self.history.append(entry)\n            self._save_state()\n",
        "tests/test_runs.py -k killed",
    ),
    Fault(
        "the optimizer starts anew in a resumed run",
        "common/runs/callbacks.py",
        'restore(optimizer_state(model), state, "optimizer")',
        "pass",
        "tests/test_runs.py -k resumed",
    ),
    Fault(
        "a file is written in place",
        "common/submission.py",
        'temporary = path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(4)}-{path.name}")',
        "temporary = path",
        "tests/test_submission.py",
    ),
    Fault(
        "a run of other data is continued",
        "common/runs/directory.py",
        'for key in ("sha256", "fold", "num_folds")',
        "for key in ()",
        f"{REFUSALS} -k {RELATION}",
    ),
    Fault(
        "a run tells where its owner lives",
        "common/runs/values.py",
        'return "~" + text[len(home) :] if',
        "return text if",
        f"{CONTRACT} -k {RELATION}",
    ),
    # What users do wrong
    Fault(
        "a refused flag is accepted",
        "common/options.py",
        "if self.fold > (self.num_folds or DEFAULT_FOLDS):",
        "if False:",
        f"{REFUSALS} -k {RELATION}",
    ),
    Fault(
        "a traceback instead of one line",
        "common/command_line.py",
        "        _exit_with_error(str(error))\n",
        "        raise\n",
        f"{REFUSALS} -k {RELATION}",
    ),
    Fault(
        "a message names the line before",
        "common/submission.py",
        'b""), start=1)',
        'b""), start=0)',
        f"{REFUSALS} -k {RELATION}",
    ),
    Fault(
        "a run of another contest is taken",
        "common/runs/directory.py",
        "    if found != task:",
        "    if False:",
        f"{REFUSALS} -k {RELATION}",
    ),
    Fault(
        "prediction looks at labels",
        f"competitions/{RELATION}/predict.py",
        "labelled=False",
        "labelled=True",
        f"{CONTRACT} -k {RELATION}",
    ),
    Fault(
        "a run is predicted with weights it never had",
        f"competitions/{RELATION}/predict.py",
        "    load_best(trained, network.training)\n",
        "",
        f"{CONTRACT} -k {RELATION}",
    ),
    Fault(
        "a blank line is an example", "common/submission.py", "if text.strip():", "if True:", "tests/test_submission.py"
    ),
    # Pretraining, and what is taken from it
    Fault(
        "parts of words are hidden",
        "common/pretraining/masking.py",
        "begins = np.isin(positions, _BEGINS) | (",
        "begins = (positions > 0) | (",
        "tests/test_pretraining_masking.py",
    ),
    Fault(
        "the word around a hidden token is told",
        "common/pretraining/masking.py",
        "name: np.where(replaced, masks.unknown[name], values) if name in masks.unknown else values",
        "name: values",
        "tests/test_pretraining_masking.py",
    ),
    Fault(
        "each pass cuts the texts at the same places",
        "common/pretraining/rows.py",
        "begin = generator.integers(self._room)",
        "begin = 0",
        "tests/test_pretraining_masking.py",
    ),
    Fault(
        "a light encoder begins without what it was pretrained to",
        "common/encoders/light.py",
        "        if self.pretrained:",
        "        if False:",
        "tests/test_pretraining.py -k begins",
    ),
    # Trees
    Fault(
        "a word stands before what comes after it, and not in a bracket with it",
        "common/analysis/trees.py",
        "for bracket in ((start, end), (word, end))",
        "for bracket in ((start, end), (word + 1, end))",
        "tests/test_trees.py",
    ),
    Fault(
        "words that do not stand together are a bracket",
        "common/analysis/trees.py",
        "if count > 1 and end - one + 1 == count}",
        "if count > 1}",
        "tests/test_trees.py",
    ),
    Fault(
        "the bracket of the whole sentence counts",
        "common/analysis/trees.py",
        "expected - {(0, length)}, brackets - {(0, length)}",
        "expected, brackets",
        "tests/test_trees.py",
    ),
    Fault(
        "a word has the distance of the word before it",
        "scripts/tree_network.py",
        "values[1 : len(rows[index]) - 1]",
        "values[: len(rows[index]) - 2]",
        "tests/test_learn_trees.py -k distances",
    ),
    Fault(
        "lines that are held out are trained on",
        "scripts/tree_texts.py",
        "        else:\n            train += map(vocabulary.row, parts)",
        "        train += map(vocabulary.row, parts)",
        "tests/test_learn_trees.py -k held_out",
    ),
    Fault(
        "a matrix of the hub stays as it is written there",
        "common/encoders/hub_names.py",
        '_DENSE = {"weight": ("/kernel", True)',
        '_DENSE = {"weight": ("/kernel", False)',
        "tests/test_checkpoint_families.py",
    ),
    Fault(
        "a flag has no help",
        "common/options.py",
        '    """Folder of all runs: a run is kept in OUTPUT_DIR/TASK/RUN_NAME."""\n',
        "",
        f"{CONTRACT} -k {RELATION}",
    ),
    Fault(
        "a script loads TensorFlow to show its help",
        f"competitions/{RELATION}/predict.py",
        "from decode import Predictor",
        "import common.keras_compat\nfrom decode import Predictor",
        "tests/test_contract_processes.py -k help",
    ),
]
