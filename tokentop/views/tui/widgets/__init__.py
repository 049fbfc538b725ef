"""The panel widget: draws lines, sends changed cells, lets text be selected."""
