"""The questions of a creation, asked one after the other of somebody at a terminal."""

from collections.abc import Callable

from imgcif_core.create.kept import Kept
from imgcif_core.create.questions import Question, Refused
from imgcif_core.create.session import LinkedScan, Session
from imgcif_core.errors import ImgcifError
from imgcif_core.records import dataclass, field

BACK, HELP, STOP, LEAVE, LATER = ("<", "back"), ("?", "help"), ("stop", "quit"), ("-", "none"), ("later", ">")
YES, NO = ("", "y", "yes"), ("n", "no", *BACK)
_ABOUT_PLACE = ("archive_url", "url_base", "root")
_NEEDED = "Nothing can be written without it"
INTRODUCTION = (
    "An answer and Enter goes on. Enter alone takes what is proposed, or leaves out what is not needed;\n"
    "< goes one step back, later puts a question off, ? explains, stop ends the questions.\n"
    "Numbers may have units, such as 580 mm."
)


@dataclass
class Dialogue:
    """Asks the open questions of a session until none is left, or the person stops.

    say : shows lines; read : gives the next line, None at the end of the input; kept : keeps each answer.
    """

    session: Session
    say: Callable[[str], None]
    read: Callable[[], str | None]
    kept: Kept
    _left_out: frozenset[str] = frozenset()
    _put_off: tuple[str, ...] = ()
    _before: list[tuple[Session, frozenset[str], str]] = field(default_factory=list)

    def run(self) -> Session:
        """The session with all answers."""
        if self._open():
            self.say(INTRODUCTION)
        while entries := self._open():
            step = len(self._before) + 1
            self.say(shown(entries[0], step, step + len(entries) - 1))
            reply = self.read()
            if reply is None or not self._take(entries[0], reply.strip()):
                break
        return self.session

    def _open(self) -> list[Question]:
        """What is still to be asked."""
        found = [entry for entry in self.session.questions if entry.key not in self._left_out]
        order = {key: place for place, key in enumerate(self._put_off, 1)}
        return sorted(found, key=lambda entry: order.get(entry.key, 0))

    def _take(self, entry: Question, reply: str) -> bool:
        """Do what a reply asks for; False to end."""
        word = reply.lower()
        if word in STOP:
            return False
        if word in BACK:
            self._step_back()
        elif word in HELP:
            self.say(explained(entry))
        elif word in LATER:
            self._postpone(entry)
        elif word in LEAVE or (not reply and not entry.proposal):
            self._leave_out(entry)
        else:
            self._answer(entry, reply)
        return True

    def _step_back(self) -> None:
        """Undo the last answer, or what was left out last."""
        if not self._before:
            self.say("This is the first question.")
            return
        self.session, self._left_out, key = self._before.pop()
        self.kept.forget(key, self.session.answers)

    def _leave_out(self, entry: Question) -> None:
        """Pass over a question that needs no answer."""
        if entry.is_needed:
            self.say(f"{_NEEDED}; later puts it off, stop ends the questions and keeps the answers so far.")
            return
        self._before.append((self.session, self._left_out, entry.key))
        self._left_out |= {entry.key}

    def _postpone(self, entry: Question) -> None:
        """Ask for it again after all others."""
        self._put_off = (*(key for key in self._put_off if key != entry.key), entry.key)
        if [other.key for other in self._open()] == [entry.key]:
            words = "stop ends the questions and keeps the answers so far" if entry.is_needed else "- leaves it out"
            self.say(f"It is the last question; {words}.")

    def _answer(self, entry: Question, reply: str) -> None:
        """Take an answer, or say why it is refused."""
        text = _chosen(entry, reply or entry.proposal.strip('"'))
        try:
            session = self.session.answered(entry.key, text)
            rows = session.links if entry.key in _ABOUT_PLACE else ()
        except Refused as error:
            self.say(f"Not taken: {error.reason}. Example: {entry.example.strip(chr(34))}")
            return
        except ImgcifError as error:
            self.say(f"Not taken: {error}")
            return
        if rows:
            other = self._confirmation(rows)
            if other is not None:
                # Another address in place of a yes or no.
                if other:
                    self._answer(entry, other)
                return
        self._before.append((self.session, self._left_out, entry.key))
        self.session = session
        self.kept.keep(entry.key, text, session.answers)

    def _confirmation(self, rows: tuple[LinkedScan, ...]) -> str | None:
        """None once a person has seen where the links lead, and takes them; else another answer, or an empty text."""
        self.say("\n".join([*link_lines(rows), "Are these right? [Enter: yes, n: no, or another answer]"]))
        reply = self.read()
        if reply is None or reply.strip().lower() in YES:
            return None
        return "" if reply.strip().lower() in NO else reply.strip()


def shown(entry: Question, step: int, steps: int) -> str:
    """A question as it is asked."""
    lines = ["", f"Question {step} of {steps}", entry.text]
    lines += [f"  {number} {choice}" for number, choice in enumerate(entry.choices, 1)]
    if entry.proposal:
        lines.append(f"[Enter: {entry.proposal.strip(chr(34))}, as {entry.ground}]")
    elif entry.is_needed:
        lines.append(f"(for example {entry.example.strip(chr(34))})")
    else:
        lines.append(f"(for example {entry.example.strip(chr(34))}) [Enter: leave out]")
    return "\n".join(lines)


def explained(entry: Question) -> str:
    """What may be answered."""
    lines = [f"An answer is written as in this example: {entry.example.strip(chr(34))}"]
    if entry.choices:
        lines.append(f"It is one of these, by its words or its number: {', '.join(entry.choices)}.")
    if entry.unit:
        lines.append(f"A number without a unit counts in {entry.unit}; other units are converted.")
    lines.append(f"{_NEEDED}; later puts it off." if entry.is_needed else "It is not needed: - leaves it out.")
    lines.append(f"In a file of answers its key is {entry.key}.")
    return "\n".join(lines)


def link_lines(rows: tuple[LinkedScan, ...], most: int = 8) -> list[str]:
    """Where the images of scans lie, in lines for a person; of many scans the first and the last."""
    lines = []
    for row in rows if len(rows) <= most else (*rows[: most - 1], rows[-1]):
        where = row.url or "beside the file"
        name = row.first if row.frames == 1 or row.first == row.last else f"{row.first} ... {row.last}"
        worked_out = " (worked out from the first two)" if row.is_extrapolated else ""
        lines.append(f"  {row.scan}, {row.frames} frame{'s' if row.frames != 1 else ''}: {where}{worked_out}  {name}")
    if len(rows) > most:
        lines.insert(most - 1, f"  ... {len(rows) - most} scans more ...")
    return lines


def _chosen(entry: Question, reply: str) -> str:
    """The words of a choice for its number."""
    is_number = reply.isdecimal() and len(reply) < 4
    if entry.choices and is_number and 1 <= int(reply) <= len(entry.choices):
        return entry.choices[int(reply) - 1]
    return reply
