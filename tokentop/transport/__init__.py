"""The only I/O: sockets, the NVML driver, sysfs and process tables."""
