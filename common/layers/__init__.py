"""Keras layers shared by the contests."""

from common.layers.attention_patterns import atrous_attention, local_attention, sparse_attention
from common.layers.attention_pooling import AttentionPooling
from common.layers.conditional_normalization import ConditionalLayerNormalization
from common.layers.conditional_random_field import ConditionalRandomField
from common.layers.dropout import Dropout, drop_out
from common.layers.gated_convolution import GatedDilatedConvolution
from common.layers.global_pointer import EfficientGlobalPointer, GlobalPointer, text_mask
from common.layers.id_dropout import IdDropout
from common.layers.masks import mask_by_time
from common.layers.nystrom import nystrom_attention
from common.layers.ordered_neurons_lstm import OrderedNeuronsLSTM
from common.layers.relative_position import RelativePosition
from common.layers.softmax import masked_softmax

__all__ = [
    "AttentionPooling",
    "ConditionalLayerNormalization",
    "ConditionalRandomField",
    "Dropout",
    "EfficientGlobalPointer",
    "GatedDilatedConvolution",
    "GlobalPointer",
    "IdDropout",
    "OrderedNeuronsLSTM",
    "RelativePosition",
    "atrous_attention",
    "drop_out",
    "local_attention",
    "mask_by_time",
    "masked_softmax",
    "nystrom_attention",
    "sparse_attention",
    "text_mask",
]
