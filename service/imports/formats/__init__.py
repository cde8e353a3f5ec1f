"""What sources are made of: their encodings and layouts, where records begin and end, and the cells in them.

A source is opened (`opening`), found out (`detect`, `finder`), cut into chunks at the ends of records
(`boundaries`, `json_array`, `cutter`), and later read record by record (`read`).
"""
