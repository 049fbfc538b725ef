"""The fixture `fake_nvml`: `from tests.fake_nvml.plugin import fake_nvml` in a conftest."""

import pytest

from tests.fake_nvml import CannotBuild, FakeNvml, build


@pytest.fixture(scope="session")
def fake_nvml(tmp_path_factory: pytest.TempPathFactory) -> FakeNvml:
    """The fake library, compiled once a session; skips with the reason where that cannot be."""
    try:
        return build(tmp_path_factory.mktemp("fake_nvml"))
    except CannotBuild as why:
        pytest.skip(str(why))
