"""The commands that the page about manifests shows give what it shows."""

import re
import shlex
from pathlib import Path

from manifest.data import write_quartz

from imgcif_core.cli import main

PAGE = Path(__file__).parents[2] / "docs/manifest.md"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def run(command: str, folder: Path, capsys) -> str:
    """What a command of the page writes; folders are made and listed here."""
    name, *rest = shlex.split(command)
    if name == "mkdir":
        (folder / rest[0]).mkdir()
        return ""
    if name == "ls":
        return "".join(f"{path.name}\n" for path in sorted((folder / rest[0]).iterdir()))
    assert name == "imgcif"
    main(rest)
    out, err = capsys.readouterr()
    return DATE.sub("DATE", out + err)


def test_the_commands_of_the_page_give_what_it_shows(tmp_path: Path, monkeypatch, capsys) -> None:
    write_quartz(tmp_path)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```text\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    steps = [step for block in blocks for step in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.M)]
    assert len(steps) == 6
    for command, shown in steps:
        assert run(command, tmp_path, capsys) == shown, command
