"""A link as a QR picture."""

from __future__ import annotations

import io


def svg(link: str) -> str:
    """The picture as an SVG document, black on transparent, with the margin that readers ask for."""
    # Imported where a picture is drawn: nobody else should pay for it at a cold start.
    import segno  # noqa: PLC0415

    out = io.BytesIO()
    segno.make_qr(link, error="m").save(out, kind="svg", xmldecl=False, omitsize=True, svgclass=None, lineclass=None)
    return out.getvalue().decode()
