"""A page that comes in two halves, the second when the first was drawn."""

import http.server
import threading
import urllib.request

DRAWN = ("<script>requestAnimationFrame(() => requestAnimationFrame(() =>"
         " fetch('/drawn')))</script>")


class Halves:
    """Serves page, cut after a text in it, at the URL that "with" gives; what
    the page asks for comes from site."""

    def __init__(self, site, page, after):
        first, cut, second = page.partition(after)
        assert cut, page
        self.site = site
        self.halves = first + DRAWN + cut, second
        self.drawn = threading.Event()

    def __enter__(self):
        halves = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                halves.answer(self)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                      Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}/"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request):
        if request.path == "/drawn":
            self.drawn.set()
            request.send_error(404)
            return
        request.send_response(200)
        if request.path != "/":
            with urllib.request.urlopen(self.site + request.path,
                                        timeout=10) as answer:
                request.send_header("Content-Type",
                                    answer.headers["Content-Type"])
                request.end_headers()
                request.wfile.write(answer.read())
            return
        request.send_header("Content-Type", "text/html; charset=utf-8")
        request.end_headers()
        request.wfile.write(self.halves[0].encode())
        assert self.drawn.wait(20)
        request.wfile.write(self.halves[1].encode())
