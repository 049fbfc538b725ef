"""Sends the changed cells of a row, and not everything left of them.

Textual 8 keeps track of the changed spans but sends each row from the widget's left edge on
(`ChopsUpdate.render_segments` crops at the right only): a ticking clock costs a whole header.
"""

from rich.console import Console
from textual._compositor import ChopsUpdate, Compositor


class SparingUpdate(ChopsUpdate):
    """An update that is cropped at both ends of each span."""

    def render_segments(self, console: Console) -> str:
        parts: list[str] = []
        for y, x1, x2 in self.spans:
            for end, (x, strip) in zip(self.chop_ends[y], self.chops[y].items(), strict=False):
                start, stop = max(x, x1), min(end, x2)
                if strip is not None and start < stop:
                    parts.append(f"\x1b[{y + 1};{start + 1}H")
                    parts.append(strip.crop(start - x, stop - x).render(console))
        return "".join(parts)


class SparingCompositor(Compositor):
    """Textual's compositor with sparing partial updates."""

    def render_partial_update(self) -> ChopsUpdate | None:
        update = super().render_partial_update()
        if update is None:
            return None
        return SparingUpdate(update.chops, update.spans, update.chop_ends)
