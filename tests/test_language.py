"""Every sentence for people can be translated: scripts and refusals say it by gettext, templates by
{% translate %}.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from calls import remedies
from contactcenter.management.commands.makemessages import marked
from tools.house import ROOT

SCRIPTS = ROOT / "static" / "js"
TEMPLATES = ROOT / "templates"  # the administration speaks English alone, as its models do
NOT_YET = re.compile(r"(^|/)vendor/")
REFUSALS = {"Refused": 1, "LimitReached": 1, "Wrong": 2}  # and which of their arguments people read
TO_VOICES = {"calls/services/actions.py", "calls/services/handover.py"}  # a program reads what they refuse
TOLD_ON = {"error.text", "refused.text"}  # translated where it was refused first
NOT_YET_TOLD = {"str(wrong)", "faults[0].text", "judged.fault"}  # of pure modules: numbers, contacts, files
TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/"
    r"|(?P<regex>(?<=[(,=:!&|?])\s*/(?![/*])(?:\\.|\[[^\]]*\]|[^/\\\n])+/[a-z]*)"
    r"|(?P<text>\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`(?:\\.|[^`\\])*`)",
    re.S,
)
SENTENCE = re.compile(r"(^|[^\w.#\[=\"/-])[A-Za-z][\w’']+[,;:]? [a-z]{2,}|^[A-Z][a-z]+…?$")
ASKED = re.compile(r"\bn?gettext\(\s*(\"\"\s*,\s*)?$")
NO_WORDS = {"Accept", "Enter", "Escape", "BroadcastChannel"}  # names of headers, keys, interfaces
NO_WORDS |= {"mine now", "sub phone", "notice bad", "(hover: hover)", "line is-gap"}  # of style and state
NO_WORDS |= {"line is-marker is-moment", "line is-marker is-alert"}
SELECTOR = re.compile(r"[\[\]{}#>]|^\.|(^|, )[a-z]+[.:,]|^(button|input)")


def literals(source: str) -> Iterator[tuple[int, str, str]]:
    """(line, text, the code before it without its texts) of each text in a script."""
    code, at = "", 0
    for found in TOKEN.finditer(source):
        code += source[at : found.start()]
        at = found.end()
        if text := found["text"]:
            line = source.count("\n", 0, found.start()) + 1
            yield line, text[1:-1], code[-80:]
            code += '""'


def scripts() -> list[Path]:
    return [
        path for path in sorted(SCRIPTS.rglob("*.js")) if not NOT_YET.search(str(path.relative_to(SCRIPTS)))
    ]


def test_scripts_say_no_sentence_but_by_gettext() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} {text}"
        for path in scripts()
        for line, text, before in literals(path.read_text(encoding="utf-8"))
        if (said := re.sub(r"\$\{[^}]*\}", "", text)) not in NO_WORDS
        and SENTENCE.search(said)
        and not SELECTOR.search(said)
        and not ASKED.search(before)
    ]
    assert not wrong, "\n".join(wrong)


def test_what_is_to_be_translated_stands_whole_in_the_script() -> None:
    """makemessages reads the text itself: no name, no sum, no text with values put in by the script."""
    wrong = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in scripts()
        if path.name != "i18n.js"
        for found in re.finditer(
            r"\bn?gettext\((?!\s*\").{0,40}|gettext\(\"[^\"]*\" \+", path.read_text("utf-8")
        )
    ]
    assert wrong == []


def test_each_value_in_a_sentence_is_given() -> None:
    wrong = []
    for path in scripts():
        source = path.read_text(encoding="utf-8")
        for found in re.finditer(r"\b(n?)gettext\(\s*(\"[^\"]*\"(?:, \"[^\"]*\")?)(.*)", source):
            names = set(re.findall(r"%\((\w+)\)s", found[2])) - ({"n"} if found[1] else set())
            wrong += [f"{path.name}: {name}" for name in names if not re.search(rf"\b{name}\b", found[3])]
    assert wrong == []


def test_templates_say_no_word_but_by_translate() -> None:
    wrong = []
    for path in sorted(set(TEMPLATES.rglob("*.html")) - set((TEMPLATES / "admin").rglob("*.html"))):
        text = path.read_text(encoding="utf-8")
        for tags in (
            r"{% comment.*?endcomment %}|{#.*?#}",
            r"{% blocktranslate.*?endblocktranslate %}",
            r"{% block body_class %}.*?{% endblock %}",
            r"<pre>.*?</pre>|<code>.*?</code>",
        ):
            text = re.sub(tags, "", text, flags=re.S)
        text = re.sub(r"{%.*?%}|{{.*?}}", "", text, flags=re.S)
        said = re.findall(r"\b(?:title|aria-label|placeholder|alt)=\"([^\"]*[A-Za-z]{2,}[^\"]*)\"", text)
        text = re.sub(r"<(kbd|script|style)\b.*?</\1>|<[^>]*>|&\w+;", " ", text, flags=re.S | re.I)
        said += re.findall(r"[A-Za-z]{2,}", text)
        wrong += [f"{path.relative_to(ROOT)}: {word}" for word in said if word != "tap"]  # a name
    assert not wrong, "\n".join(wrong)


def untranslated(source: str) -> Iterator[tuple[int, str]]:
    """(line, words) of each refusal whose words do not come from gettext as they stand in the source."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in REFUSALS:
            named = [one.value for one in call.keywords if one.arg == "text"]
            for words in [*call.args[REFUSALS[call.func.id] :], *named]:
                if not is_translated(words) and ast.unparse(words) not in TOLD_ON | NOT_YET_TOLD:
                    yield call.lineno, ast.unparse(words)


def is_translated(words: ast.expr) -> bool:
    """gettext("…"), with values put in afterwards or not; or such a text that was chosen a line before."""
    if isinstance(words, ast.BinOp) and isinstance(words.op, ast.Mod):
        return is_translated(words.left) or ast.unparse(words.left) == "text"
    asked = isinstance(words, ast.Call) and ast.unparse(words.func) in {"gettext", "ngettext"}
    return asked and not any(isinstance(one, ast.JoinedStr | ast.BinOp) for one in ast.walk(words))


def unmarked(source: str) -> Iterator[str]:
    """Names of this module that gettext is asked for, but which hold a sentence that is not marked."""
    tree = ast.parse(source)
    kept = [one for one in tree.body if isinstance(one, ast.Assign)]
    plain = {ast.unparse(one.targets[0]) for one in kept if holds_a_text(one.value)}
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "gettext":
            names = {part.id for part in ast.walk(call) if isinstance(part, ast.Name)}
            yield from sorted(names & plain)


def holds_a_text(value: ast.expr) -> bool:
    """A text as it is, or a mapping with one among its values."""
    parts = value.values if isinstance(value, ast.Dict) else [value]
    return any(isinstance(part, ast.Constant) for part in parts)


def test_who_is_refused_is_told_in_their_language() -> None:
    wrong = []
    for path in (one for app in ("calls", "streams") for one in sorted((ROOT / app).rglob("*.py"))):
        name, source = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        if name not in TO_VOICES:
            wrong += [f"{name}:{line} {words}" for line, words in untranslated(source)]
            wrong += [f"{name}: {constant} is not marked" for constant in unmarked(source)]
    assert not wrong, "\n".join(wrong)


def test_a_refusal_outside_gettext_is_noticed() -> None:
    source = """
_PLAIN = "Plain."
_MARKED = gettext_noop("Marked.")
raise Refused("a", "Plain.")
raise Refused("a", gettext("Asked."))
raise Wrong(409, "a", f"{name} is gone.")
raise Refused("a", gettext("%(name)s is gone.") % {"name": name})
raise Refused("a", gettext(f"{name} is gone."))
raise Refused("a", gettext(_MARKED))
raise Refused("a", gettext(_PLAIN))
"""
    assert [words for _, words in untranslated(source)] == [
        "'Plain.'",
        "f'{name} is gone.'",
        "gettext(f'{name} is gone.')",
    ]
    assert list(unmarked(source)) == ["_PLAIN"]


def test_remedies_are_among_the_sentences_that_are_collected() -> None:
    collected = {call.value.args[0].value for call in ast.parse(marked()).body}  # type: ignore[attr-defined]
    assert collected == set(remedies.sentences())
    assert set(remedies.words(21210)) < collected


def test_a_sentence_outside_gettext_is_noticed() -> None:
    source = 'say(gettext("The line broke.")); say("The line broke."); '
    source += 'say(ngettext("%(n)s line", "%(n)s lines", 2));'
    found = [(text, bool(ASKED.search(before))) for _, text, before in literals(source)]
    assert found == [
        ("The line broke.", True),
        ("The line broke.", False),
        ("%(n)s line", True),
        ("%(n)s lines", True),
    ]
