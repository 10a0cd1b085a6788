"""Events that only count are told at most once a second, all others always."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from leukemia_app.training.events import seldom


class Told:
    """Keeps what is told, at a time that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.report = seldom(self._keep, lambda: self.now)

    def _keep(self, kind: str, **numbers: Any) -> None:
        self.events.append((kind, numbers))


def test_steps_within_a_second_are_left_out_but_the_last_never_is():
    told = Told()
    for step, at in enumerate((0.0, 0.3, 0.9, 1.0, 1.5, 1.6), start=1):
        told.now = 100 + at
        told.report("step", step=step, steps=6)
    assert [numbers["step"] for _, numbers in told.events] == [1, 4, 6]


def test_each_kind_has_its_own_second_and_epochs_are_always_told():
    told = Told()
    told.report("features", done=1, total=9)
    told.report("step", step=1, steps=9)
    told.report("epoch", epoch=1)
    told.report("epoch", epoch=2)
    told.report("features", done=2, total=9)
    assert [kind for kind, _ in told.events] == ["features", "step", "epoch", "epoch"]


@given(st.lists(st.floats(0, 3), min_size=1, max_size=40))
def test_no_two_counted_events_but_the_last_lie_within_a_second(pauses):
    told, times = Told(), []
    for number, pause in enumerate(pauses, start=1):
        told.now += pause
        before = len(told.events)
        told.report("step", step=number, steps=len(pauses))
        if len(told.events) > before and number < len(pauses):
            times.append(told.now)
    assert all(later - earlier >= 1 for earlier, later in pairwise(times))
    assert told.events[-1][1]["step"] == len(pauses)
