"""Answers kept in a file while they are given, so that no interruption loses them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from imgcif_core.create.questions import read_answer
from imgcif_core.errors import OutputError, UsageError
from imgcif_core.output import refuse_output, write_file

_HEAD = "# Answers to the questions of imgcif create; give them again with --answers.\n"
_MOST_NAMES = 1000


class Kept:
    """A file of answers that is written anew after each one; none before the first answer."""

    def __init__(
        self,
        wanted: str | None,
        output: str | None,
        *,
        overwrite: bool = False,
        items: Mapping[str, Any] | None = None,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._wanted, self._overwrite, self._say = wanted, overwrite, say
        self._items = dict(items or {})
        self._texts: dict[str, str] = {}
        self._folder = Path(output).parent if output else Path()
        self._stem = Path(output).stem if output else "imgcif"
        self._has_failed = False
        self.path: Path | None = None
        if wanted is not None:
            refuse_output(wanted, overwrite=overwrite)

    def keep(self, key: str, text: str, answers: Mapping[str, Any]) -> None:
        """Keep an answer as it was typed, with all that were given before."""
        self._texts[key] = text
        self._write(answers)

    def forget(self, key: str, answers: Mapping[str, Any]) -> None:
        """Take back an answer."""
        self._texts.pop(key, None)
        if self.path is not None:
            self._write(answers)

    def remark(self) -> str:
        """Where the answers are; empty where there are none."""
        return "" if self.path is None else f"answers are kept in {self.path}: --answers {self.path} gives them again"

    def _write(self, answers: Mapping[str, Any]) -> None:
        """Write all answers; whoever is asked is told once where that fails."""
        text = _HEAD + answers_text(answers, self._texts, self._items)
        try:
            if self.path is not None:
                write_file(self.path, text)
            elif self._wanted is not None:
                self.path = write_file(self._wanted, text, overwrite=self._overwrite)
            else:
                self.path = self._free(text)
        except OutputError as error:
            if not self._has_failed:
                self._say(f"The answers cannot be kept: {error}")
            self._has_failed = True

    def _free(self, text: str) -> Path:
        """Write under the first name beside the output that is free."""
        for number in range(1, _MOST_NAMES):
            path = self._folder / f"{self._stem}.answers{'' if number == 1 else f'-{number}'}.toml"
            if not path.exists() and not path.is_symlink():
                return write_file(path, text, overwrite=False)
        raise OutputError(f"{self._folder}: no name is free for the answers")


def answers_text(
    answers: Mapping[str, Any], texts: Mapping[str, str] | None = None, items: Mapping[str, Any] | None = None
) -> str:
    """Answers and CIF items as TOML; where a value alone would be refused, the text that was typed."""
    lines = [f"{key} = {_toml(_readable(key, value, (texts or {}).get(key)))}" for key, value in answers.items()]
    if items:
        lines += ["", "[items]", *(f"{json.dumps(name)} = {_toml(value)}" for name, value in items.items())]
    return "\n".join(lines) + "\n"


def _readable(key: str, value: Any, text: str | None) -> Any:
    """A value that reads back as the same answer."""
    try:
        return value if text is None or read_answer(key, value) == value else text
    except UsageError:
        return text


def _toml(value: Any) -> str:
    """A value in TOML; texts as in JSON, but for the one control character that JSON leaves bare."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    return repr(value)
