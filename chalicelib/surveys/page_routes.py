"""The answering page over HTTP: a room of its own, so that showing it takes no more than that."""

from __future__ import annotations

from chalicelib.surveys import page
from chalicelib.web.room import Document, Room

room = Room("surveys")


@room.document(
    page.PATH, summary="The page on which a link is answered", says="One HTML document that loads nothing else."
)
def get_answer_page() -> Document:
    """What a link leads to where the programme names no page of the merchant's own.

    It is the same for everybody: the link's token is the fragment of the address, which the page sends as a bearer
    token to the API.
    """
    return Document(page.text(), page.headers())
