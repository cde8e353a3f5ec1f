"""The Celery edge: messages in, calls of `service` out."""
