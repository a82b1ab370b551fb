"""What the parts of the parser share: the document that grows, the tokens, and how columns are entered."""

from collections import Counter

import numpy as np

from imgcif_core.cif.columns import Column
from imgcif_core.cif.document import BinarySection, Block, Document, Loop, Quoting, Source, SyntaxProblem
from imgcif_core.cif.recovery import category_of
from imgcif_core.cif.tokens import Kind, Token, Tokeniser
from imgcif_core.cif.values import decode_text, fold

MAX_PROBLEMS = 1000
NAME_LIMIT = 75


class Reading:
    """One text read by the rules of one version of CIF, with all that was said about it."""

    def __init__(
        self,
        source: Source,
        start: int,
        *,
        version: str | None,
        magic: str,
        is_cbf: bool,
        sections: list[BinarySection],
        is_fast: bool,
    ) -> None:
        self.document = Document(source, version, magic, is_cbf, sections=sections)
        self._source = source
        self._totals: Counter[str] = Counter()
        self._is_fast = is_fast
        self._is_cif2 = version == "2.0"
        self._tokens = Tokeniser(source.data, start, is_cif2=self._is_cif2, sections=sections, report=self._report)
        self._block: Block | None = None
        self._frame: Block | None = None
        self._codes: dict[str, Block] = {}
        self._frame_codes: set[str] = set()
        self._meant: dict[int, str] = {}
        self._token = Token(Kind.END, start, start)

    def _advance(self) -> None:
        self._token = self._tokens.next()

    def _report(self, problem: SyntaxProblem) -> None:
        """Count a problem, and keep it while there is room."""
        self._totals[problem.code] += 1
        if self._totals[problem.code] <= MAX_PROBLEMS:
            here = self._frame or self._block
            if problem.block is None and here is not None:
                problem = SyntaxProblem(
                    problem.code,
                    problem.variant,
                    problem.start,
                    problem.end,
                    problem.severity,
                    here.name,
                    problem.item,
                    problem.data,
                )
            self.document.problems.append(problem)

    def _say(
        self,
        code: str,
        variant: str,
        start: int,
        end: int,
        severity: str = "error",
        item: str | None = None,
        **data: object,
    ) -> None:
        self._report(SyntaxProblem(code, variant, start, end, severity, None, item, data))

    def _text(self, token: Token, limit: int = 80) -> str:
        """The beginning of a token, for a message."""
        return decode_text(self._source.data[token.start : min(token.end, token.start + limit)])

    def _here(self, token: Token) -> Block:
        """The block or frame that receives items; an unnamed one where no heading came."""
        if self._frame is not None:
            return self._frame
        if self._block is None:
            self._block = Block("", "data", token.start, token.start)
            self.document.blocks.append(self._block)
            self._say("SYN001", "no-data-heading", token.start, token.end, text=self._text(token))
        return self._block

    def _rename(self, name: Token, meant: str, variant: str) -> None:
        """Read a token as another name than it spells, and say so."""
        self._meant[name.start] = meant
        self._say("SYN013", variant, name.start, name.end, item=meant, text=self._text(name), name=meant)

    def _single(self, block: Block, name: Token, value: Token) -> None:
        """Enter an un-looped item."""
        starts = np.array([value.start], dtype=np.int64)
        ends = np.array([value.end], dtype=np.int64)
        quoting = None if value.quoting is Quoting.BARE else np.array([value.quoting], dtype=np.uint8)
        self._add(block, name, starts, ends, quoting, None)

    def _line_end(self, position: int, limit: int) -> int:
        """Where the line of a position ends, looked for up to a limit."""
        data = self._source.data
        limit = min(limit, len(data))
        ends = [at for at in (data.find(b"\n", position, limit), data.find(b"\r", position, limit)) if at >= 0]
        return min(ends, default=limit)

    def _category(self, name: Token) -> bytes:
        """The category that a name spells."""
        return category_of(self._source.data[name.start : name.end])

    def _name_limits(self, name: Token) -> None:
        """The limit of CIF 1.1 on the length of a name."""
        if not self._is_cif2 and name.end - name.start > NAME_LIMIT:
            text = self._text(name)
            length = name.end - name.start
            self._say("SYN010", "name", name.start, name.end, "warning", item=text, length=length, name=text)

    def _add(
        self,
        block: Block,
        name: Token,
        starts: np.ndarray,
        ends: np.ndarray,
        quoting: np.ndarray | None,
        loop: Loop | None,
    ) -> None:
        """Make a column, and enter it unless the block holds that name."""
        text = self._meant.get(name.start) or decode_text(self._source.data[name.start : name.end])
        self._name_limits(name)
        column = Column(text, self._source, name.start, name.end, starts, ends, quoting, loop)
        if loop is not None:
            loop.columns.append(column)
        key = fold(text)
        first = block.columns.get(key)
        if first is None:
            block.columns[key] = column
        else:
            line = self._source.line_of(first.name_start)
            self._say("SYN004", "", name.start, name.end, item=text, name=text, first_line=line)
