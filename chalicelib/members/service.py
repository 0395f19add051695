"""Who is who: which member a caller acts for, to whom an identity leads, and what is known of a member."""

from __future__ import annotations

from typing import Final, Protocol

from chalicelib.base.errors import Forbidden, Invalid
from chalicelib.ledger.posting import MemberNotFound
from chalicelib.members.rules import Person, external_key, identity_keys, mail_key, normal_mail, normal_phone, phone_key
from chalicelib.members.table import ProfileItem, find_identity, read_profile

ME: Final = "me"

_REMEMBERED_MAX = 10_000
_members_by_subject: dict[str, str] = {}


class Bearer(Protocol):
    """What must be known of a caller to tell whom it may act for."""

    @property
    def kind(self) -> str:
        """`member`, `staff`, `system` or `link`."""

    @property
    def subject(self) -> str:
        """The token's subject."""

    @property
    def issuer(self) -> str:
        """Who issued the token."""

    def require(self, scope: str) -> None:
        """Raises Forbidden unless the token carries `scope`."""


def member_for(caller: Bearer, member_id: str, scope: str | None = None) -> str:
    """The member that `member_id` (or `me`) stands for, if the caller may act for it.

    Staff and systems may for every member, provided that they have `scope`; whether there is such a member is not
    looked at. A person may for nobody else, and is refused (Forbidden `not_your_account`) in the same words whether or
    not there is such a member; an id that was merged into the person's own member is the person's too. Raises
    MemberNotFound for the `me` of somebody who is no member.
    """
    if caller.kind == "link":
        # Whoever holds a link may do what it is for, and is nobody.
        raise Forbidden("This is not your account.", code="not_your_account")
    if caller.kind != "member":
        if scope:
            caller.require(scope)
        if member_id == ME:
            raise MemberNotFound("Only a person can say `me`; name the member by its id.", field="member_id")
        return member_id
    person = Person(caller.issuer, caller.subject)
    own = member_of(person)
    if member_id == ME and own is None:
        raise MemberNotFound("You are not a member yet; enrol first.", field="member_id")
    if own is None or not (member_id in {ME, own} or _is_same(person, own, member_id)):
        raise Forbidden("This is not your account.", code="not_your_account")
    return own if member_id == ME else member_id


def member_of(person: Person) -> str | None:
    """The member that a person is, remembered by the process.

    A sign-in keeps its member but for a merge; what was remembered then leads to the survivor, as a closed id does.
    """
    member_id = _members_by_subject.get(person.key) or find_identity(person.key)
    if member_id:
        remember(person, member_id)
    return member_id


def owner_of(caller: Bearer) -> str:
    """Whose a caller's idempotency keys are: a person's by the sign-in, whatever member it leads to; else nobody's."""
    return Person(caller.issuer, caller.subject).key if caller.kind == "member" else ""


def remember(person: Person, member_id: str) -> None:
    """Keep in this process that a sign-in leads to a member."""
    if len(_members_by_subject) >= _REMEMBERED_MAX:
        _members_by_subject.clear()
    _members_by_subject[person.key] = member_id


def forget_all() -> None:
    """Forget which sign-in leads to which member."""
    _members_by_subject.clear()


def identity_key(kind: str, value: str, source: str = "", *, field: str = "identity") -> str:
    """The key of an identity of kind `phone` (E.164 in any spelling), `mail` or `external` (with its `source`).

    Raises Invalid (`phone_invalid`, `mail_invalid`, `identity_invalid`).
    """
    if kind == "phone":
        return phone_key(normal_phone(value, field=f"{field}.phone"))
    if kind == "mail":
        return mail_key(normal_mail(value, field=f"{field}.mail"))
    if kind == "external":
        return external_key(source, value)
    raise Invalid(
        f"An identity is a phone, a mail or an external id, not {kind!r}.", field=field, code="identity_invalid"
    )


def find(key: str) -> str | None:
    """The member to whom the identity with this key leads now, or None."""
    return find_identity(key)


def read(member_id: str, *, field: str = "member_id") -> ProfileItem:
    """A member's profile as it is now; for an id that was merged, that of the member who took over.

    Raises MemberNotFound, naming `field`.
    """
    item = read_own(member_id, field=field)
    while item.merged_into:
        item = read_own(item.merged_into, field=field)
    return item


def read_own(member_id: str, *, field: str = "member_id") -> ProfileItem:
    """The profile under this very id, though it was merged into another. Raises MemberNotFound, naming `field`."""
    # Other records lie in the same table; only a profile may be read as one.
    item = read_profile(member_id) if member_id.startswith("mem_") else None
    if item is None:
        raise MemberNotFound("No member has this id.", field=field)
    return item


def survivor_of(member_id: str) -> str:
    """The member that an id stands for: itself, or whoever it was merged into. An unknown id stands for itself."""
    try:
        return str(read(member_id).key)
    except MemberNotFound:
        return member_id


def ids_of(member_id: str) -> tuple[str, ...]:
    """All ids that stand for one member, that of who took over first. An unknown id stands for itself."""
    try:
        item = read(member_id)
    except MemberNotFound:
        return (member_id,)
    return (str(item.key), *(item.absorbed or ()))


def is_one(member_id: str, other_id: str) -> bool:
    """Whether two ids stand for one member; looked up only where they differ."""
    return member_id == other_id or survivor_of(member_id) == survivor_of(other_id)


def _is_same(person: Person, own: str, member_id: str) -> bool:
    """Whether an id and the one that is remembered of a person have become one member."""
    survivor = survivor_of(member_id)
    if survivor_of(own) != survivor:
        return False
    remember(person, survivor)
    return True


def identities_of(member_id: str) -> list[str]:
    """The keys of the identities that lead to a member, sign-ins left out. Raises MemberNotFound."""
    return identity_keys(read(member_id).person)
