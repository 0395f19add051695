"""Every function, declared for the packager: the HTTP application, and what else AWS invokes. Nothing else happens."""

from __future__ import annotations

import chalicelib.cases.triggers
import chalicelib.engagement.birthday_triggers
import chalicelib.engagement.triggers
import chalicelib.ledger.triggers
import chalicelib.members.triggers
import chalicelib.orders.triggers
import chalicelib.program.triggers
import chalicelib.referrals.triggers
import chalicelib.scoring.console_triggers
import chalicelib.scoring.triggers
import chalicelib.surveys.invitation_triggers
import chalicelib.surveys.result_triggers
import chalicelib.vouchers.triggers
import chalicelib.web.authorizer
from chalicelib.api import app, open_rooms

__all__ = ["app"]

open_rooms()
for triggers in (
    chalicelib.web.authorizer,
    chalicelib.ledger.triggers,
    chalicelib.program.triggers,
    chalicelib.members.triggers,
    chalicelib.vouchers.triggers,
    chalicelib.orders.triggers,
    chalicelib.referrals.triggers,
    chalicelib.engagement.triggers,
    chalicelib.engagement.birthday_triggers,
    chalicelib.cases.triggers,
    chalicelib.surveys.invitation_triggers,
    chalicelib.surveys.result_triggers,
    chalicelib.scoring.triggers,
    chalicelib.scoring.console_triggers,
):
    app.register_blueprint(triggers.blueprint)
