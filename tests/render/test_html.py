"""The page, read back by the standard library's parser."""

from html.parser import HTMLParser

from reports import ATTACK, HOSTILE, REPORT, at, finding, single

from imgcif_core.findings import Report
from imgcif_core.render import render
from imgcif_core.render.excerpt import visible

VOID = {"meta", "br"}


class Page(HTMLParser):
    """Texts by element; opening and closing tags have to match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self.open):
            self.texts[tag][-1] += data


def test_every_page_is_well_formed_and_fetches_nothing(any_report: Report) -> None:
    page = Page(render(any_report, "html"))
    names = {tag for tag, _ in page.tags}
    assert not names & {"script", "link", "img", "iframe", "object", "form", "base"}
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")


def test_the_page_shows_counts_verdicts_findings_and_outcomes() -> None:
    page = Page(render(REPORT, "html"))
    text = page.texts["body"][0]
    for part in (
        "data/a b.cif",
        "not conforming: 1 error, 1 warning, 1 info",
        "axis phi depends on itself",
        "12:22",
        "point kappa at omega",
        "3 times; also at lines 13, 15",
        "0.1 Å to 10 Å",
        "2 rules clean, 1 not applicable",
        "CON001: crashed (ValueError: no)",
        "DET001, DET002: not checked (blocked by AXI002 (line 12))",
        "EXT001, EXT002: not checked (network use is off)",
        "dictionary CIF_IMG 1.8.9 of 2026-05-14 (bundled), SHA-256 dddd",
        "imgcif-check 0.1.0",
        "a" * 64,
    ):
        assert part in text
    assert page.texts["mark"] == ["kappa", "979.5"]
    assert page.texts["pre"][0] == "phi   rotation       kappa  1 0 0"


def test_links_of_the_overview_lead_to_the_files() -> None:
    page = Page(render(REPORT, "html"))
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]
    headings = [attributes["id"] for tag, attributes in page.tags if tag == "h2"]
    assert links == [f"#{name}" for name in headings] and len(links) == 2


def test_severity_is_a_word_as_well_as_a_colour() -> None:
    rows = [attributes["class"] for tag, attributes in Page(render(REPORT, "html")).tags if tag == "tr" and attributes]
    assert rows == ["error", "warning", "info"]
    cells = Page(render(REPORT, "html")).texts["td"]
    assert {"error", "warning", "info"} <= set(cells)


def test_text_of_a_file_stays_text() -> None:
    text = render(HOSTILE, "html")
    assert "<script" not in text
    page = Page(text)
    assert page.texts["h2"] == [visible(f"{ATTACK}.cif")]


def test_a_long_source_line_is_cut_round_the_span() -> None:
    page = Page(render(single(finding(location=at(1, 2000, 5), source_line="<" * 1999 + "kappa" + ">" * 2000)), "html"))
    assert page.texts["mark"] == ["kappa"] and len(page.texts["pre"][0]) == 100


def test_an_empty_report_says_so() -> None:
    assert "No files checked." in render(Report("0.1.0", (), ()), "html")
