"""What the driver's Xid numbers mean, in a few words; by NVIDIA's catalogue of Xid errors."""

_WORDS = {
    13: "fault in a program's kernel",
    31: "memory page fault of a program",
    32: "corrupt push buffer",
    38: "driver firmware error",
    43: "a program's channel was stopped",
    45: "a program's channel was cleaned up",
    48: "uncorrectable ECC error",
    61: "microcontroller breakpoint",
    62: "microcontroller halt",
    63: "memory row remapped",
    64: "memory row could not be remapped",
    69: "fault in a program's kernel",
    74: "NVLink error",
    79: "fell off the bus",
    92: "many correctable ECC errors",
    94: "contained ECC error: restart the program",
    95: "uncontained ECC error: reset the GPU",
    109: "context switch timeout",
    119: "firmware (GSP) does not answer",
    120: "firmware (GSP) error",
    121: "C2C link error",
    140: "uncorrected ECC error, not recovered",
    143: "GPU could not start",
    149: "NVLink error",
    154: "the GPU needs a recovery action",
}


def xid_words(code: int) -> str:
    """`Xid 79 fell off the bus`; the number alone where the catalogue is silent."""
    return f"Xid {code} {_WORDS.get(code, '')}".rstrip()
