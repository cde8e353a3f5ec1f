"""What tenants, environments and static keys may be called: their names become parts of object keys and headers."""

LONGEST_NAME = 100
NAME_RULE = (
    f"must have 1 to {LONGEST_NAME} printable characters, no '/' and no space at either end, and not be '.' or '..'"
)


def is_name(text: str) -> bool:
    """Whether the rule allows this name."""
    return (
        0 < len(text) <= LONGEST_NAME
        and text.isprintable()
        and text == text.strip()
        and "/" not in text
        # A client that tidies up paths would break the signature of a link.
        and text not in {".", ".."}
    )
