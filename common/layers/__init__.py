"""Keras layers shared by the contests."""

from common.layers.conditional_normalization import ConditionalLayerNormalization
from common.layers.gated_convolution import GatedDilatedConvolution
from common.layers.id_dropout import IdDropout
from common.layers.relative_position import RelativePosition

__all__ = ["ConditionalLayerNormalization", "GatedDilatedConvolution", "IdDropout", "RelativePosition"]
