"""The fake NVML library for the command's own tests."""

from tests.fake_nvml.plugin import fake_nvml

__all__ = ["fake_nvml"]
