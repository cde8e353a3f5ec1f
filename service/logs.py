"""One JSON object a line: a fixed event word and fields, never row contents or secrets."""

import logging
import sys

import structlog

#: Below ERROR these log URLs with their query strings, which hold signatures.
_LOGS_URLS = ("urllib3", "botocore", "boto3", "s3transfer")


def configure_logs(level: str) -> None:
    """Send structlog's events, and those of the libraries, to standard error as JSON lines."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    line_handler = logging.StreamHandler(sys.stderr)
    line_handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    for name in _LOGS_URLS:
        logging.getLogger(name).setLevel(logging.ERROR)
    root = logging.getLogger()
    root.handlers[:] = [line_handler]
    root.setLevel(level)
