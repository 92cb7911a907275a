"""Answers that are errors: Twilio's body of 2010, and RFC 9457 problems where a newer service answers."""

from __future__ import annotations

import json

from aiohttp import web

HOME = "https://www.twilio.com/docs"


class RestError(Exception):
    """An answer that is an error: HTTP status, Twilio's code, words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def answer(self, request: web.Request) -> web.Response:
        """The body as the service that was asked writes it."""
        headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if self.status == 401 else {}
        newer = request.path.startswith("/v2/")
        return web.Response(
            text=json.dumps(self._problem(request) if newer else self._body()),
            status=self.status,
            headers=headers,
            content_type="application/problem+json" if newer else "application/json",
        )

    def _body(self) -> dict[str, str | int]:
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"{HOME}/errors/{self.code}",
            "status": self.status,
        }

    def _problem(self, request: web.Request) -> dict[str, str | int]:
        return {
            "type": f"{HOME}/api/errors/{self.code}",
            "title": self.message,
            "status": self.status,
            "code": self.code,
            "instance": request.rel_url.raw_path,
        }


def not_found(request: web.Request) -> RestError:
    """Unknown or foreign resource, or a call that has ended."""
    return RestError(404, 20404, f"The requested resource {request.path} was not found")


def bad(message: str, code: int = 20001) -> RestError:
    """A parameter that cannot be taken."""
    return RestError(400, code, message)
