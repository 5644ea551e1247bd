"""What a browser would make of a page: elements, attributes, links, text."""

import html.parser

VOID = {"meta", "link", "input", "br", "img", "hr", "wbr", "path", "rect",
        "line", "circle", "polyline"}


class Page(html.parser.HTMLParser):
    """elements  {(tag, frozenset of attribute names)}
    links     every href, src and action, in order
    text      all text, and by element in texts
    wrong     end tags that do not match, comments, processing instructions
    """

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.elements = []
        self.links = []
        self.text = ""
        self.open = []
        self.wrong = []
        self.declared = None
        self.feed(source)
        self.close()
        if self.open:
            self.wrong.append(f"still open: {self.open}")

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.links += [value for name, value in attrs
                       if name in ("href", "src", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> does not match")

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        self.wrong.append(f"a comment: {data}")

    def handle_pi(self, data):
        self.wrong.append(f"a processing instruction: {data}")

    def unknown_decl(self, data):
        self.wrong.append(f"a declaration: {data}")

    def handle_decl(self, decl):
        if decl.lower() != "doctype html" or self.declared:
            self.wrong.append(f"a declaration: {decl}")
        self.declared = decl

    def attributes(self):
        return {(tag, name) for tag, found in self.elements
                for name in found}

    def tags(self):
        return {tag for tag, _ in self.elements}
