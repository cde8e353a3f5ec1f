"""Connections: customers' own buckets, written and read with the credentials that they gave."""
