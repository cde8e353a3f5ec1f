"""Reading a caller's file over HTTP, without being led to an address it must not reach."""
