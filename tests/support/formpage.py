"""What a browser without scripts makes of a page with forms: their fields as they stand, ready to be sent."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

__all__ = ["Form", "form_in"]


@dataclass
class Form:
    """A form and what stands in it."""

    action: str
    files: bool = False
    """Whether it takes files."""
    fields: dict[str, str] = field(default_factory=dict)
    """Every field that would be sent, without boxes that are not ticked."""
    words: set[str] = field(default_factory=set)
    """Names of fields that a person sees and types into."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._list = ""
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""), "multipart" in given.get("enctype", ""))
            self.forms.append(self._open)
        elif self._open is not None and tag in {"input", "textarea", "select"}:
            self._take(self._open, tag, given)
        elif self._open is not None and tag == "option" and self._list and "selected" in given:
            self._open.fields[self._list] = given.get("value", "")

    def _take(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name, kind = given.get("name", ""), given.get("type", "text")
        if not name or kind == "file" or (kind == "checkbox" and "checked" not in given):
            return
        form.fields[name] = given.get("value", "")
        self._list, self._area = name if tag == "select" else "", name if tag == "textarea" else ""
        if kind not in {"hidden", "checkbox"} or tag != "input":
            form.words.add(name)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag in {"textarea", "select"}:
            self._area = self._list = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._open is not None:
            self._open.fields[self._area] += data.removeprefix("\n")


def form_in(page: str, path: str) -> Form:
    """Return the last form of the page that is sent to `path`, whatever follows a `?`."""
    reader = _Reader()
    reader.feed(page)
    found = [form for form in reader.forms if form.action.partition("?")[0].endswith(path)]
    assert found, f"no form goes to {path} among {[form.action for form in reader.forms]}"
    return found[-1]
