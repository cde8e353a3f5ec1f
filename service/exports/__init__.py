"""Exports: a table's rows, as they are at one moment, become an object in the bucket."""
