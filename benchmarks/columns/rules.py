"""The row rules as far as an engine needs them to tell that a row is clean; one that is not may still be good.

So each pattern may be narrower than the row schema's, and none repeats a group a counted number of times: the
lengths are compared apart. They match the whole cell, in linear time, in RE2 and in Rust's regex alike.
"""

KEY_CHARACTERS = 255
LENGTHS = {"address_city": 100, "address_state": 100, "address_postal_code": 20}
#: A cell that is no longer than this cannot have too long a part before or behind its @.
EMAIL_CHARACTERS = 63
EMAIL = r"^[A-Za-z0-9_+-]+(\.[A-Za-z0-9_+-]+)*@([A-Za-z0-9]+(-+[A-Za-z0-9]+)*\.)+[A-Za-z0-9]+(-+[A-Za-z0-9]+)*$"
#: The days that every month has.
TIME = (
    r"^[12][0-9][0-9][0-9]-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(\.[0-9]+)?Z$"
)
#: An object of plain texts, whole numbers, decimals, true, false and null.
_VALUE = (
    r'("[^"\\\x00-\x1f]*"|-?(0|[1-9][0-9]?[0-9]?[0-9]?[0-9]?[0-9]?[0-9]?[0-9]?)(\.[0-9][0-9]?[0-9]?)?|true|false|null)'
)
_PAIR = rf'"[^"\\\x00-\x1f]*" *: *{_VALUE}'
OBJECT = rf"^\{{ *({_PAIR}( *, *{_PAIR})*)? *\}}$"
#: What must be escaped within JSON, and so is left to the slow way.
NOT_PLAIN = r'["\\\x00-\x1f]'
_WORDS = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CH CI CK CL CM CN CO CR CU CV CY CZ DE DJ DK DM DO DZ EC EE EG ES ET FI FJ FR GB GR HK HU ID IE IL IN "
    "IS IT JP KR LT LU LV MX NL NO NZ PL PT RO SE SG SI SK TH TR TW UA US UY VN XK ZA ZM ZW"
)
COUNTRIES = _WORDS.split()
