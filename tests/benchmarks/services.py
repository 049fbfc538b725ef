"""Seven loopback services in a process of their own: prints their URLs and serves until killed."""

import json
import sys
import threading

from tests.servers.behaviours import hanging
from tests.servers.stack import Stack


def main(delay_s: float, hanging_service: str) -> None:
    with Stack(delay_s=delay_s) as stack:
        if hanging_service:
            stack.misbehave(hanging_service, hanging())
        print(json.dumps(stack.environ()), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
