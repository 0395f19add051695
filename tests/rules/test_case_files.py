"""What a file is, is said by its first bytes; what it is called says nothing and does no harm."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chalicelib.cases.rules import files
from chalicelib.cases.rules.case import Attachment
from chalicelib.cases.rules.files import AttachmentRefused

TRUE = {
    "image/jpeg": b"\xff\xd8\xff\xe1",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/webp": b"RIFF\x10\x00\x00\x00WEBPVP8 ",
    "image/heic": b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic",
    "application/pdf": b"%PDF-1.4",
    "audio/mpeg": b"\xff\xfb\x90\x64",
    "audio/mp4": b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00M4A isom",
    "audio/ogg": b"OggS\x00\x02",
}
FALSE = [
    b"",
    b"<html>",
    b"<?xml version='1.0'?><svg onload='alert(1)'/>",
    b"GIF89a",
    b"MZ\x90\x00",
    b"PK\x03\x04",
    b" %PDF-1.4",
    b"\xef\xbb\xbf%PDF-1.4",
    b"\xff\xfe<\x00h\x00",
    b"RIFF\x10\x00\x00\x00WAVEfmt ",
    b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif",
    b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp42",
    b"\xff\xd8",
    b"\xff\xfb",
    b"\xff\xfb\xf0\x64",
]


def said(media_type: str, size: int = 100) -> Attachment:
    return Attachment(
        attachment_id="att_1", case_id="cse_1", name="a", media_type=media_type, bytes=size, by="member", at=0
    )


@pytest.mark.parametrize("media_type", TRUE)
def test_a_file_is_what_its_first_bytes_say(media_type: str) -> None:
    assert files.media_type_of(TRUE[media_type] + bytes(50)) == media_type
    files.check(said(media_type), 100, TRUE[media_type])
    for other in TRUE:
        if other != media_type:
            with pytest.raises(AttachmentRefused):
                files.check(said(other), 100, TRUE[media_type])


@pytest.mark.parametrize("content", FALSE)
def test_what_is_not_allowed_is_nothing(content: bytes) -> None:
    assert files.media_type_of(content) is None


def test_mp3_with_a_tag_is_one_as_well_and_the_old_brand_of_heic_too() -> None:
    assert files.media_type_of(b"ID3\x04") == "audio/mpeg"
    assert files.media_type_of(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00") == "image/heic"


@given(st.binary(max_size=600))
@example(b"\x00\x00\x00\x00ftyp")
@example(b"\xff\xff\xff\xffftypmif1")
def test_any_bytes_are_of_one_type_or_none(content: bytes) -> None:
    assert files.media_type_of(content) in {None, *TRUE}


@pytest.mark.parametrize("size", [0, 101])
def test_a_file_is_as_large_as_was_said_at_the_most(size: int) -> None:
    with pytest.raises(AttachmentRefused):
        files.check(said("image/png"), size, TRUE["image/png"])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("seal.jpg", "seal.jpg"),
        ("SEAL.JPEG", "SEAL.JPEG"),
        ("C:\\Users\\anna\\seal.jpg", "seal.jpg"),
        ("../../../etc/passwd", "passwd.jpg"),
        ("invoice.jpg.exe", "invoice.jpg.exe.jpg"),
        ("photo\u202egpj.exe", "photogpj.exe.jpg"),
        ("a\x00b\r\nSet-Cookie: x.jpg", "abSet-Cookie_ x.jpg"),
        ('"; filename=evil.html; x=".jpg', "__ filename=evil.html_ x=_.jpg"),
        (".jpg", "jpg.jpg"),
        (" . ", "file.jpg"),
        ("茶.jpg", "茶.jpg"),
        ("x" * 250 + ".jpg", "x" * 96 + ".jpg"),
    ],
)
def test_a_name_is_cleaned(name: str, shown: str) -> None:
    assert files.clean_name(name, "image/jpeg") == shown


@given(st.text(max_size=255), st.sampled_from(sorted(TRUE)))
def test_whatever_a_file_is_called_its_name_is_one_line_of_a_header(name: str, media_type: str) -> None:
    shown = files.clean_name(name, media_type)
    assert 1 <= len(shown) <= files.NAME_MAX
    assert not set(shown) & set('/\\<>:"|?*\r\n')
    assert all(unicodedata.category(char)[0] != "C" for char in shown)
    assert files.clean_name(shown, media_type) == shown
    header = files.disposition(shown)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
