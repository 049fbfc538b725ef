"""What --help ends with; the manual page has the same."""

from collections.abc import Collection

from tokentop.views.ledger import verbs
from tokentop.views.template import described

EPILOG = """\
examples:
  tokentop                      the full screen
  tokentop --demo               the full screen on a simulated machine
  tokentop --demo=fleet         64 engines behind a Prometheus server
  tokentop --compact            one line, for a status bar
  tokentop --compact --watch    a fresh line every interval
  tokentop --format '{gpu_util}% {queued} {multiplier:.2f}x'
  tokentop --json | jq .demand.tier
  tokentop --check              for Nagios and its kin
  tokentop doctor               what was found, what not, and what to do
  tokentop config --example     a commented configuration file
  tokentop serve                the same over HTTP, for browsers and Prometheus
  tokentop --record night.rec   the full screen, and each poll kept in a file
  tokentop replay night.rec     that file on the full screen
  tokentop example              what ships beside the program, by name
  tokentop completion bash      completion for a shell: bash, zsh or fish
  tokentop ledger import FILE   book a gateway's usage records
  tokentop ledger report --by project,model --since 7d

exit codes:
  0  printed from at least one live source
  1  an unexpected fault
  2  a usage or configuration error
  3  nothing answered; the line, or the JSON, is printed still
  with --check: 0 normal, 1 pressure or a budget below an hour,
                2 saturated, 3 unknown or an error
  of ledger: 4 rows were refused, or the ledger was tampered with
"""


def epilog(commands: Collection[str]) -> str:
    """The verbs of ledger, the names of --format, examples and exit codes.

    `commands` are verbs that are commands of their own.
    """
    ledger = ["verbs of ledger:", *verbs.described(commands), ""]
    names = ["names for --format, with Python format specs:", *described(), ""]
    return "\n".join([*ledger, *names, EPILOG])
