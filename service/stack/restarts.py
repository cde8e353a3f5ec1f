"""When a part that ended by itself is started again, and when the supervisor gives up on it."""

from collections import deque
from dataclasses import dataclass, field

LIMIT = 5
WINDOW_SECONDS = 60.0
FIRST_SECONDS = 0.5
LONGEST_SECONDS = 8.0


@dataclass(slots=True)
class Restarts:
    """The recent ends of one part. Times are seconds of any steady clock."""

    ended_at: deque[float] = field(default_factory=lambda: deque(maxlen=LIMIT))
    _delay_seconds: float = FIRST_SECONDS

    def note_end(self, now: float) -> float | None:
        """Seconds to wait before the next start: 0.5, doubling to 8, from 0.5 again after a quiet minute.

        None at the fifth end within a minute: give up.
        """
        if self.ended_at and now - self.ended_at[-1] > WINDOW_SECONDS:
            self._delay_seconds = FIRST_SECONDS
        self.ended_at.append(now)
        if len(self.ended_at) == LIMIT and now - self.ended_at[0] <= WINDOW_SECONDS:
            return None
        delay_seconds = self._delay_seconds
        self._delay_seconds = min(delay_seconds * 2, LONGEST_SECONDS)
        return delay_seconds
