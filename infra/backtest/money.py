"""What points are worth, and how money is written."""

from fractions import Fraction

from chalicelib.base import money
from chalicelib.program.document import Program


def worth(program: Program, points: int, currency: str) -> Fraction | None:
    """What points are worth as a discount, in minor units; None where the programme gives none in this currency."""
    redemption = program.redemption
    if redemption is None or currency not in redemption.amount_minor:
        return None
    return Fraction(points * redemption.amount_minor[currency], redemption.points_per)


def written(amount_minor: Fraction | int | None, currency: str) -> str:
    """An amount as people read it, such as `CNY 1,234.50`; a dash where it is unknown."""
    if amount_minor is None:
        return "–"
    digits = money.digits(currency)
    whole, rest = divmod(abs(round(amount_minor)), 10**digits)
    sign = "−" if amount_minor < 0 else ""
    return f"{currency} {sign}{whole:,}" + (f".{rest:0{digits}d}" if digits else "")
