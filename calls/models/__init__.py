"""Gathers the models for Django."""

from calls.models.agent import Agent
from calls.models.alert import Alert, AlertRule
from calls.models.call import Call, CallState, Leg
from calls.models.command import Command, Reply
from calls.models.conference import Conference, Participant
from calls.models.contact import Contact, Matter
from calls.models.desk import Callback, Note, Voicemail, WrapUp
from calls.models.dialling import Destination
from calls.models.event import AuditEvent, Counter, Event
from calls.models.hours import Holiday, Hours, OpeningTime
from calls.models.number import IngestKey, PhoneNumber, Region
from calls.models.offer import Offer
from calls.models.queue import BlockedCaller, Outcome, Queue, Waiting
from calls.models.supervision import Listening, Moment, Supervision
from calls.models.team import Team
from calls.models.ticket import Ticket
from calls.models.user import User
from calls.models.utterance import Utterance
from calls.models.voice import Action, Turn, Voice, VoiceTable

__all__ = [
    "Action",
    "Agent",
    "Alert",
    "AlertRule",
    "AuditEvent",
    "BlockedCaller",
    "Call",
    "CallState",
    "Callback",
    "Command",
    "Conference",
    "Contact",
    "Counter",
    "Destination",
    "Event",
    "Holiday",
    "Hours",
    "IngestKey",
    "Leg",
    "Listening",
    "Matter",
    "Moment",
    "Note",
    "Offer",
    "OpeningTime",
    "Outcome",
    "Participant",
    "PhoneNumber",
    "Queue",
    "Region",
    "Reply",
    "Supervision",
    "Team",
    "Ticket",
    "Turn",
    "User",
    "Utterance",
    "Voice",
    "VoiceTable",
    "Voicemail",
    "Waiting",
    "WrapUp",
]
