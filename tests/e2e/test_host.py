"""What an operator includes in an nginx that runs already: its paths, and its
limits.  No pool is behind it."""

import os
import re

import pytest
import requests
from fixtures import BUILD, SRC
from stacklib import proc
from stacklib.nginx import Nginx

FILE = "/static/icon.svg"


def test_the_cache_has_a_home():
    """nginx makes the folder itself, but none above it: without that one
    "nginx -t" fails."""
    with open(os.path.join(BUILD, "nginx", "turnout-http.conf"),
              encoding="ascii") as f:
        path, = re.findall(r"^fastcgi_cache_path (\S+) ", f.read(), re.M)
    if not os.path.isdir("/etc/nginx"):
        pytest.skip("Debian's nginx is not installed")
    assert os.path.isdir(os.path.dirname(path)), path


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    """It takes a client's address from X-Real-IP."""
    server = Nginx(str(tmp_path_factory.mktemp("host")), SRC, extra="""
        set_real_ip_from 127.0.0.1;
        real_ip_header X-Real-IP;
        """)
    try:
        server.start()
    except proc.Missing as why:
        pytest.skip(str(why))
    yield server
    server.stop()


def statuses(nginx, addresses):
    with requests.Session() as session:
        return [session.get(nginx.url() + FILE, timeout=5,
                            headers={"X-Real-IP": address}).status_code
                for address in addresses]


NETWORKS = [  # the addresses of one, and one of another
    (["192.0.2.7"] * 300, "192.0.2.8"),
    ([f"2001:db8:1:2:{n:x}::{n:x}" for n in range(1, 301)], "2001:db8:1:3::1"),
    ([f"2001:db8:1:4::{n:x}" for n in range(1, 301)], "2001:db8:1:5::1"),
    ([f"2001:db8:2::{n:x}" for n in range(1, 301)], "2001:db8:2:1::1"),
    ([f"2001:db8::{n:x}:1" for n in range(1, 301)], "2001:db8:0:1::1"),
    ([f"2001::{n:x}:1:1:1" for n in range(1, 301)], "2001:0:0:1::1"),
]


@pytest.mark.parametrize("inside, outside", NETWORKS)
def test_who_asks_too_often_is_refused_with_all_of_its_network(
        nginx, inside, outside):
    """100 at once are let through, and 50 more each second."""
    answers = statuses(nginx, inside)
    assert answers[:100] == [200] * 100
    assert 429 in answers
    assert statuses(nginx, [outside]) == [200]


def test_this_host_is_not_limited(nginx):
    assert statuses(nginx, ["127.0.0.1"] * 300 + ["::1"] * 300) == [200] * 600
