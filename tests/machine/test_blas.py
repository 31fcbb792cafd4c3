import threading

from threadpoolctl import threadpool_info

from yoto_tf.machine.blas import single_threaded_blas


def threads_of_blas():
    return [
        library["num_threads"]
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]


def test_one_thread_inside_and_as_many_as_before_after():
    before = threads_of_blas()
    assert before
    with single_threaded_blas() as count:
        assert set(threads_of_blas()) == {1}
        assert count == max(before)
    assert threads_of_blas() == before


def test_blocks_do_not_overlap():
    """Overlapping ones would restore each other's limit, and leave it behind."""
    before, entered = threads_of_blas(), threading.Event()

    def other():
        with single_threaded_blas():
            entered.set()

    with single_threaded_blas():
        thread = threading.Thread(target=other)
        thread.start()
        assert not entered.wait(0.2)
    thread.join()
    assert entered.is_set()
    assert threads_of_blas() == before
