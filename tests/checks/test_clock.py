"""One alarm for all steps of a run."""

import signal
import time

import pytest

from imgcif_core.checks.clock import Alarm, TimeUp

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the system has no timer of that kind")


def spin(seconds: float) -> None:
    """Compute for some time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_a_step_ends_when_its_time_is_used_up() -> None:
    with Alarm() as alarm:
        alarm.start(60.0)
        alarm.stop()
        # An earlier step with more time does not put off the end of this one.
        alarm.start(0.05)
        with pytest.raises(TimeUp, match=r"more than 0\.05 s"):
            spin(5.0)
        alarm.stop()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_short_steps_together_may_take_longer_than_one() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with Alarm() as alarm:
        for _ in range(6):
            alarm.start(0.08)
            spin(0.03)
            alarm.stop()
        # Between steps nothing rings.
        spin(0.1)
        alarm.start(None)
        spin(0.1)
    assert signal.getsignal(signal.SIGALRM) == before


def test_a_timer_of_somebody_else_is_left_alone() -> None:
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.15)
        with Alarm() as alarm:
            alarm.start(0.01)
            spin(0.05)
        assert not rung
        spin(0.2)
        assert rung
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_step_that_stopped_the_timer_leaves_a_limit_to_the_next_one() -> None:
    with Alarm() as alarm:
        alarm.start(60.0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        alarm.start(60.05)
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
        alarm.stop()
