"""Addresses: what is shown of them, what is refused, and what is an origin."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tokentop.domain.readings import Failure
from tokentop.domain.urls import INVALID, split
from tokentop.transport.http.messages import Request, next_hop, origin, safe_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8001", "http://127.0.0.1:8001"),
        ("HTTP://Host.Example:80/", "http://host.example"),
        ("https://me:secret@host:8443/a/b?key=secret#secret", "https://host:8443/a/b"),
        ("http://me:se@cret@host/", "http://host"),
        ("http://[fe80::1%25eth0]:1/x", "http://[fe80::1]:1/x"),
        ("http://host/grüße", "http://host/gr%C3%BC%C3%9Fe"),
        ("http://bücher.example/", "http://xn--bcher-kva.example"),
        ("http://host:8001?key=secret", "http://host:8001"),
        ("http://user:pa/ss@host/", INVALID),
        ("http://host:0/", INVALID),
        ("http://host:65536/", INVALID),
        ("host:8001", INVALID),
        ("file:///etc/passwd", INVALID),
        ("http://", INVALID),
        ("http://ho st/", INVALID),
        ("http://host\\@evil/", INVALID),
        ("", INVALID),
    ],
)
def test_what_is_shown_of_an_address(url: str, shown: str) -> None:
    """Neither user info nor query nor fragment; what is no http(s) address is shown not at all."""
    assert safe_url(url) == shown


@given(st.text(max_size=300))
@example("http://" + "[" * 50)
@example("http://h/" + "\x1b[31m‮")
@example("http://h/" + "x" * 5000)
def test_showing_never_raises_and_is_always_safe(text: str) -> None:
    """Any text, alone or as any part of an address, is shown in short printable ASCII."""
    for url in (text, f"http://{text}", f"http://host/{text}", f"http://{text}@host/"):
        shown = safe_url(url)
        assert shown.replace("…", "").isascii()
        assert shown.isprintable()
        assert len(shown) <= 256
        assert split(url) is None or origin(url) != INVALID


@given(st.text(st.characters(codec="ascii", exclude_characters="/?#\\"), min_size=1, max_size=20))
def test_user_info_is_never_shown(secret: str) -> None:
    """Whatever a password holds, showing with it is showing without it, or nothing at all."""
    assert safe_url(f"http://{secret}@host:1/x") in ("http://host:1/x", INVALID)


@given(st.text(max_size=60))
@example("http://host:8001@evil/")
@example("//evil")
@example("/\\evil")
@example("https://host:8001/")
@example("http://[")
def test_no_location_leads_off_the_origin(location: str) -> None:
    """Any Location is a Failure or a request to the same scheme, host and port."""
    step = next_hop(Request("http://host:8001/a?key=secret"), location)
    if isinstance(step, Failure):
        assert step.kind == "redirect"
        assert step.text.isprintable()
    else:
        assert origin(step.url) == "http://host:8001"
