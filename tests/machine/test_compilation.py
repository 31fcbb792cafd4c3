import pytest
from keras import ops

from yoto_tf.machine.compilation import compiled, runs_here


def test_what_is_traced_knows_that_it_runs_here():
    seen = []

    @compiled
    def doubled(tensor):
        seen.append(runs_here())
        return 2 * tensor

    assert float(doubled(ops.convert_to_tensor(3.0))) == 6
    assert seen == [True]
    assert not runs_here()


def test_an_error_in_a_trace_leaves_nothing_behind():
    @compiled
    def broken(tensor):
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        broken(ops.convert_to_tensor(3.0))
    assert not runs_here()
