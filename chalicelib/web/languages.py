"""Which of the engine's languages a caller would like best."""

from __future__ import annotations

from typing import Final, Literal

Locale = Literal["en", "zh-Hans", "zh-Hant"]

DEFAULT: Final[Locale] = "en"

_TRADITIONAL = frozenset({"hant", "tw", "hk", "mo"})


def best(accept_language: str | None) -> Locale:
    """The best match for an Accept-Language header: by its weights, then by its order; English where nothing fits."""
    ranges = [_weighed(part) for part in (accept_language or "").split(",")[:20]]
    for _weight, tag in sorted(((w, t) for w, t in ranges if w > 0), key=lambda range_: -range_[0]):
        locale = _locale_of(tag)
        if locale:
            return locale
    return DEFAULT


def _weighed(part: str) -> tuple[float, str]:
    tag, _, parameters = part.strip().partition(";")
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0, tag.strip()
    try:
        return float(value), tag.strip()
    except ValueError:
        return 0.0, tag.strip()


def _locale_of(tag: str) -> Locale | None:
    language, *subtags = tag.lower().replace("_", "-").split("-")
    if language == "zh":
        # Chinese without a script or region is written in simplified characters by most of its readers; an explicit
        # script counts more than the region.
        traditional = "hans" not in subtags and not _TRADITIONAL.isdisjoint(subtags)
        return "zh-Hant" if traditional else "zh-Hans"
    return "en" if language in {"en", "*"} else None


def headers(locale: str) -> dict[str, str]:
    """What an answer in one language says of it to whoever keeps it."""
    return {"Content-Language": locale, "Vary": "Accept-Language"}
