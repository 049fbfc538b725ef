"""The full screen as pure text: every panel a function of a snapshot, no Textual."""
