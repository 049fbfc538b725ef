"""The command's arguments: the table of them, which exclude each other, and the parser."""
