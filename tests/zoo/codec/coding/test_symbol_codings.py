import keras

from yoto_tf.zoo.codec import REGISTERED_NAMES
from yoto_tf.zoo.codec import codec as _registers_the_networks  # noqa: F401
from yoto_tf.zoo.codec.coding.symbol_codings import BY_NETWORK


def test_a_machine_without_networks_codes_as_one_with_them():
    registered = map(keras.saving.get_registered_object, REGISTERED_NAMES)
    coders = {network.__name__: network.coding.symbol_coding for network in registered}
    assert coders == BY_NETWORK
