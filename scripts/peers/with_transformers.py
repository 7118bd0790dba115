"""The side of PyTorch and the transformers library in a comparison: `generate` for titles, and a training step. Random
weights, a network of the size of the job."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from side import rows_of, serve


def titles(folder: Path, job: dict[str, Any]):
    """A BERT that writes on after the text, whose causal mask costs the same as that of a unilm."""
    import torch
    from transformers import BertConfig, BertLMHeadModel, BertTokenizerFast

    config = BertConfig.from_json_file(str(folder / "bert_config.json"))
    config.is_decoder = True
    model = BertLMHeadModel(config).eval()
    tokenizer = BertTokenizerFast(vocab=str(folder / "vocab.txt"), padding_side="left")
    parts = [[row["text"] for row in json.loads(path.read_text("utf-8"))] for path in rows_of(folder, job)]
    length, batch_size = job["title_length"], 32

    def work(number: int) -> int:
        texts = parts[number]
        for begin in range(0, len(texts), batch_size):
            given = tokenizer(
                texts[begin : begin + batch_size],
                max_length=job["length"],
                truncation=True,
                padding=True,
                return_tensors="pt",
            )
            with torch.inference_mode():
                found = model.generate(
                    **given,
                    num_beams=job["beam"],
                    min_new_tokens=length,
                    max_new_tokens=length,
                    do_sample=False,
                    pad_token_id=tokenizer.pad_token_id,
                    eos_token_id=tokenizer.sep_token_id,
                )
            assert found.shape[1] == given["input_ids"].shape[1] + length
            tokenizer.batch_decode(found[:, -length:], skip_special_tokens=True)
        return len(texts)

    return work


def training(folder: Path, job: dict[str, Any]):
    """A step of AdamW with clipped gradients, as the library's Trainer makes it."""
    import torch
    from transformers import BertConfig, BertForTokenClassification

    config = BertConfig.from_json_file(str(folder / "bert_config.json"))
    config.num_labels = job["labels"]
    model = BertForTokenClassification(config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, weight_decay=0.01, fused=True)
    rows = torch.from_numpy(np.load(folder / "rows.npy").astype(np.int64))

    def work(number: int) -> int:
        for tokens in rows:
            loss = model(input_ids=tokens, labels=tokens % job["labels"]).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        return len(rows)

    return work


def use_one_thread() -> None:
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)


if __name__ == "__main__":
    use_one_thread()
    serve({"titles": titles, "training": training})
