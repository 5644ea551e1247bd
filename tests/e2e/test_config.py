"""Configuration, command line and plain CGI of both daemons: no server."""

import json
import os
import signal
import subprocess

import pytest
from stacklib import proc
from stacklib.daemons import Fcgi, write_ini

CLEAN = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

# section, key, a bad value
WRONG = {
    "turnout-ingest": [
        ("batch", "max_messages", "0"), ("batch", "max_messages", "50001"),
        ("batch", "max_messages", "10x"), ("batch", "max_messages", "-1"),
        ("batch", "max_messages", "99999999999999999999"),
        ("batch", "max_age_ms", ""), ("kafka", "start", "middle"),
        ("store", "members", "perhaps"), ("log", "level", "loud"),
        ("pg", "timeout_ms", "1.5"),
    ],
    "turnout-fcgi": [
        ("pool", "workers", "0"), ("pool", "workers", "257"),
        ("pool", "workers", "four"), ("pool", "workers", "+4"),
        ("redis", "timeout_ms", "-20"), ("log", "level", "3"),
    ],
}
CASES = [(name, *case) for name, cases in WRONG.items() for case in cases]
# What one line alone cannot say: the file and the key are named, no line.
WRONG_TEXT = [
    ("fcgi", "mode", "0999"), ("fcgi", "mode", ""),
    ("fcgi", "status", "/run/turnout/fcgi.sock"),
    ("redis", "nodes", "redis.example.org:6379"),
    ("redis", "nodes", "127.0.0.1:99999"), ("redis", "nodes", "127.0.0.1"),
    ("redis", "nodes", "127.0.0.1:6379 127.0.0.1:6379"),
    ("pg", "timeout_ms", "1490"), ("pool", "request_timeout_ms", "2020"),
]
BOTH = pytest.mark.parametrize("name", sorted(WRONG))


@pytest.fixture
def run(ingest_program, fcgi_program, tmp_path):
    """run(name, text of its configuration, words...)."""
    programs = {"turnout-ingest": ingest_program,
                "turnout-fcgi": fcgi_program}

    def run_one(name, text, *words, **environment):
        conf = tmp_path / "the.conf"
        if text is not None:
            conf.write_bytes(text if isinstance(text, bytes)
                             else text.encode())
            words = ("-c", str(conf), *words)
        return subprocess.run(
            [programs[name], *words], env={**CLEAN, **environment},
            stdin=subprocess.DEVNULL, capture_output=True,
            encoding="utf-8", errors="replace", check=False, timeout=10,
            cwd=tmp_path)

    return run_one


def check_words(name):
    return ["-n"] + (["run"] if name == "turnout-ingest" else [])


@BOTH
def test_n_says_that_a_good_configuration_is_ok(run, name):
    done = run(name, "[log]\nlevel = warn\n", *check_words(name))
    assert done.returncode == 0, done.stderr
    assert "configuration OK" in done.stdout + done.stderr


@BOTH
def test_a_check_says_which_file_is_right(run, name):
    assert "OK: " in run(name, "[log]\nlevel = warn\n",
                         *check_words(name)).stdout
    assert "the.conf" in run(name, "", *check_words(name)).stdout
    # Installed or not, it is this one.
    assert f"/turnout/{name}.conf" in run(name, None,
                                          *check_words(name)).stdout


def test_check_config_does_the_same(run):
    done = run("turnout-ingest", "[log]\nlevel = warn\n", "check-config")
    assert done.returncode == 0, done.stderr
    assert "configuration OK" in done.stdout + done.stderr


@pytest.mark.parametrize("name, section, key, value", CASES)
def test_a_value_out_of_range_names_its_place_and_key(
        run, name, section, key, value):
    done = run(name, f"# a comment\n[{section}]\n{key} = {value}\n",
               *check_words(name))
    assert done.returncode == 78, done.stderr
    assert "the.conf:3" in done.stderr
    assert f"{section}.{key}" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("section, key, value", WRONG_TEXT)
def test_a_text_that_makes_no_sense_names_its_file_and_key(
        run, section, key, value):
    done = run("turnout-fcgi", f"[{section}]\n{key} = {value}\n", "-n")
    assert done.returncode == 78, done.stderr
    assert "the.conf" in done.stderr
    assert f"{section}.{key}" in done.stderr


@BOTH
@pytest.mark.parametrize("text", [
    "[pool]\nworker = 4\n", "[log]\nlevel = warn\nlevel = info\n",
    "[nothing]\nlevel = warn\n", "[log]\nlevel\n"],
    ids=["unknown-key", "repeated-key", "unknown-section", "no-value"])
def test_a_line_that_is_wrong_is_named(run, name, text):
    done = run(name, text, *check_words(name))
    assert done.returncode == 78, done.stderr
    line = len(text.splitlines())
    assert f"the.conf:{line}" in done.stderr


@BOTH
def test_the_daemon_itself_refuses_what_n_refuses(run, name):
    words = ["run"] if name == "turnout-ingest" else []
    done = run(name, "[log]\nlevel = loud\n", *words)
    assert done.returncode == 78
    assert "log.level" in done.stderr


@BOTH
def test_a_file_that_is_not_there_or_no_text_is_an_error(
        run, name, tmp_path):
    missing = str(tmp_path / "missing.conf")
    done = run(name, None, "-c", missing, *check_words(name))
    assert done.returncode == 78
    assert "missing.conf" in done.stderr
    done = run(name, None, "-c", str(tmp_path), *check_words(name))
    assert done.returncode == 78
    done = run(name, os.urandom(4096), *check_words(name))
    assert done.returncode == 78
    done = run(name, "[log]\nlevel = " + "x" * 5000 + "\n",
               *check_words(name))
    assert done.returncode == 78


@BOTH
def test_the_environment_overrides_the_file_and_is_judged_too(run, name):
    good = run(name, "[log]\nlevel = loud\n", *check_words(name),
               TURNOUT_LOG_LEVEL="warn")
    bad = run(name, "[log]\nlevel = warn\n", *check_words(name),
              TURNOUT_LOG_LEVEL="loud")
    assert (bad.returncode, good.returncode) in ((78, 0), (78, 78))
    assert "TURNOUT_LOG_LEVEL" in bad.stderr


@BOTH
def test_version_help_and_wrong_usage(run, name):
    version = run(name, None, "-V")
    assert version.returncode == 0
    assert version.stdout.startswith(name)
    assert run(name, None, "--version").stdout == version.stdout
    usage = run(name, None, "-h")
    assert run(name, None, "--help").stdout == usage.stdout
    assert usage.returncode == 0
    assert name in usage.stdout
    for words in (["-Z"], ["sing"]):
        wrong = run(name, None, *words)
        assert wrong.returncode == 64, words
        assert words[0].strip("-") in wrong.stderr.splitlines()[0]


@BOTH
def test_closed_standard_files_do_not_hurt(run, name, tmp_path, request):
    program = request.getfixturevalue(
        name.removeprefix("turnout-") + "_program")
    conf = tmp_path / "x.conf"
    conf.write_text("[log]\nlevel = warn\n")
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", program, "-c",
         str(conf), *check_words(name)], env=CLEAN, check=False, timeout=10)
    assert done.returncode == 0


def test_our_safety_settings_of_librdkafka_cannot_be_overridden(run):
    for key, value in (("enable.auto.commit", "true"),
                       ("auto.offset.reset", "latest"),
                       ("check.crcs", "false"),
                       ("isolation.level", "read_uncommitted")):
        done = run("turnout-ingest", f"[rdkafka]\n{key} = {value}\n",
                   "-n", "run")
        assert done.returncode == 78, (key, done.stderr)
        assert key in done.stderr


def test_a_setting_that_librdkafka_does_not_know_is_named(run):
    done = run("turnout-ingest", "[rdkafka]\nno.such.thing = 1\n",
               "-n", "run")
    assert done.returncode == 78, done.stderr
    assert "no.such.thing" in done.stderr


def test_no_secret_of_a_conninfo_is_told(run):
    text = "[pg]\nconninfo = host=/nonexistent password=hush-hush\n"
    for name in WRONG:
        done = run(name, text + "[log]\nlevel = loud\n", *check_words(name))
        assert "hush-hush" not in done.stderr + done.stdout


@pytest.fixture
def cgi(run):
    """cgi(path, query) -> (head, body), without a database and a cache."""
    def ask(path, query="", method="GET"):
        done = run("turnout-fcgi", "[pg]\nconninfo = host=/nonexistent\n",
                   GATEWAY_INTERFACE="CGI/1.1", REQUEST_METHOD=method,
                   SCRIPT_NAME="", PATH_INFO=path, QUERY_STRING=query,
                   SERVER_PROTOCOL="HTTP/1.1")
        assert done.returncode == 0, done.stderr
        head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
        return head, body

    return ask


def test_plain_cgi_gives_one_response(cgi):
    head, body = cgi("/healthz")
    assert "Status: 200" in head
    assert "Content-Type: text/plain" in head
    assert f"Content-Length: {len(body.encode())}" in head


def test_plain_cgi_leaves_the_body_of_a_head_out(cgi):
    head, body = cgi("/healthz", method="HEAD")
    assert "Content-Length: " in head
    assert body == ""


def test_plain_cgi_tells_a_problem_too(cgi):
    head, body = cgi("/api/topk", "k=0")
    assert "Status: 400" in head
    assert json.loads(body)["param"] == "k"
    head, _ = cgi("/api/topk", method="POST")
    assert "Status: 405" in head and "Allow: GET, HEAD" in head
    # Without its database and without a cache there is only one answer.
    head, _ = cgi("/api/topk")
    assert "Status: 503" in head
    assert "Retry-After: " in head


@pytest.fixture
def pool(directory, fcgi_program):
    """turnout-fcgi without a database: enough for its own answers."""
    server = Fcgi(directory, os.path.dirname(os.path.dirname(fcgi_program)))
    server.configure("host=/nonexistent", [], 2)
    server.start()
    yield server
    server.stop()


def test_a_bad_configuration_at_sighup_is_refused_and_the_old_goes_on(pool):
    workers = proc.children(pool.pid())
    write_ini(pool.conf, {"fcgi": {"listen": pool.socket},
                          "pool": {"workers": "many"}})
    pool.reload()
    assert proc.wait_until(lambda: pool.logged("pool.workers"), 5)
    assert pool.alive()
    assert proc.children(pool.pid()) == workers


def test_sighup_rolls_the_workers_to_the_new_configuration(pool):
    before = proc.children(pool.pid())
    pool.configure("host=/nonexistent", [], 3)
    pool.reload()
    assert proc.wait_until(
        lambda: len(pool.workers()) == 3
        and len(proc.children(pool.pid())) == 4
        and not proc.children(pool.pid()) & before,
        10), proc.children(pool.pid())


def test_sigterm_ends_the_pool_with_0_and_removes_its_sockets(pool):
    workers = proc.children(pool.pid())
    assert os.path.exists(pool.status_socket)
    pool.signal(signal.SIGTERM)
    assert pool.child.wait(12) == 0
    assert not [pid for pid in workers if os.path.exists(f"/proc/{pid}")]
    assert not os.path.exists(pool.socket)
    assert not os.path.exists(pool.status_socket)


def test_a_socket_that_is_in_use_is_not_taken_away(pool, fcgi_program):
    second = subprocess.run([fcgi_program, "-c", pool.conf], env=CLEAN,
                            capture_output=True, text=True, check=False,
                            timeout=10, stdin=subprocess.DEVNULL)
    assert second.returncode != 0
    assert pool.socket in second.stderr
    assert pool.alive() and os.path.exists(pool.socket)


def test_a_status_socket_that_is_in_use_stops_the_start(
        pool, fcgi_program, directory):
    """And of the other socket, which could be made, nothing stays."""
    other = os.path.join(directory, "other.conf")
    listen = os.path.join(directory, "other.sock")
    write_ini(other, {"fcgi": {"listen": listen,
                               "status": pool.status_socket}})
    second = subprocess.run([fcgi_program, "-c", other], env=CLEAN,
                            capture_output=True, text=True, check=False,
                            timeout=10, stdin=subprocess.DEVNULL)
    assert second.returncode == 1
    assert pool.status_socket in second.stderr
    assert not os.path.exists(listen)
    assert pool.alive() and os.path.exists(pool.status_socket)
