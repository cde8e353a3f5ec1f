"""A rate limiter that counts in memory, in one window that never ends."""

from collections import Counter

from service.rate_limit import Allowance, RateLimiter


class CountingRateLimiter(RateLimiter):
    """Counts every request, or none while `away` is set."""

    def __init__(self) -> None:
        """Begin with nothing counted."""
        self.used: Counter[str] = Counter()
        self.away = False

    def count(self, caller: str, limit: int) -> Allowance | None:
        """See RateLimiter."""
        if self.away:
            return None
        self.used[caller] += 1
        used = self.used[caller]
        return Allowance(limit, max(0, limit - used), 60, exceeded=used > limit)
