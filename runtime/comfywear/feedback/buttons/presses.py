"""From edges of buttons to what people want: a vote when a button is let go, an undo when it is held. Pure."""

from __future__ import annotations

from dataclasses import dataclass

UNDO_KEY = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody pressed: a level, or None to take the last vote back."""

    level: int | None


UNDO = Wish(None)


@dataclass(slots=True)
class _Held:
    since_s: float
    let_go_s: float | None = None
    answered: bool = False


class Presses:
    """Follows the keys of one device; times are of one clock, in seconds, and do not run backwards.

    Args:
        long_press_s: A key held for so long means undo; 0 = never.
        debounce_s: Contacts that open and close again within so long did not open; shorter presses are no presses.
    """

    def __init__(self, long_press_s: float, debounce_s: float = 0.0) -> None:
        self._long_press_s = long_press_s
        self._debounce_s = debounce_s
        self._held: dict[int, _Held] = {}

    def edge(self, key: int, down: bool, at_s: float) -> list[Wish]:
        """A key (1…5, or `UNDO_KEY`) went down or up at `at_s`; returns what is now certain."""
        wishes = self.tick(at_s)
        held = self._held.get(key)
        if held is None:
            if down:
                self._held[key] = _Held(at_s)
        elif down:
            held.let_go_s = None  # it bounced
        elif held.let_go_s is None:
            held.let_go_s = at_s
            wishes += self.tick(at_s)
        return wishes

    def tick(self, now_s: float) -> list[Wish]:
        """What has become certain by `now_s`, in the order in which the keys went down."""
        wishes = []
        for key, held in list(self._held.items()):
            end_s = now_s if held.let_go_s is None else held.let_go_s
            if not held.answered and self._long_press_s and end_s - held.since_s >= self._long_press_s:
                held.answered = True  # and nothing more, however long it is held: it may be stuck
                wishes.append(UNDO)
            if held.let_go_s is not None and now_s - held.let_go_s >= self._debounce_s:
                del self._held[key]
                if not held.answered and end_s - held.since_s >= self._debounce_s:
                    wishes.append(UNDO if key == UNDO_KEY else Wish(key))
        return wishes

    def due_s(self) -> float | None:
        """When `tick` has something to say at the earliest; None while nothing is pressed that can say more."""
        times = [
            held.since_s + self._long_press_s if held.let_go_s is None else held.let_go_s + self._debounce_s
            for held in self._held.values()
            if held.let_go_s is not None or (self._long_press_s and not held.answered)
        ]
        return min(times, default=None)

    def forget(self) -> None:
        """Edges were lost: no key counts as held."""
        self._held.clear()
