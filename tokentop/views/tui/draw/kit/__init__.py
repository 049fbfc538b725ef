"""What every panel is built from: lines, frames, cells, charts, formats."""
