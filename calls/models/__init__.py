"""Gathers the models for Django."""

from calls.models.call import Call, CallState, Leg
from calls.models.command import Command, Reply
from calls.models.contact import Contact
from calls.models.event import AuditEvent, Counter, Event
from calls.models.number import IngestKey, PhoneNumber, Region
from calls.models.ticket import Ticket
from calls.models.user import Agent, User
from calls.models.utterance import Utterance

__all__ = [
    "Agent",
    "AuditEvent",
    "Call",
    "CallState",
    "Command",
    "Contact",
    "Counter",
    "Event",
    "IngestKey",
    "Leg",
    "PhoneNumber",
    "Region",
    "Reply",
    "Ticket",
    "User",
    "Utterance",
]
