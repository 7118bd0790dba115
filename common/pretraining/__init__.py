"""Pretraining: a masked language model on texts of any size, for the encoders that the contests start from.

`corpus` keeps the tokens of texts on disk, `masking` hides words of them, `model` is the network and its loss.
scripts/pretrain.py is the command.
"""
