"""Two hundred hostile texts, and what tells whether one of them did more than stand there as text."""

from typing import Any

from playwright.sync_api import Dialog, Page

__all__ = ["PAYLOADS", "Harm", "poisoned"]

HIT = "window.__hit=1"
_MARKUP = [
    f"<script>{HIT}</script>",
    f"<script src=//example.org/x.js></script><script>{HIT}</script>",
    f"<SCRIPT>{HIT}</SCRIPT>",
    f"<scr<script>ipt>{HIT}</scr</script>ipt>",
    f"<script\n>{HIT}</script\n>",
    f"<script type=module>{HIT}</script>",
    f"<iframe srcdoc='<script>parent.{HIT}</script>'></iframe>",
    f"<iframe src='javascript:parent.{HIT}'></iframe>",
    f"<object data='javascript:{HIT}'></object>",
    f"<embed src='javascript:{HIT}'>",
    f"<a href='javascript:{HIT}' autofocus>x</a>",
    f"<form action='javascript:{HIT}'><button>x</button></form>",
    f"<button formaction='javascript:{HIT}'>x</button>",
    f"<input type=image src=x onerror={HIT}>",
    f"<isindex type=image src=1 onerror={HIT}>",
    f"<math><mi xlink:href='javascript:{HIT}'>x</mi></math>",
    f"<math><mtext></form><form><mglyph><style></math><img src onerror={HIT}>",
    "<style>@import 'javascript:1';</style>",
    "<style>*{background:url(//example.org/x)}</style>",
    "<link rel=stylesheet href=//example.org/x.css>",
    "<base href=//example.org/>",
    f"<meta http-equiv=refresh content='0;url=javascript:{HIT}'>",
    f"<template><script>{HIT}</script></template>",
    f"<template shadowrootmode=open><script>{HIT}</script></template>",
    f"<noscript><p title='</noscript><img src=x onerror={HIT}>'>",
    f"<textarea><img title='</textarea><img src=x onerror={HIT}>'>",
    f"<title><img title='</title><img src=x onerror={HIT}>'>",
    f"<xmp><img title='</xmp><img src=x onerror={HIT}>'>",
    f"<!--><script>{HIT}</script>-->",
    f"<!--[if IE]><script>{HIT}</script><![endif]-->",
    f"<![CDATA[<script>{HIT}</script>]]>",
    f"<?xml version='1.0'?><script>{HIT}</script>",
    f"<dialog open onclose={HIT}><form method=dialog><button autofocus>x",
    f"<a id=__hit href=x>{HIT}</a><a id=__hit name=x>",
    "<form id=control><input name=csrfmiddlewaretoken value=x></form>",
    "<img name=getElementById><img name=querySelector>",
    "</td></tr></table><h1>Signed out</h1><form action=//example.org/><input name=password>",
    "</bdi></p></li></main><main>",
]
_SVG = [
    f"<svg onload={HIT}>",
    f"<svg/onload={HIT}>",
    f"<svg><script>{HIT}</script></svg>",
    f"<svg><script xlink:href=data:,{HIT}></script></svg>",
    f"<svg><animate onbegin={HIT} attributeName=x dur=1s>",
    f"<svg><set onbegin={HIT} attributeName=x>",
    f"<svg><a xlink:href='javascript:{HIT}'><text x=20 y=20>x</text></a></svg>",
    f"<svg><use href='data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>{HIT}</script></svg>#x'>",
    f"<svg><foreignObject><iframe srcdoc='<script>parent.{HIT}</script>'></foreignObject></svg>",
    f"<svg><image href=x onerror={HIT}></svg>",
    f"<svg><style><img src=x onerror={HIT}></style></svg>",
    f"<svg><desc><![CDATA[</desc><script>{HIT}</script>]]></svg>",
]
_HANDLERS = [
    f"<{tag} {event}={HIT}>x"
    for tag, event in (
        ("img src=x", "onerror"),
        ("img src=x", "OnErRoR"),
        ("image src=x", "onerror"),
        ("body", "onload"),
        ("body", "onpageshow"),
        ("input autofocus", "onfocus"),
        ("select autofocus", "onfocus"),
        ("textarea autofocus", "onfocus"),
        ("button autofocus", "onfocus"),
        ("div tabindex=1 autofocus", "onfocus"),
        ("details open", "ontoggle"),
        ("video src=x", "onerror"),
        ("video><source", "onerror"),
        ("audio src=x", "onerror"),
        ("object data=x", "onerror"),
        ("marquee", "onstart"),
        ("style", "onload"),
        ("link rel=stylesheet href=x", "onerror"),
        ("iframe src=about:blank", "onload"),
        ("script src=x", "onerror"),
        ("div style=animation:x", "onanimationstart"),
        ("div style=transition:1s", "ontransitionend"),
        ("div", "onpointerover"),
        ("div", "onmouseover"),
        ("div", "onclick"),
        ("div popover", "onbeforetoggle"),
        ("xss contenteditable", "onbeforeinput"),
        ("div", "onscrollsnapchange"),
    )
]
_BROKEN_OUT = [
    f'"><script>{HIT}</script>',
    f"'><script>{HIT}</script>",
    f'"><img src=x onerror="{HIT}">',
    f"'><svg onload={HIT}>",
    f'" onmouseover="{HIT}" x="',
    f"' onfocus='{HIT}' autofocus='",
    f"` onerror=`{HIT}",
    f'" autofocus onfocus={HIT}//',
    f"x onload={HIT}",
    f'\\"><script>{HIT}</script>',
    f"--><img src=x onerror={HIT}>",
    f"--!><img src=x onerror={HIT}>",
    f"]]><script>{HIT}</script>",
    f"*/{HIT}/*",
    f"';{HIT}//",
    f'";{HIT}//',
    f"\\';{HIT}//",
    f"`;{HIT}//",
    f"${{{HIT}}}",
    f"</textarea><script>{HIT}</script>",
    f"</title><script>{HIT}</script>",
    f"</style><script>{HIT}</script>",
    f"</option></select><img src=x onerror={HIT}>",
]
_JSON = [
    f"</script><script>{HIT}</script>",
    f"</SCRIPT ><script>{HIT}</script>",
    f"</script\t><img src=x onerror={HIT}>",
    f"<!--<script>{HIT}</script>",
    f"<!--<script></script><script>{HIT}//-->",
    f"\\u003cscript\\u003e{HIT}\\u003c/script\\u003e",
    f"&lt;script&gt;{HIT}&lt;/script&gt;",
    f"&#60;script&#62;{HIT}&#60;/script&#62;",
    f"&amp;lt;script&amp;gt;{HIT}",
    f"%3Cscript%3E{HIT}%3C/script%3E",
    f"+ADw-script+AD4-{HIT}+ADw-/script+AD4-",
    '"}],"last_id":0,"calls":[]}',
    '{"__proto__":{"may":{"intervene":true}}}',
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "\\",
    '\\"',
    '"\\u0000"',
    "null",
    "undefined",
    "[object Object]",
    "NaN",
]
_URLS = [
    f"javascript:{HIT}",
    f"JaVaScRiPt:{HIT}",
    f"java\tscript:{HIT}",
    f"java\nscript:{HIT}",
    f" javascript:{HIT}",
    f"\x01javascript:{HIT}",
    f"javascript&colon;{HIT}",
    f"javascript://example.org/%0a{HIT}",
    f"data:text/html,<script>{HIT}</script>",
    "data:text/html;base64,PHNjcmlwdD53aW5kb3cuX19oaXQ9MTwvc2NyaXB0Pg==",
    f"vbscript:{HIT}",
    "//example.org/x",
    "https://example.org/?a=1&b=<b>",
    f"tel:+31';{HIT}//",
    f"blob:https://example.org/{HIT}",
]
_TEMPLATES = [
    "{% load static %}{{ request.user }}",
    "{% debug %}",
    "{% include 'base.html' %}",
    "{{ settings.SECRET_KEY }}",
    "{{ 7|add:7 }}",
    "{{7*7}}",
    "{# comment #}",
    "{% comment %}",
    f"{{{{constructor.constructor('{HIT}')()}}}}",
    f"{{{{$on.constructor('{HIT}')()}}}}",
    f"#{{{HIT}}}",
    f"<%= {HIT} %>",
    f"<%{HIT}%>",
    f"[[{HIT}]]",
    f"@{{{HIT}}}",
    "%(caller)s %(n)s %s %d %%",
    "{0} {name} {__class__.__init__}",
    "$& $1 $` $' $$",
]
_LETTERS = [
    f"\u202e<script>{HIT}</script>\u202c",
    "\u202egnp.exe",
    "\u2066left\u2069 \u2067right\u2069",
    "\u200e\u200fmarks",
    "\u061cArabic mark",
    "مرحبا <b>bold</b> שלום",
    "zero\u200bwidth\u200cjoin\u200der\ufeffs",
    "\u00adsoft\u00adhyphen",
    f"\u2028{HIT}\u2029//",
    f"<scr\u0000ipt>{HIT}</scr\u0000ipt>",
    "null\u0000byte",
    "\u0000",
    "bell\x07 back\x08space escape\x1b[31mred\x1b[0m",
    "delete\x7f c1\x85\x9b31m",
    "line\r\nBcc: <b>one</b>",
    "tab\tand\x0bvertical\x0c",
    "\ufffe\uffff noncharacters",
    "full\uff1cwidth\uff1e ＜script＞",
    f"\u2039script\u203a{HIT} ʺʹ",
    "Z͑ͫ̓a̴̵̶l̷̸̡g̢̧̨o̕͢͡ " * 4,
    "\U000e0041\U000e0042 tags",
    "i̇İıI ß ﬁ Å Å",
    "ＡＢＣ 𝕬𝖇𝖈 ⓐⓑⓒ",
    "👩‍👩‍👧‍👦👨🏽‍🚒🏳️‍🌈🇳🇱",
    "👍🏿" * 12,
    "‍‍‍",
    "☎️📞+31 6 12345678",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿 flag",
]
_LONG = [
    "A" * 4000,
    "<" * 2000,
    "<b>" * 600,
    "word " * 700,
    "‮" * 500 + "x",
    "👩‍👧" * 300,
    "&amp;" * 400,
    "'\"" * 600,
]
_FORMULAS = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://example.org/","x")',
    "+1+1",
    "-2+3",
    "@SUM(1+1)",
    "\t=1+1",
    "\r=1+1",
    "%0A=1+1",
    "＝1+1",
    '"=1+1"',
    ";=1+1,=2",
    "|calc",
]
PAYLOADS = [
    *_MARKUP,
    *_SVG,
    *_HANDLERS,
    *_BROKEN_OUT,
    *_JSON,
    *_URLS,
    *_TEMPLATES,
    *_LETTERS,
    *_LONG,
    *_FORMULAS,
]

# Before any script of the page: a broken policy is as bad as an execution, for it is one that was stopped.
_WATCH = """window.__broken = [];
addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sample }) =>
  __broken.push(`${effectiveDirective} ${blockedURI} ${sample}`), true);"""
_HARM = r"""() => {
  const FOREIGN = new Set(("iframe object embed base marquee math style image isindex frame frameset portal"
    + " applet animate set mglyph xss xmp foreignObject").split(" "));
  const ICON = "link[rel=icon][href^='data:image/png;']"; // the count of alerts, painted by the page
  const HEIGHT = /^--above: \d+px;$/; // where the transcript begins, set by the page
  const ADDRESS = /^(href|src|action|formaction|data|xlink:href)$/;
  const SCHEME = /^[\s\x00-\x1f]*(javascript|data|vbscript):/i;
  const own = ({ type, src }) => type === "application/json" || src.startsWith(location.origin);
  const wrong = [...__broken];
  if (window.__hit !== undefined) wrong.push(`executed: ${window.__hit}`);
  for (const one of document.querySelectorAll("*")) {
    const tag = one.localName;
    const strange = tag === "script" ? !own(one) : FOREIGN.has(tag);
    if (strange) wrong.push(`element: ${one.outerHTML.slice(0, 120)}`);
    for (const { name, value } of one.attributes) {
      const inline = name.startsWith("on") || name === "srcdoc" || (name === "style" && !HEIGHT.test(value));
      if (inline) wrong.push(`attribute: ${name}=${value}`);
      if (ADDRESS.test(name) && SCHEME.test(value) && !one.matches(ICON)) wrong.push(`address: ${value}`);
    }
  }
  return wrong;
}"""
# Names and texts; what else stands in a message is a word of ours, a number or a moment.
_OURS = {
    *("type", "state", "status", "phase", "kind", "severity", "mode", "phone", "direction", "outcome"),
    *("verified", "progress", "result", "track", "tracks", "speaker", "stream", "utterance", "leg", "event"),
    *("scope", "identity", "time_zone", "desk", "sid", "at", "since", "until"),
}


def poisoned(value: Any, text: str, name: str = "") -> Any:
    """The same message with `text` in each field that holds a name or a text."""
    match value:
        case dict():
            return {key: poisoned(one, text, key) for key, one in value.items()}
        case list():
            return [poisoned(one, text, name) for one in value]
        case str() if (
            name not in _OURS
            and not name.endswith(("_at", "_since"))
            and name not in {"at", "since", "until"}
        ):
            return text
        case _:
            return value


class Harm:
    """Watches a page from its first script on; `found()` is all that went wrong on it so far."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.dialogs: list[str] = []
        page.add_init_script(_WATCH)
        page.on("dialog", self._asked)

    def _asked(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def found(self) -> list[str]:
        wrong: list[str] = self.page.evaluate(_HARM)
        return [*self.dialogs, *wrong]
