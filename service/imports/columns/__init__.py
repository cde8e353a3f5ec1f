"""The fast path: the rows of a chunk as columns of text, judged and turned into values a column at a time.

It only decides which rows are *clean*: so plainly good that the row schema would load them to the same
values. Every other row is read and loaded one by one, for its exact values or its exact error. So a
rule is allowed to be stricter here than in the schema, never looser.
"""
