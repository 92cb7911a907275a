"""Scenes of what every page has: the page of a fault, hostile text in every field."""

from django.test import RequestFactory
from django.views.defaults import server_error


def failure_page() -> str:
    """What people see when the site fails."""
    return server_error(RequestFactory().get("/fails/")).content.decode()
