"""What tenants, environments and static keys may be called."""

import pytest

from service.names import is_name


@pytest.mark.parametrize(
    "name", ["a", "tenant_default", "Acme & Sons", "…", "日本", "x" * 100, "...", "a.b", "-", "sk:x"]
)
def test_names_may_be_what_people_write(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "x" * 101,
        "a/b",
        "/",
        ".",
        "..",
        " a",
        "a ",
        "a\n",
        "a\tb",
        "a\0",
        "a\x7f",
        "a\u2028b",
        "\u200b",
        "\udcff",
    ],
)
def test_names_may_not_break_keys_headers_or_terminals(name: str) -> None:
    assert not is_name(name)
