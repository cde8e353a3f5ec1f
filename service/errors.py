"""Every error that Wharf raises on purpose: a code for programs, a kind that says whose move it is, a message."""

from typing import Any, ClassVar

from schemas.vocabulary import ErrorKind


class WharfError(Exception):
    """An unexpected error occurred."""

    code: ClassVar[str] = "internal_error"
    kind: ClassVar[ErrorKind] = ErrorKind.FATAL

    def __init__(self, message: str | None = None, **details: Any) -> None:
        """Take the class's docstring as the message unless one is given; `details` go into the error body."""
        self.message = message or (type(self).__doc__ or "").strip().rstrip(".")
        self.details = details
        super().__init__(self.message)


class ValidationError(WharfError):
    """Invalid request format."""

    code = "validation_error"
    kind = ErrorKind.USAGE


class NotFoundError(WharfError):
    """Not found."""

    code = "not_found"
    kind = ErrorKind.USAGE


class UnauthorizedError(WharfError):
    """Unauthorized."""

    code = "unauthorized"
    kind = ErrorKind.USAGE


class PermissionDeniedError(WharfError):
    """insufficient permissions."""

    code = "permission_denied"
    kind = ErrorKind.USAGE


class ConflictError(WharfError):
    """The request conflicts with what is stored."""

    code = "already_exists"
    kind = ErrorKind.USAGE


class IdempotencyKeyReusedError(ConflictError):
    """This Idempotency-Key was used for another request; send a new key with a new body."""

    code = "idempotency_key_reused"


class RequestInHandError(WharfError):
    """A request with this Idempotency-Key is being done; try again."""

    code = "service_unavailable"
    kind = ErrorKind.TRANSIENT


class TooManyRequestsError(WharfError):
    """Too many requests with this API key; wait as long as Retry-After says."""

    code = "too_many_requests"
    kind = ErrorKind.USAGE


class NotImplementedYetError(WharfError):
    """This is not built yet."""

    code = "not_implemented"
    kind = ErrorKind.USAGE


class NotConfiguredError(NotImplementedYetError):
    """This is not configured here; ask the operator."""

    code = "not_configured"


class SourceRefusedError(WharfError):
    """The source cannot be imported; mend the file or the link and create a new task."""

    code = "source_refused"
    kind = ErrorKind.USAGE


class SourceChangedError(SourceRefusedError):
    """The stored bytes are no longer those that were fetched; upload the file again and create a new task."""

    code = "source_changed"


class SourceUnavailableError(WharfError):
    """The source could not be read; it is tried again."""

    code = "source_unavailable"
    kind = ErrorKind.TRANSIENT


class StoreUnavailableError(WharfError):
    """The object store did not answer as it should; it is tried again."""

    code = "store_unavailable"
    kind = ErrorKind.TRANSIENT


class StoreRefusedError(WharfError):
    """The object store refused the request; check its credentials, bucket and policy."""

    code = "store_refused"
    kind = ErrorKind.FATAL


class BucketRefusedError(StoreRefusedError):
    """The store behind a connection refused the request; check the connection's credentials, bucket and policy."""

    code = "bucket_refused"
    kind = ErrorKind.USAGE


class FencedError(WharfError):
    """Another attempt owns this work now, so nothing was written."""

    code = "fenced"
    kind = ErrorKind.FATAL


class ConfigurationError(WharfError):
    """The settings are not usable."""

    code = "configuration_error"
