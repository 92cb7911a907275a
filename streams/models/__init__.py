"""Gathers the models for Django."""

from streams.models.process import Process
from streams.models.recording import Recording
from streams.models.stream import Gap, Stream

__all__ = ["Gap", "Process", "Recording", "Stream"]
