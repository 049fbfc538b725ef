"""By what each table can be sorted; it begins with the first."""

GPU_SORTS = ("index", "util", "vram", "temp", "power", "name")
ENGINE_SORTS = ("model", "kind", "slots", "queue", "kv", "tok/s", "ttft", "state")
PROCESS_SORTS = ("gpu", "vram", "sm", "cpu", "memory", "age", "user", "pid")
BUDGET_SORTS = ("clock", "name", "spent", "burn", "left", "velocity", "flags", "state")
