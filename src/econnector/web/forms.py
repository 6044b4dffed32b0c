"""What a person typed, and what was wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request

__all__ = ["Form", "Mistake", "read_form"]

_MOST_FIELDS = 100
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One field's error, as shown below the field and in the summary that links to it."""

    field: str
    text: str


@dataclass(slots=True)
class Form:
    """The values of a form and its mistakes so far; what a template's fields are drawn from."""

    values: Mapping[str, str] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def get(self, name: str) -> str:
        """Return what was typed into a field, as it was typed."""
        return self.values.get(name, "")

    def wrong(self, name: str, text: str) -> None:
        """Note a mistake; a field shows its first."""
        if not self.mistake(name):
            self.mistakes.append(Mistake(name, text))

    def mistake(self, name: str) -> str:
        """Return the field's error, or an empty text."""
        return next((mistake.text for mistake in self.mistakes if mistake.field == name), "")

    def without(self, *names: str) -> "Form":
        """Return the form with those fields emptied: passwords are never sent back."""
        return Form({name: value for name, value in self.values.items() if name not in names}, self.mistakes)


async def read_form(request: Request) -> Form:
    """Return the posted fields, the first of each name; any other kind of body counts as an empty form.

    The size is bounded by `guard.Guard`, which raises `RequestTooLarge` while the body is read.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return Form()
    body = (await request.body()).decode("utf-8", "replace")
    try:
        pairs = parse_qsl(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return Form()
    return Form({name: value.replace("\0", "") for name, value in reversed(pairs)})
