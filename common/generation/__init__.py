"""Texts out of a language model that reads from left to right: GPT2_ML, from a checkpoint or from nothing.

`language_model` is the network and what belongs to it, `checkpoint` finds it in a folder, `decoding` writes with keys
and values kept, `writing` makes texts of prompts, `rows` and `loss` are what it is trained by. scripts/write_text.py and
scripts/train_writer.py are the commands. `steps` and `memory` serve other networks that write, too.
"""
