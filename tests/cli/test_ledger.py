"""`tokentop ledger`, the installed command, on captured records."""

import csv
import json
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import environment, in_process, run
from tests.domain.ledger.examples import event
from tests.payloads import payload
from tokentop.domain.economy.valuation import Value
from tokentop.transport.ledger.database import connect
from tokentop.transport.ledger.writer import Writer

EVENTS = ("chat_success", "chat_cache_hit", "chat_stream_client_disconnected_499",
          "chat_failure_400_from_engine")  # fmt: skip
ALL_TIME = ("--since", "2026-01-01")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """A state directory of its own; the writer has a name that does not depend on the host."""
    config = tmp_path / "config.toml"
    config.write_text('[ledger]\nwriter = "gpu-box"\n')
    return environment(XDG_STATE_HOME=str(tmp_path / "state"), TOKENTOP_CONFIG=str(config))


@pytest.fixture
def records(tmp_path: Path) -> str:
    """Four captured events of LiteLLM, a line each, and two that are no usage."""
    events = (json.loads(payload(f"usage/litellm/{name}.json")) for name in EVENTS)
    path = tmp_path / "usage.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in events) + '{"a": 1}\n{"torn\n')
    return str(path)


def ledger(
    *words: str, env: dict[str, str], code: int = 0, by: Callable[..., Any] = in_process
) -> str:
    done = by("ledger", *words, env=env)
    assert (done.returncode, done.stderr) == (code, ""), done.stderr
    return done.stdout


@pytest.fixture
def filled(env: dict[str, str], records: str) -> dict[str, str]:
    assert in_process("ledger", "import", records, env=env).returncode == 4
    return env


def test_a_file_is_booked_once(env: dict[str, str], records: str) -> None:
    """What is refused is named by its line, and makes the exit code 4."""
    first = run("ledger", "import", records, env=env)
    assert first.stdout == "booked 4, in the ledger already 0, refused 2\n"
    assert first.stderr.splitlines() == [
        "tokentop: line 5 was not booked: it has neither tokens nor GPU-seconds",
        "tokentop: line 6 was not booked: it is not valid JSON",
    ]
    again = run("ledger", "import", records, env=env)
    assert again.stdout == "booked 0, in the ledger already 4, refused 2\n"
    assert first.returncode == again.returncode == 4


def test_a_report_is_a_table(filled: dict[str, str]) -> None:
    """A guess is marked; a model without a price has no credits."""
    words = ("report", *ALL_TIME, "--by", "user,outcome")
    assert ledger(*words, env=filled, by=run).splitlines() == [
        "user   outcome    requests  prompt  cached  generated  credits        USD",
        "ada    aborted           1     ≈11      ≈0     ≈1,767        —   ≈$0.0035",
        "ada    success           1      19       7         12        —  $0.000043",
        "ada    cache-hit         1       0       0          0        0      $0.00",
        "ada    failure           1       0       0          0        —      $0.00",
        "total                    4     ≈30      ≈7     ≈1,779       ≥0   ≈$0.0036",
    ]


def test_a_report_is_json_with_whole_numbers(filled: dict[str, str]) -> None:
    found = json.loads(ledger("report", "--json", "--by", "project", *ALL_TIME, env=filled))
    assert found["schema"] == "tokentop-ledger/1"
    assert found["since"] == "2026-01-01T00:00:00Z"
    (row,) = found["rows"]
    assert (row["project"], row["requests"], row["prompt"]) == ("alpha", 4, 30)
    assert (row["micro_usd"], row["estimated"], row["unvalued"]) == (43 + 3545, 1, 3)


def test_a_report_is_csv(filled: dict[str, str]) -> None:
    text = ledger("report", "--csv", "--by", "day,team", *ALL_TIME, env=filled)
    (row,) = csv.DictReader(StringIO(text))
    assert (row["day"], row["team"], row["usd"]) == ("2026-11-21", "Blue", "0.003588")


def test_a_report_has_the_mandatory_columns_of_focus(filled: dict[str, str]) -> None:
    """As version 1.4 names them; a day is half open."""
    text = ledger("report", "--focus", *ALL_TIME, env=filled)
    (row,) = csv.DictReader(StringIO(text))
    assert {
        "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency",
        "BillingPeriodStart", "BillingPeriodEnd", "ChargeCategory", "ChargeClass",
        "ChargeDescription", "ChargePeriodStart", "ChargePeriodEnd", "ContractedCost",
        "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity", "PricingUnit",
        "ServiceCategory", "ServiceName", "ServiceProviderName", "HostProviderName",
    } <= set(row)  # fmt: skip
    assert row["ChargePeriodStart"] == "2026-11-21T00:00:00Z"
    assert row["ChargePeriodEnd"] == "2026-11-22T00:00:00Z"
    assert row["BillingPeriodEnd"] == "2026-12-01T00:00:00Z"
    assert (row["BilledCost"], row["ConsumedQuantity"]) == ("0.003588", str(30 + 1779))
    assert (row["SubAccountId"], json.loads(row["Tags"])) == ("Blue", {"project": "alpha"})


def test_since_leaves_out_what_was_before(filled: dict[str, str]) -> None:
    table = ledger("report", "--since", "2026-11-22", "--by", "user", env=filled)
    assert table.splitlines()[1:] == ["total         0       0       0          0        0  $0.00"]


def test_a_checkpoint_kept_elsewhere_finds_what_was_cut_off(
    filled: dict[str, str], tmp_path: Path
) -> None:
    """Signed, verified by the key's public half alone, and held against a shorter ledger."""
    kept, key = tmp_path / "kept.txt", tmp_path / "key.txt"
    kept.write_text(ledger("checkpoint", env=filled, by=run))
    key.write_text(ledger("key", env=filled))
    assert kept.read_text().startswith("tokentop-ledger/gpu-box\n4\n")
    assert key.read_text().startswith("tokentop-ledger/gpu-box+")
    state = tmp_path / "state" / "tokentop"
    assert (state / "ledger.key").stat().st_mode & 0o777 == 0o600
    (state / "ledger.key").unlink()
    given = ("verify", "--checkpoint", str(kept), "--key", str(key))
    assert ledger(*given, env=filled) == (
        "gpu-box: 4 entries, none changed\ncheckpoints that agree: 1\n"
    )
    proof = json.loads(ledger("prove", f"litellm:{_call('chat_success')}", *given[1:], env=filled))
    assert _root(proof).hex() == b64decode(kept.read_text().splitlines()[2]).hex()
    import sqlite3

    intruder = sqlite3.connect(next(state.glob("ledger-*.sqlite3")))
    intruder.executescript("DROP TRIGGER entries_no_delete; DELETE FROM entries WHERE seq = 4")
    intruder.close()
    assert ledger(*given, env=filled, code=4).startswith(
        "gpu-box: entries from 4 on were cut off: a checkpoint has 4"
    )
    refused = in_process("ledger", "checkpoint", env=filled)
    assert refused.returncode == 2
    assert "nothing is signed" in refused.stderr


def _call(name: str) -> str:
    found: str = json.loads(payload(f"usage/litellm/{name}.json"))["litellm_call_id"]
    return found


def _root(proof: dict[str, object]) -> bytes:
    """The first of four leaves, combined with what stands beside it, by hand."""
    assert (proof["index"], proof["size"]) == (0, 4)
    beside = [b64decode(each) for each in proof["path"]]  # type: ignore[attr-defined]
    node = sha256(b"\0" + str(proof["entry"]).encode()).digest()
    for right in beside:
        node = sha256(b"\1" + node + right).digest()
    return node


def test_an_entry_is_shown_reversed_and_its_person_forgotten(filled: dict[str, str]) -> None:
    name = f"litellm:{_call('chat_success')}"
    shown = ledger("show", name, env=filled)
    assert "user             ada\n" in shown
    assert "usd              0.000043\n" in shown
    assert shown.endswith("no price for this model or GPU\n")
    assert ledger("reverse", name, env=filled) == (
        f"booked reversal:{name} as entry 5 of gpu-box\n"
    )
    assert "erased" in ledger("forget", "ada", env=filled, by=run)
    assert "ada" not in ledger("show", name, env=filled).split()  # which may be within a digest
    assert ledger("verify", env=filled).startswith("gpu-box: 5 entries, none changed\n")


def test_a_price_of_ones_own_is_used(filled: dict[str, str], tmp_path: Path) -> None:
    """And opens into its inputs."""
    prices = tmp_path / "prices.toml"
    prices.write_text(
        'name = "ours"\n[[model]]\nname = "Tiny"\nmatch = ["tiny-*"]\ninput = 1000\noutput = 3000\n'
    )
    (tmp_path / "config.toml").write_text('[ledger]\nwriter = "b"\nvaluation = "prices.toml"\n')
    usage = tmp_path / "usage.csv"
    usage.write_text(
        "id,time,user,model,prompt_tokens,completion_tokens,project\n"
        "7,2026-11-21T12:00:00Z,grace,tiny-llama,1000,1000,=HYPERLINK(1)\n"
        "8,2026-11-21T12:00:00Z,grace,tiny-llama,1000,1000,＝HYPERLINK(2)\n"
        "9,2026-11-21T12:00:00Z,grace,tiny-llama,1000,1000,\n"
    )
    assert ledger("import", str(usage), env=filled) == (
        "booked 3, in the ledger already 0, refused 0\n"
    )
    shown = ledger("show", "file:7", env=filled)
    assert shown.endswith("4  computed by tokens\n")
    assert "Tiny in the table “ours”" in shown
    rows = ledger("report", "--csv", "--by", "project", env=filled).splitlines()[1:]
    shown = {row.partition(",")[0] for row in rows}
    assert {"'=HYPERLINK(1)", "'＝HYPERLINK(2)", ""} <= shown


def test_old_entries_are_archived_and_still_covered(
    records: str, env: dict[str, str], tmp_path: Path
) -> None:
    """Three that were booked in January, and four now."""
    path = tmp_path / "ledger.sqlite3"
    (tmp_path / "config.toml").write_text(f'[ledger]\npath = "{path}"\nwriter = "gpu-box"\n')
    january_us = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
    db = connect(str(path), create=True)
    old = [event(number, at_us=january_us) for number in range(3)]
    Writer(db, "gpu-box", lambda _: Value(None, None)).append(old, january_us)
    db.close()
    in_process("ledger", "import", records, env=env)
    report = json.loads(ledger("report", "--json", *ALL_TIME, env=env))
    assert ledger("archive", "--until", "2026-01-01", env=env).startswith("nothing was booked")
    assert ledger("archive", "--until", "94d", env=env, by=run) == (
        "gpu-box-1-3.jsonl.gz: entries 1 to 3 of gpu-box\n"
    )
    assert [each.name for each in (tmp_path / "ledger-archive").iterdir()] == [
        "gpu-box-1-3.jsonl.gz"
    ]
    assert ledger("verify", env=env).startswith("gpu-box: 7 entries, none changed\n")
    assert "alpha" in ledger("show", "test:1", env=env)
    after = json.loads(ledger("report", "--json", *ALL_TIME, env=env))
    assert (after["rows"], after["total"]["requests"]) == (report["rows"], 7)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("archive", "--until", "92d"), "the last 93 days stay"),
        (("archive",), "write how old they must be: `tokentop ledger archive --until 400d`"),
        ((), "ledger takes one of import, report, verify"),
        (("guess",), "ledger takes one of"),
        (("import",), "write `tokentop ledger import FILE`"),
        (("report", "x"), "write `tokentop ledger report`"),
        (("import", "/nonexistent"), "cannot be read (No such file or directory)"),
        (("report",), "`tokentop serve` with intake in [ledger], begins one"),
        (("report", "--by", "colour"), "--by takes user, project"),
        (("report", "--since", "soon"), "'soon' is neither a span like 7d nor a date"),
        (("report", "--csv", "--json"), "choose one of --json, --csv and --focus"),
        (("report", "--focus", "--by", "user"), "--focus has its own columns"),
        (("report", "--compact"), "takes no --compact"),
        (("key",), "there is no key at"),
        (("verify", "--checkpoint", "/dev/null"), "cannot be read (not a regular file)"),
    ],
)
def test_a_mistake_is_one_sentence(
    env: dict[str, str], words: tuple[str, ...], sentence: str
) -> None:
    done = in_process("ledger", *words, env=env)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("words", [("--by", "user"), ("doctor", "--csv"), ("doctor", "x", "y")])
def test_its_options_belong_to_it(env: dict[str, str], words: tuple[str, ...]) -> None:
    assert in_process(*words, env=env).returncode == 2
