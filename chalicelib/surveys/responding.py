"""Accepting an answer: the record, the fact, the points, the counts and whatever follows, in one transaction, once."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chalicelib.base import clock, facts, ids
from chalicelib.base.errors import Conflict, Refusal, Unavailable
from chalicelib.base.retry import attempts
from chalicelib.ledger import points
from chalicelib.ledger.posting import Account, Lost, Plan, Posted, Write, post, put_once
from chalicelib.orders import decisions
from chalicelib.orders.decisions import Fact
from chalicelib.program.rules import expiry
from chalicelib.surveys import respondents, tallies
from chalicelib.surveys.preparing import Prepared, Submission, prepare
from chalicelib.surveys.respondents import Begun, Respondent
from chalicelib.surveys.rules import answering
from chalicelib.surveys.rules.context import Context
from chalicelib.surveys.table import RESPONSE, AnswerItem, ResponseItem, StandInItem, answers_key, shard_of


class AnsweredBefore(Conflict):
    """This respondent has answered the survey, or the invitation, with other answers."""

    code = "answered_before"

    def __init__(self) -> None:
        super().__init__("This was answered before. An answer that was given is not changed.")


def respond(submission: Submission, respondent: Respondent, *, now: int) -> Posted[ResponseItem]:
    """Accept an answer once; handed in again, it is answered alike, though the survey is closed or another by now.

    Raises what `prepare` does, MemberNotFound, AnsweredBefore for other answers than those given before, and
    Unavailable.
    """
    request_hash = ids.request_hash(submission.answers)
    begun = respondents.begun(respondent, now=now)
    if begun.response is not None and begun.response.request_hash == request_hash:
        return Posted(begun.response, replayed=True)
    try:
        return _respond(submission, respondent, begun, request_hash, now)
    except Unavailable:
        raise
    except Refusal:
        given = respondents.recorded(respondent)
        if not given:
            raise
        return _replayed(given, request_hash)


def _replayed(given: Sequence[ResponseItem], request_hash: str) -> Posted[ResponseItem]:
    """The same answer among those that were given; of members who became one there may be several."""
    for stored in given:
        if stored.request_hash == request_hash:
            return Posted(stored, replayed=True)
    raise AnsweredBefore


def _respond(
    submission: Submission, respondent: Respondent, begun: Begun, request_hash: str, now: int
) -> Posted[ResponseItem]:
    if begun.response is not None:
        raise AnsweredBefore
    for _attempt in attempts():
        prepared = prepare(submission, respondent, begun, now)
        try:
            if respondent.member_id is None:
                return _keep(prepared, request_hash, now)
            return _post(prepared, respondent.member_id, request_hash, now)
        except Lost as lost:
            if isinstance(lost.model, ResponseItem | StandInItem):
                raise AnsweredBefore from lost
            # The invitation or the case has changed since it was read: look at it again.
            respondent = respondents.refreshed(respondent)
    raise Unavailable("This is being changed by many at once. Send the same request again.", code="busy")


def _post(prepared: Prepared, member_id: str, request_hash: str, now: int) -> Posted[ResponseItem]:
    """Post the answer of a member."""
    submission, book = prepared.submission, prepared.book
    program = book.then.program
    is_paid = not prepared.context.flags or prepared.definition.points_for_flagged
    given = prepared.definition.points if is_paid else 0
    fact = Fact(facts.SURVEY_ANSWERED, prepared.respondent.response_id, submission.actor, submission.occurred_at, 0, "")

    def plan(account: Account) -> Plan[ResponseItem]:
        if account.member_id != member_id or not respondents.is_current(prepared.respondent, submission.survey_id):
            # Merged since it was looked up, or another one into it; the other member may have answered.
            raise Unavailable("The member is just being merged. Send the same request again.", code="busy")
        effect = points.earn(account.state, given, expires_at=expiry.expires_at(program, submission.occurred_at))
        effect, tier = decisions.retiered(account, effect, book)
        context = msgspec.structs.replace(prepared.context, tier=tier)
        decision = fact.decision(effect, tier, book.then.version)
        writes = _writes(prepared, context)
        return Plan(decision, _record(prepared, context, request_hash, now), lambda _entry: writes)

    return post(member_id, plan, now=lambda: now)


def _keep(prepared: Prepared, request_hash: str, now: int) -> Posted[ResponseItem]:
    """Keep the answer of somebody who is no member: it counts, and no account has anything to do with it."""
    return put_once(_record(prepared, prepared.context, request_hash, now), _writes(prepared, prepared.context))


def _record(prepared: Prepared, context: Context, request_hash: str, now: int) -> ResponseItem:
    submission, invitation = prepared.submission, prepared.respondent.invitation
    return ResponseItem(
        prepared.respondent.response_id,
        RESPONSE,
        record_id=prepared.respondent.response_id,
        member_id=prepared.respondent.member_id,
        request_hash=request_hash,
        kind=facts.SURVEY_ANSWERED,
        occurred_at=clock.text(submission.occurred_at),
        posted_at=clock.text(now),
        survey_id=submission.survey_id,
        definition=prepared.number,
        channel=submission.channel,
        actor=submission.actor,
        invitation_id=invitation.invitation_id if invitation else None,
        case_id=prepared.opening.case_id if prepared.opening else None,
        flags=",".join(context.flags),
        body=msgspec.json.encode(prepared.answers).decode(),
        context=msgspec.json.encode(context).decode(),
    )


def _writes(prepared: Prepared, context: Context) -> list[Write]:
    """The answer among those of its month, the counts, and what is written whoever answers."""
    submission, response_id = prepared.submission, prepared.respondent.response_id
    month = clock.month_text(clock.month_of(submission.occurred_at, prepared.book.then.program.zone))
    answer = AnswerItem(
        answers_key(submission.survey_id, month, shard_of(response_id)),
        f"{clock.text(submission.occurred_at)}#{response_id}",
        definition=prepared.number,
        answers=msgspec.json.encode(answering.without_words(prepared.answers)).decode(),
        context=msgspec.json.encode(context).decode(),
    )
    counting = tallies.counting(
        submission.survey_id, month, response_id, prepared.definition, prepared.answers, context
    )
    return [Write(answer), counting, *prepared.fixed]
