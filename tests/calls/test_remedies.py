"""Every code that Twilio can meet us with is explained in our own words, with a remedy."""

import pytest

from calls import remedies

# Of Twilio's contract (its messages, REST, webhooks, browser phone), as far as we can meet them.
STREAMS = """
    31900 31901 31902 31903 31910 31920 31921 31923 31924 31930 31931 31941 31950 31951
    31952 31953 31960
"""
WEBHOOKS = """
    11100 11200 11205 11206 11210 11215 11216 11217 11220 11235 11236 11237 11251 11300
    11310 11320 11321 11750 11770 12100 12102 12200 12300 12400
"""
DIALLING = """
    13201 13214 13223 13224 13225 13226 13227 13233 13234 13238 13240 13250 13255 14300
    15004 32019
"""
CONFERENCES = "16000 16002 16003 16020 16021 16022 16023 16024 16025 16026 16027 16028"
ACCOUNT = """
    20001 20002 20003 20004 20005 20006 20007 20008 20009 20101 20102 20103 20104 20105
    20106 20107 20151 20403 20404 20409 20413 20429 20500 20503
"""
COMMANDS = """
    21201 21202 21203 21204 21205 21206 21207 21208 21209 21210 21211 21212 21213 21214
    21215 21216 21217 21218 21219 21220 21226 21262 21263 21401 21402 21403 21404 21405
    21421 21422 21451 21452 21471 21472 21502 21609 21626 22003 22005 22108 22402
"""
PHONE = """
    31000 31001 31002 31003 31005 31008 31009 31100 31101 31102 31103 31104 31105 31201
    31202 31204 31205 31206 31207 31208 31401 31402 31404 31480 31486 31487 31603 53000
    53001 53400 53402 53405
"""
TRANSCRIPTION = "32650 32655"
EVERY = " ".join((STREAMS, WEBHOOKS, DIALLING, CONFERENCES, ACCOUNT, COMMANDS, PHONE, TRANSCRIPTION)).split()


@pytest.mark.parametrize("code", [*EVERY, "timeout", "unreachable", "lost", "unsent", "answer"])
def test_a_code_says_what_it_is_and_what_to_do(code: str) -> None:
    assert remedies.is_known(code)
    what, do = remedies.words(code)
    for sentence in (what, do):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
    assert remedies.explain(code) == f"{what} {do}"


def test_no_code_is_listed_twice() -> None:
    assert len(EVERY) == len(set(EVERY))


def test_a_code_that_is_new_is_told_with_twilios_words() -> None:
    assert remedies.explain(12345, "Something new.") == (
        "Something new. See the error 12345 in Twilio's documentation."
    )
    assert remedies.explain("other", "Odd") == "Odd."
