"""The run directory (docs/architecture.md): what it holds, how it is written, found, checked and continued.

    runs/<task>/<name>/
      config.json        every setting, package versions, fingerprints and counts of the data
      vocab.txt, ...     all else that predict.py needs: the run stands alone
      best.weights.h5    the weights of the best dev score
      last/state.h5      all that continuing exactly needs
      history.jsonl      one line per evaluation
      tensorboard/       curves
      dev_predictions.json, dev_errors.json

`common.runs.directory` and `common.runs.weights` do without TensorFlow; `common.runs.callbacks` needs it.
"""
