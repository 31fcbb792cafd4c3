"""The byte coder of each of the codec's networks; none of it needs the network."""

from yoto_tf.zoo.codec.coding.context_symbol_coding import ContextSymbolCoding
from yoto_tf.zoo.codec.coding.symbol_coding import (
    FactorizedSymbolCoding,
    HyperpriorSymbolCoding,
)

# {class of the network: its coder}: the same as the network's `coding.symbol_coding`.
BY_NETWORK = {
    "ContextHyperprior": ContextSymbolCoding,
    "FactorizedPrior": FactorizedSymbolCoding,
    "Hyperprior": HyperpriorSymbolCoding,
    "ResidualHyperprior": HyperpriorSymbolCoding,
}


def symbol_coding_of(release):
    """The `SymbolCoding` of a codec's `Release`."""
    return BY_NETWORK[release.config["class_name"]](release.tables)
