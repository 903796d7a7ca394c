"""Envelopes carry no personal data and no free text, whoever writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_cast, make_check
from webapp.accounts.models import Membership, Role
from webapp.accounts.services import change_settings, create_member, remove_member, set_role, user_actor
from webapp.audit.errors import EventRefused
from webapp.audit.log import Actor, EventObject, EventOutcome, canonical, record_event
from webapp.audit.models import AuditEvent

FIELDS = {
    "v", "id", "ts", "project", "type", "actor", "subject_ref", "object", "outcome", "policy", "model", "reason_codes",
    "cause", "counts", "legal_basis", "retention_class", "payload",
}  # fmt: skip


@pytest.mark.django_db
def test_names_addresses_and_texts_never_occur_in_an_envelope(quick_passwords: None) -> None:
    cast = make_cast()
    check = make_check(
        cast, output="Call Wilhelmina at wilhelmina@example.com about her divorce.", conversation_id="conv-7c1"
    )
    actor = user_actor(cast.owner, Role.OWNER)
    membership, password = create_member(
        project=cast.project, username="wilhelmina.secret", role=Role.REVIEWER, actor=actor
    )
    set_role(membership=membership, role=Role.LEAD, actor=actor)
    remove_member(membership=Membership.objects.get(user=membership.user), actor=actor)
    change_settings(project=cast.project, changes={"name": "Confidential merger"}, actor=actor)
    events = AuditEvent.objects.all()
    assert len(events) > 15
    log = b"\n".join(bytes(event.envelope) for event in events).decode().lower()
    for word in (
        "wilhelmina", "divorce", "example.com", "conv-7c1", "confidential", "outsider", "assistant",
        password.lower(), cast.api_key.lower(), str(check.content.output).lower(), "how do i reach ann",
    ):  # fmt: skip
        assert word not in log


@pytest.mark.django_db
def test_an_envelope_is_canonical_and_has_these_fields_and_no_others() -> None:
    with transaction.atomic():
        event = record_event(
            type="key.created",
            project_id=None,
            actor=Actor("system", "countersign"),
            object=EventObject("api_key", "x"),
        )
    envelope = json.loads(bytes(event.envelope))
    assert set(envelope) == FIELDS
    assert rfc8785.dumps(envelope) == event.envelope


@given(
    text=st.text(st.characters(exclude_categories=["Cs"])),
    number=st.integers(0, 2**53 - 1),
    flag=st.booleans() | st.none(),
    counts=st.dictionaries(st.text("abc", max_size=3), st.integers(0, 2**53 - 1)),
)
def test_every_envelope_is_written_as_rfc_8785_has_it(
    text: str, number: int, flag: bool | None, counts: dict[str, int]
) -> None:
    envelope: Any = {"z": [text, flag], "model": {"id": text, "version": number}, "outcome": flag, "counts": counts}
    assert canonical(envelope) == rfc8785.dumps(envelope)


@given(text=st.text(min_size=1).filter(lambda text: not text.isascii() or any(c in text for c in " @\n,;'\"<>()=&")))
def test_free_text_is_refused_everywhere(text: str) -> None:
    def event(**changes: object) -> None:
        fields: dict[str, object] = {
            "type": "key.created",
            "project_id": None,
            "actor": Actor("system", "countersign"),
            "object": EventObject("api_key", "x"),
            **changes,
        }
        record_event(**fields)  # type: ignore[arg-type]

    for changes in (
        {"reason_codes": [text]},
        {"cause": [text]},
        {"actor": Actor("user", text)},
        {"actor": Actor("user", "x", role=text)},
        {"object": EventObject("api_key", text)},
        {"outcome": EventOutcome(decision=text)},
    ):
        with pytest.raises(EventRefused) as refused:
            event(**changes)
        assert text not in str(refused.value) or len(text) == 1


def test_unknown_types_and_actors_are_refused() -> None:
    with pytest.raises(EventRefused, match="unknown event type"):
        record_event(type="nonsense", project_id=None, actor=Actor("system", "x"), object=EventObject("a", "b"))
    with pytest.raises(EventRefused, match="actor"):
        record_event(type="key.created", project_id=None, actor=Actor("robot", "x"), object=EventObject("a", "b"))


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused() -> None:
    with pytest.raises(EventRefused, match="transaction"):
        record_event(type="key.created", project_id=None, actor=Actor("system", "x"), object=EventObject("a", "b"))
