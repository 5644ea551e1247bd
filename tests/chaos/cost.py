"""What a process uses, from /proc."""

import os

from fixtures import program, sanitized


def memory(pid, name="VmRSS"):
    """MiB; 0 when it is gone.  VmHWM is the most it ever had."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            for line in f:
                if line.startswith(name + ":"):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def memory_limit():
    """MiB that turnout-ingest may have.  The address sanitizer keeps what was
    freed, 256 MiB of it, and has a shadow of all."""
    ingest = program("ingest", "turnout-ingest")
    return 1024 if sanitized(ingest) else 256


def cpu_seconds(pid):
    """User and system time so far."""
    with open(f"/proc/{pid}/stat", "rb") as f:
        fields = f.read().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
