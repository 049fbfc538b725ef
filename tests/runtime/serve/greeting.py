"""The line with which `tokentop serve` says where it listens."""

import re
import subprocess


def port_of(process: "subprocess.Popen[str]") -> int:
    """Wait for the line on standard error and return its port."""
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if found := re.search(r"serving on http://\S+:(\d+)", line):
            return int(found[1])
    raise AssertionError(f"it ended: {said}")
