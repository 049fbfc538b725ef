"""The text views' one refresh: every source and engine asked at once, with one deadline."""
