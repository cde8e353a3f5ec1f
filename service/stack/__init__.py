"""The embedded stack: the servers and parts that `wharf up` starts, and the supervisor that keeps them running."""
