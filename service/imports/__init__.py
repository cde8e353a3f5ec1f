"""Imports: a source becomes chunks, chunks become rows of an entity's table, and the rest is told row by row."""
