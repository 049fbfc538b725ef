"""One panel a file, or a folder where it has parts."""
