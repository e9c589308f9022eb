"""The page that the demo leaves: nothing of what others wrote becomes markup, and nothing is loaded from elsewhere."""

from html.parser import HTMLParser

from cli.page import page
from registry_autopilot.causes import CAUSES
from registry_autopilot.notices import NoticeDetail, notice_of, slack_payload, sns_subject
from sandbox.reading import Notice
from tests.golden.render import incident_of

_VOID = {"meta", "br"}


class _Reader(HTMLParser):
    """Collects tags, attributes and text; checks that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _page() -> str:
    incident = incident_of(CAUSES["credentials-rejected"]).model_copy(
        update={"subject_name": "<script>alert(1)</script>"}
    )
    notices = [notice_of(incident, change, NoticeDetail.FULL) for change in incident.changes]
    mails = [Notice(sns_subject(notice), notice.body + "\n<b>not bold</b>", {}) for notice in notices]
    return page([slack_payload(notice) for notice in notices], mails, [incident])


def test_names_do_not_become_markup() -> None:
    """A registry may be called anything."""
    reader = _Reader()
    reader.feed(_page())
    assert reader.open == []
    assert "script" not in reader.tags
    assert "<script>alert(1)</script>" in reader.text
    assert "<!channel>" in reader.text
    assert "<b>not bold</b>" in reader.text


def test_nothing_is_loaded_from_elsewhere() -> None:
    """The page is whole by itself."""
    reader = _Reader()
    reader.feed(_page())
    assert not reader.attributes & {"src", "href", "onclick"}
    assert "url(" not in _page()
    assert "@import" not in _page()


def test_page_says_so_when_nobody_was_told_anything() -> None:
    """An empty story."""
    assert "<p>None.</p>" in page([], [], [])
