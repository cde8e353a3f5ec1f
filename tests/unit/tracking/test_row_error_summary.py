"""What people are told about the rows that were refused."""

from service.tracking.row_errors import tell_refused_rows

NAME = "name is required and must not be blank"
EMAIL = 'email must be an address such as ann@example.com, not "anna@"'


def test_one_refused_row_is_told_in_one_sentence() -> None:
    assert tell_refused_rows(1, {"required": 1}, [(3, 4, NAME)]) == (
        "1 row refused (required 1). Row 3 (line 4): name is required and must not be blank"
    )


def test_the_first_rows_are_told_and_the_others_counted() -> None:
    first = [(17, 18, EMAIL), (20, 23, f"{NAME}, {EMAIL}")]
    assert tell_refused_rows(1200, {"invalid_email": 1150, "required": 50}, first) == (
        "1200 rows refused (invalid_email 1150, required 50). "
        'Row 17 (line 18): email must be an address such as ann@example.com, not "anna@"; '
        "Row 20 (line 23): name is required and must not be blank, "
        'email must be an address such as ann@example.com, not "anna@"; '
        "and 1198 rows more"
    )


def test_one_row_more_is_told_as_one() -> None:
    assert tell_refused_rows(2, {"required": 2}, [(3, 4, NAME)]).endswith("must not be blank; and 1 row more")


def test_a_message_that_is_too_long_is_cut_and_the_others_are_still_told() -> None:
    told = tell_refused_rows(2, {"inconsistent": 2}, [(1, 2, "x" * 5000), (2, 3, NAME)])
    assert told == f"2 rows refused (inconsistent 2). Row 1 (line 2): {'x' * 399}…; Row 2 (line 3): {NAME}"


def test_the_whole_text_has_a_limit_and_still_says_how_many_rows_there_are_more() -> None:
    first = [(10**15 + number, 10**15 + number, "x" * 5000) for number in range(5)]
    counts = {f"a_code_of_some_length_{number}": 10**15 for number in range(20)}
    told = tell_refused_rows(10**16, counts, first)
    assert len(told) == 2000
    assert told.startswith("10000000000000000 rows refused (a_code_of_some_length_0 1000000000000000, ")
    assert told.endswith("; and 9999999999999995 rows more")
