"""ISO Schematron as XSLT: what HL7's files use of it, which is XPath 1.0 without includes or abstract patterns.

Written for these files because lxml's own (the ISO skeleton) takes ten times as long: it walks the document anew for
each of 800 patterns.

Each pattern becomes a mode. Its rules become templates of falling priority, so that of a pattern only the first rule
that matches a node fires, as the standard says; they are applied to the nodes that any of its contexts selects.
"""

import re
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from lxml import etree

__all__ = ["Broken", "Schematron"]

_SCH = "{http://purl.oclc.org/dsdl/schematron}"
_CONF = re.compile(r"CONF:\s*([\d-]+)")
_TEMPLATE = re.compile(
    r"cda:templateId\[\(?@root\s*=\s*'([^']+)'(?:\s+and\s+(?:@extension\s*=\s*'([^']+)'|(not\(@extension\))))?"
)
_DECLARING = re.compile(
    r"(cda:\w+)\[cda:templateId\[@root\s*=\s*'([^']+)'(?: and (?:@extension\s*=\s*'[^']+'|not\(@extension\)))?\]\]"
)
_PATH = """<xsl:template name="path"><xsl:for-each select="ancestor-or-self::*">/<xsl:value-of select="name()"/>\
<xsl:variable name="n" select="name()"/><xsl:if test="parent::*">[<xsl:value-of \
select="1 + count(preceding-sibling::*[name() = $n])"/>]</xsl:if></xsl:for-each></xsl:template>"""


class Broken(NamedTuple):
    """A rule that a document breaks."""

    rule: str
    """The rule's id."""
    number: str
    """The assertion's own id, or the CONF number in its text; empty where it has neither."""
    text: str
    path: str


class Schematron:
    """One edition's rules, those of its phase `errors`."""

    def __init__(self, xml: bytes, base: str) -> None:
        schema = etree.fromstring(xml, None)
        active = {one.get("pattern") for one in schema.findall(f"{_SCH}phase[@id='errors']/{_SCH}active")}
        self._patterns = [one for one in schema.findall(f"{_SCH}pattern") if one.get("id") in active]
        self._abstract = {
            str(rule.get("id")): rule for rule in schema.iter(f"{_SCH}rule") if rule.get("abstract") == "true"
        }
        self._asserts: list[tuple[str, str, str]] = []
        self.contexts: list[str] = []
        self._sheet = etree.XSLT(etree.fromstring(self._written(schema), None, base_url=base))
        self.templates = {_template(found) for one in self.contexts for found in _TEMPLATE.finditer(_own(one))}
        """Root and extension of every template that a rule is about; the extension is None where any will do."""

    def judge(self, doc: etree._Element) -> tuple[int, list[Broken]]:
        """Return how often a rule fired and what was broken."""
        fired, broken = 0, list[Broken]()
        for line in str(self._sheet(doc)).splitlines():
            if line == "F":
                fired += 1
            elif line:
                place, path = line.split(" ", 1)
                broken.append(Broken(*self._asserts[int(place)], path))
        return fired, broken

    def _written(self, schema: etree._Element) -> str:
        spaces = schema.findall(f"{_SCH}ns")
        names = " ".join(f"xmlns:{one.get('prefix')}={quoteattr(one.get('uri', ''))}" for one in spaces)
        modes, templates = list[str](), list[str]()
        for place, pattern in enumerate(self._patterns):
            rules = [rule for rule in pattern.findall(f"{_SCH}rule") if rule.get("abstract") != "true"]
            alternatives = [one for rule in rules for one in _alternatives(rule.get("context", ""))]
            if not alternatives:
                continue
            every = " | ".join(_selecting(one) for one in alternatives)
            modes.append(f'<xsl:apply-templates select={quoteattr(every)} mode="p{place}"/>')
            templates.extend(self._rule(rule, f"p{place}", len(rules) - nth) for nth, rule in enumerate(rules))
        return (
            f'<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform" {names}>'
            '<xsl:output method="text"/><xsl:key name="declared" match="cda:templateId" use="@root"/>'
            f"{''.join(_variable(one) for one in schema.findall(f'{_SCH}let'))}"
            f'<xsl:template match="/">{"".join(modes)}</xsl:template>{"".join(templates)}{_PATH}</xsl:stylesheet>'
        )

    def _rule(self, rule: etree._Element, mode: str, priority: int) -> str:
        context = rule.get("context", "")
        self.contexts.append(context)
        body = "".join(_variable(one) for one in rule.findall(f"{_SCH}let"))
        body += "".join(self._assert(one, str(rule.get("id"))) for one in self._asserted(rule))
        return (
            f'<xsl:template match={quoteattr(context)} mode="{mode}" priority="{priority}">'
            f"<xsl:text>F&#10;</xsl:text>{body}</xsl:template>"
        )

    def _asserted(self, rule: etree._Element) -> list[etree._Element]:
        """Return the rule's assertions and those of the abstract rules that it extends."""
        found = []
        for one in rule:
            if one.tag == f"{_SCH}extends":
                found += self._asserted(self._abstract[str(one.get("rule"))])
            elif one.tag == f"{_SCH}assert":
                found.append(one)
        return found

    def _assert(self, one: etree._Element, rule: str) -> str:
        text = " ".join("".join(map(str, one.itertext())).split())
        conf = _CONF.search(text)
        self._asserts.append((rule, one.get("id") or (conf[1] if conf else ""), text))
        test = quoteattr(f"not({one.get('test', '')})")
        return (
            f"<xsl:if test={test}><xsl:text>{len(self._asserts) - 1} </xsl:text>"
            '<xsl:call-template name="path"/><xsl:text>&#10;</xsl:text></xsl:if>'
        )


def _variable(one: etree._Element) -> str:
    return f"<xsl:variable name={quoteattr(one.get('name', ''))} select={quoteattr(one.get('value', ''))}/>"


def _template(found: re.Match[str]) -> tuple[str, str | None]:
    root, extension, none = found.groups()
    return root, "" if none else extension


def _alternatives(context: str) -> list[str]:
    """Return the alternatives of a pattern: parts at its `|`, outside brackets and quotes."""
    return [one.strip() for one in _split(context, "|")]


def _selecting(pattern: str) -> str:
    """Return the path to the nodes that a pattern matches. Those known by their template are not searched for twice."""
    if found := _DECLARING.match(pattern):
        return f"key('declared', '{found[2]}')/parent::{found[1]}{pattern[found.end(1) :]}"
    return pattern if pattern.startswith("/") else f"//{pattern}"


def _own(context: str) -> str:
    """Return what a context says of the very node that it matches, leaving its ancestors and descendants out."""
    return " | ".join(step for one in _alternatives(context) if "[cda:templateId[" in (step := _split(one, "/")[-1]))


def _split(text: str, at: str) -> list[str]:
    parts, depth, quote, begun = [], 0, "", 0
    for place, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"":
            quote = char
        elif char in "[(":
            depth += 1
        elif char in "])":
            depth -= 1
        elif char == at and not depth:
            parts.append(text[begun:place])
            begun = place + 1
    return [*parts, text[begun:]]
