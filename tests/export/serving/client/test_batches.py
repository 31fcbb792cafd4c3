"""How pictures are grouped into requests."""

from hypothesis import given
from hypothesis import strategies as st

from yoto_tf.export.serving.client.batches import (
    MOST_PICTURES,
    MOST_PIXELS,
    by_size,
    for_each,
)

SIDES = st.sampled_from([16, 64, 2048, 5000])


@given(st.lists(st.tuples(SIDES, SIDES), max_size=60))
def test_every_picture_is_in_one_request_of_its_size(sizes):
    requests = list(by_size(sizes))
    places = [place for request in requests for place in request]
    assert sorted(places) == list(range(len(sizes)))
    for request in requests:
        [(height, width)] = {sizes[place] for place in request}
        assert len(request) <= MOST_PICTURES
        assert len(request) == 1 or len(request) * height * width <= MOST_PIXELS


def test_no_more_requests_than_are_needed():
    assert [len(request) for request in by_size([(64, 64)] * 40)] == [16, 16, 8]


def test_settings_are_for_all_or_for_each():
    assert for_each(2, {"a": 1, "b": [3, 4]}) == [{"a": 1, "b": 3}, {"a": 1, "b": 4}]
