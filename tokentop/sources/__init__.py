"""What each kind of source is asked, and what its bytes mean. Pure: bytes in, readings out."""
