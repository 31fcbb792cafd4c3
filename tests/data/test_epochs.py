import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from yoto_tf.data.epochs import EpochOrders


@given(
    size=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 1),
    first=st.integers(0, 10**6),
    count=st.integers(0, 100),
)
def test_what_is_dealt_does_not_depend_on_what_was_dealt_before(
    size, seed, first, count
):
    whole = EpochOrders(size, seed).dealt(first, count)
    again = EpochOrders(size, seed)
    later = [again.dealt(first + place, 1)[0] for place in reversed(range(count))]
    assert later[::-1] == whole.tolist()


@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.integers(0, 1000))
def test_an_epoch_has_every_example_once(size, seed, epoch):
    dealt = EpochOrders(size, seed).dealt(epoch * size, size)
    assert sorted(dealt) == list(range(size))


def test_epochs_seeds_and_streams_have_orders_of_their_own():
    orders = [
        EpochOrders(100, *words)(epoch)
        for words in ((0,), (1,), (0, 2))
        for epoch in (0, 1)
    ]
    assert len(np.unique(orders, axis=0)) == 6
