"""Links, pictures and anchors of a page."""

from __future__ import annotations

from html.parser import HTMLParser


class PageLinks(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.sources: list[str] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if tag == "a":
            self.hrefs.append(values["href"])
        if tag in ("img", "script", "link"):
            self.sources.append(values.get("src") or values.get("href") or "")
        if "id" in values:
            self.ids.add(values["id"])
