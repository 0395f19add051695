"""Where the link of an invitation leads: to the merchant's own page, or to the engine's."""

from __future__ import annotations

from chalicelib.base import links
from chalicelib.base.links import Link
from chalicelib.program.document.surveys import SurveyPolicy
from chalicelib.surveys import page
from chalicelib.surveys.invitation_table import Invitation


def link_of(invitation: Invitation, policy: SurveyPolicy, base_url: str) -> str:
    """The link by which an invitation is answered without signing in; always the same one for a policy.

    For the engine's page the token is the fragment of the address, which a browser sends to nobody: it stands in no log
    on the way.
    """
    token = links.token(Link(invitation.invitation_id, invitation.expires_at))
    if policy.link_url:
        return policy.link_url.replace("{token}", token)
    return f"{base_url}{page.PATH}#{token}"
