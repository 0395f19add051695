"""Codes of vouchers: read as meant, and every slip of one symbol or of two neighbours is caught."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.vouchers import codes

RANDOMNESS = st.binary(min_size=codes.RANDOM_BYTES, max_size=codes.RANDOM_BYTES)
MADE = RANDOMNESS.map(codes.made)


def test_a_code_holds_at_least_sixty_bits() -> None:
    assert (codes.LENGTH - 1) * math.log2(len(codes.SYMBOLS)) > 60


def test_no_symbol_looks_like_another() -> None:
    assert len(set(codes.SYMBOLS)) == len(codes.SYMBOLS) == 31
    assert not set(codes.SYMBOLS) & set("ILOUZ")


@given(MADE)
def test_a_made_code_is_whole_and_reads_as_itself(code: str) -> None:
    assert codes.is_whole(code)
    assert codes.normal(code) == code
    assert codes.normal(codes.grouped(code)) == code


@given(MADE, st.integers(0, codes.LENGTH - 1), st.sampled_from(codes.SYMBOLS))
def test_any_single_wrong_symbol_is_caught(code: str, place: int, symbol: str) -> None:
    wrong = code[:place] + symbol + code[place + 1 :]
    assert codes.is_whole(wrong) == (wrong == code)


@given(MADE, st.integers(0, codes.LENGTH - 1), st.integers(0, codes.LENGTH - 1))
def test_any_two_symbols_that_changed_places_are_caught(code: str, one: int, other: int) -> None:
    symbols = list(code)
    symbols[one], symbols[other] = symbols[other], symbols[one]
    assert codes.is_whole("".join(symbols)) == ("".join(symbols) == code)


@given(RANDOMNESS, RANDOMNESS)
def test_other_randomness_makes_another_code(one: bytes, other: bytes) -> None:
    space = len(codes.SYMBOLS) ** (codes.LENGTH - 1)
    assert (codes.made(one) == codes.made(other)) == (int.from_bytes(one) % space == int.from_bytes(other) % space)


@given(MADE, st.data())
def test_a_code_is_read_as_meant_however_it_is_written(code: str, data: st.DataObject) -> None:
    looks = {"0": "0Oo０", "1": "1IiLl|"[:5], "2": "2Zz", "V": "VvUu"}
    written = ""
    for symbol in code:
        spellings = looks.get(symbol, symbol + symbol.lower())
        written += data.draw(st.sampled_from(spellings)) + data.draw(
            st.sampled_from(["", " ", "-", "–", "\u3000", "."])
        )
    assert codes.normal(written) == code


@pytest.mark.parametrize("text", ["", "   ", "---", "abc", "ab!cd", "Привет", "优惠券一二三四", "A" * 33, "A\x00BCD"])
def test_what_can_be_no_code_is_none(text: str) -> None:
    assert codes.normal(text) is None


def test_full_width_forms_are_read() -> None:
    assert codes.normal("ｓｕｍｍｅｒ２６") == codes.normal("SUMMER 26")


def test_a_code_of_own_length_that_breaks_the_rule_was_mistyped_and_a_short_one_was_not() -> None:
    code = codes.made(bytes(range(16)))
    assert not codes.is_mistyped(code)
    assert codes.is_mistyped(code[:-1] + ("0" if code[-1] != "0" else "1"))
    assert not codes.is_mistyped("SUMMER26")


def test_a_code_needs_all_its_randomness() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        codes.made(b"too little")
