"""The closed sets of words in the columns of rows."""

from enum import StrEnum


class FeatureType(StrEnum):
    """What a feature gives: a quantity, yes or no, a fixed text, or settings."""

    METERED = "metered"
    BOOLEAN = "boolean"
    STATIC = "static"
    CONFIG = "config"


class Aggregation(StrEnum):
    """How a meter turns events into a quantity."""

    COUNT = "COUNT"
    SUM = "SUM"
    AVG = "AVG"
    COUNT_UNIQUE = "COUNT_UNIQUE"
    LATEST = "LATEST"
    SUM_WITH_MULTIPLIER = "SUM_WITH_MULTIPLIER"
    MAX = "MAX"
    WEIGHTED_SUM = "WEIGHTED_SUM"


class BucketSize(StrEnum):
    """The windows in which a meter aggregates before it sums up."""

    MINUTE = "MINUTE"
    QUARTER_HOUR = "15MIN"
    HALF_HOUR = "30MIN"
    HOUR = "HOUR"
    THREE_HOURS = "3HOUR"
    SIX_HOURS = "6HOUR"
    TWELVE_HOURS = "12HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


class ResetUsage(StrEnum):
    """When a meter begins again at zero."""

    BILLING_PERIOD = "BILLING_PERIOD"
    NEVER = "NEVER"


class PricedEntity(StrEnum):
    """What a price can belong to."""

    PLAN = "PLAN"
    SUBSCRIPTION = "SUBSCRIPTION"
    ADDON = "ADDON"
    COSTSHEET = "COSTSHEET"


class PriceType(StrEnum):
    """Whether a price is for what was used or for the period."""

    USAGE = "USAGE"
    FIXED = "FIXED"


class PriceUnitType(StrEnum):
    """Whether a price is in a currency or in a unit of the seller's own."""

    FIAT = "FIAT"
    CUSTOM = "CUSTOM"


class BillingModel(StrEnum):
    """How a quantity becomes an amount."""

    FLAT_FEE = "FLAT_FEE"
    PACKAGE = "PACKAGE"
    TIERED = "TIERED"


class BillingPeriod(StrEnum):
    """How often a price is billed."""

    MONTHLY = "MONTHLY"
    ANNUAL = "ANNUAL"
    WEEKLY = "WEEKLY"
    DAILY = "DAILY"
    QUARTERLY = "QUARTERLY"
    HALF_YEARLY = "HALF_YEARLY"
    ONETIME = "ONETIME"


class InvoiceCadence(StrEnum):
    """Whether a period is invoiced at its end or at its start."""

    ARREAR = "ARREAR"
    ADVANCE = "ADVANCE"


class TierMode(StrEnum):
    """Whether the tier that is reached prices the whole quantity, or each tier its own part."""

    VOLUME = "VOLUME"
    SLAB = "SLAB"


class Rounding(StrEnum):
    """Which way a part of a package is rounded."""

    UP = "up"
    DOWN = "down"


_COUNTRIES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ "
    "BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR "
    "CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR "  # codespell:ignore fo
    "GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU "
    "ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ "
    "LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ "
    "MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF "
    "PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI "
    "SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR "
    "TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW "
)

#: ISO 3166-1 alpha-2, and XK, which users of the list agree on for Kosovo.
COUNTRIES = frozenset(_COUNTRIES.split())
