"""Damaged and forged input for whatever reads what strangers made.

    python -m tests.fuzz TARGET --minutes 10

tries inputs until the time is over or one breaks something. That one is made as small
as can be and kept in `seeds/TARGET/`, which the tests read from then on; they also try
some new ones each time. A target may return or raise a `YotoError`, in `SECONDS`; any
other end is a find.
"""
