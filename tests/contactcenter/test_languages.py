"""The languages of the site, and the words of its scripts in them."""

import struct
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from contactcenter.languages import languages

HOST: dict[str, Any] = {"HTTP_HOST": "localhost"}


def compiled(path: Path, texts: dict[str, str]) -> None:
    """A catalogue as `compilemessages` writes it."""
    whole = {
        "": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n",
        **texts,
    }
    rows = sorted((one.encode(), other.encode()) for one, other in whole.items())
    start = 28 + 16 * len(rows)
    tables, words = [b"", b""], b""
    for column in (0, 1):
        for row in rows:
            tables[column] += struct.pack("<II", len(row[column]), start + len(words))
            words += row[column] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(rows), 28, 28 + 8 * len(rows), 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(head + tables[0] + tables[1] + words)


@pytest.fixture
def dutch(tmp_path: Path, settings: Any) -> Client:
    """A site that holds a Dutch translation; its visitor reads Dutch."""
    folder = tmp_path / "nl" / "LC_MESSAGES"
    compiled(folder / "django.mo", {"Sign in": "Inloggen hier"})
    compiled(folder / "djangojs.mo", {"Reconnecting": "Opnieuw verbinden"})
    settings.LOCALE_PATHS = [tmp_path]
    settings.LANGUAGES = languages("en-gb", [tmp_path])
    return Client(headers={"Accept-Language": "nl,en;q=0.5"}, **HOST)


def test_only_languages_that_are_translated_are_offered(tmp_path: Path) -> None:
    assert languages("en-gb", [tmp_path]) == [("en-gb", "British English")]
    compiled(tmp_path / "nl" / "LC_MESSAGES" / "django.mo", {})
    compiled(tmp_path / "pt_BR" / "LC_MESSAGES" / "django.mo", {})
    (tmp_path / "de" / "LC_MESSAGES").mkdir(parents=True)
    assert [code for code, _ in languages("en-gb", [tmp_path])] == ["en-gb", "nl", "pt-br"]


def test_a_site_without_a_translation_speaks_its_own_language_to_everybody(db: None) -> None:
    visitor = Client(headers={"Accept-Language": "de"}, **HOST)
    page = visitor.get("/accounts/login/", secure=True)
    assert '<html lang="en-gb"' in page.text
    assert "Sign in" in page.text


def test_pages_and_scripts_speak_the_readers_language(db: None, dutch: Client) -> None:
    page = dutch.get("/accounts/login/", secure=True)
    assert '<html lang="nl"' in page.text
    assert "Inloggen hier" in page.text
    words = dutch.get("/jsi18n/", secure=True)
    assert "Opnieuw verbinden" in words.text
    assert words.headers["Content-Type"].startswith("text/javascript")


def test_the_words_are_for_everyone_and_are_not_sent_twice() -> None:
    visitor = Client(**HOST)
    first = visitor.get("/jsi18n/", secure=True)
    assert first.status_code == 200
    assert first.headers["Cache-Control"] == "private, max-age=300"
    again = visitor.get("/jsi18n/", secure=True, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_the_words_come_before_every_module(db: None) -> None:
    page = Client(**HOST).get("/accounts/login/", secure=True).text
    assert 0 < page.index('<script src="/jsi18n/"></script>') < page.index('<script type="module"')
