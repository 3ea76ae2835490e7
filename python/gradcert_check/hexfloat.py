"""Real numbers of the format: one spelling of each finite double, as by C's ``%a``."""

import math
import re

from .errors import BadInput

_PATTERN = re.compile(r"-?0x[01](\.[0-9a-f]{1,13})?p[+-](0|[1-9][0-9]{0,3})")
LARGEST, SMALLEST = 1e100, 1e-100


def spell(x):
    """The one spelling of a finite double."""
    if x == 0.0:
        return "0x0p+0"
    sign = "-" if x < 0 else ""
    head, tail = abs(x).hex().split("p")
    whole, _, fraction = head.removeprefix("0x").partition(".")
    fraction = fraction.rstrip("0")
    return f"{sign}0x{whole}{'.' if fraction else ''}{fraction}p{tail}"


def parse(value, where):
    """The double that ``value`` spells; BadInput for every other spelling."""
    if not isinstance(value, str) or not _PATTERN.fullmatch(value):
        raise BadInput(f"{where}: not a number in the spelling of the format")
    try:
        x = float.fromhex(value)
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{where}: {error}") from None
    if not math.isfinite(x) or spell(x) != value:
        raise BadInput(f"{where}: not the one spelling of a finite number")
    return x


def positive(value, where):
    x = parse(value, where)
    if not SMALLEST <= x <= LARGEST:
        raise BadInput(f"{where}: {x} is not between 1e-100 and 1e100")
    return x


def non_negative(value, where):
    x = parse(value, where)
    if x != 0.0 and not SMALLEST <= x <= LARGEST:
        raise BadInput(f"{where}: {x} is neither 0 nor between 1e-100 and 1e100")
    return x
