"""What imports are asked through: the web app, and a server that callers' links lead to."""

from tests.integration.api.conftest import app, caller, new_caller, rate_limiter
from tests.integration.source.conftest import origin

__all__ = ["app", "caller", "new_caller", "origin", "rate_limiter"]
