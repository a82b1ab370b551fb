"""What a person asks of a creation, in one object."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from imgcif_core.cif.write import Value
from imgcif_core.create.links import Links
from imgcif_core.formats import image_words

if TYPE_CHECKING:
    from imgcif_core.create.questions import Question

Ask = Callable[["Question"], str | None]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a person asks of the creation; immutable.

    links : where the images lie; doi : of the data; name : of the data block; items : CIF items to
    set, by data name; answers : by the keys of the questions; ask : called with each open question,
    None is no answer; force : write even with errors or open questions; overwrite : replace a file that
    is there; knowledge : False to leave out the knowledge base; dxtbx : True to let it read what no
    reader here knows; masters : where the HDF5 masters behind an experiment list lie; exclude : patterns of
    names that are passed over in directories and archives; local : folders that links of HDF5 files may lead
    into beside their own; follow : True to follow them anywhere; progress : called with what is done, how many
    are done, and of how many.
    """

    links: Links = field(default_factory=Links)
    doi: str | None = None
    name: str | None = None
    items: Mapping[str, Value] = field(default_factory=dict)
    answers: Mapping[str, Any] = field(default_factory=dict)
    ask: Ask | None = None
    force: bool = False
    overwrite: bool = False
    knowledge: bool = True
    dxtbx: bool = False
    progress: Progress | None = None
    masters: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    follow: bool = False

    def with_answers(self, answers: Mapping[str, Any]) -> "Wishes":
        """The same with these answers and no others."""
        return replace(self, answers=dict(answers))

    @property
    def all_links(self) -> Links:
        """The links given by option, completed by answers about them."""
        links, answers = self.links, self.answers
        if not links.are_given:
            if answers.get("archive_url"):
                links = replace(links, archive_url=answers["archive_url"])
            elif answers.get("url_base"):
                links = replace(links, url_base=answers["url_base"])
        if answers.get("root") and not links.root:
            links = replace(links, root=answers["root"])
        if "format" in answers:
            words = {word.lower(): word for word in image_words()}
            links = replace(links, format=words.get(answers["format"], answers["format"]))
        return links

    @property
    def all_doi(self) -> tuple[str, str] | None:
        """The DOI and who says it: a person, or the address of the archive; None where nobody does."""
        said = self.doi or self.answers.get("doi")
        if said:
            return said, "person: DOI"
        urls = self.all_links.urls
        if not urls:
            return None
        from imgcif_core.model.repositories import guess_doi

        guessed = guess_doi(urls[0])
        return (guessed, "derived: address of the archive") if guessed else None
