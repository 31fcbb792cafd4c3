"""A picture that ends each worker is left out, and no other is."""

from yoto_tf.bulk.attempts import Attempts


def convert(attempts, block, poison, log):
    """As a worker does with a block; false if it dies."""
    is_careful = attempts.enter(block) > 1
    for key in block:
        if is_careful and not attempts.begin(key):
            log.append((key, "left out"))
            continue
        if key == poison:
            return False
        log.append((key, "converted"))
        if is_careful:
            attempts.end(key)
    attempts.leave(block)
    return True


def test_a_picture_that_ends_workers_is_found():
    attempts, lives = Attempts(), 0
    while True:
        log = []
        if convert(attempts, ("a", "b", "c"), "b", log):
            break
        lives += 1
    assert log == [("a", "converted"), ("b", "left out"), ("c", "converted")]
    assert lives == 3


def test_workers_that_die_for_other_reasons_cost_no_picture():
    attempts = Attempts()
    for _ in range(10):
        attempts.enter(("a", "b"))
    log = []
    assert convert(attempts, ("a", "b"), None, log)
    assert log == [("a", "converted"), ("b", "converted")]
    assert attempts.enter(("a", "b")) == 1
