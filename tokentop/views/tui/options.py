"""The part of the panels' options that keys and mouse choose."""

from tokentop.views.tui.draw.kit.line import DrawOptions
from tokentop.views.tui.state import ViewState


def chosen(view: ViewState) -> DrawOptions:
    """The options of a view; a table has its cursor in its own view alone."""
    engines, gpus = view.name == "engines", view.name == "gpus"
    return DrawOptions(
        sort=view.sort,
        reverse=view.reverse,
        filter=view.filter,
        filtering=view.filtering,
        offset=view.offset,
        compact=view.compact,
        notice=view.notice,
        jump=view.jump,
        hosts=gpus,
        engine_sort=view.engine_sort,
        engine_reverse=view.engine_reverse,
        engine_filter=view.filter if engines else "",
        cursor=view.cursor if engines else None,
        process_sort=view.process_sort if gpus else "gpu",
        process_reverse=view.process_reverse and gpus,
        process_cursor=view.process if gpus else None,
        host_sort=view.host_sort,
        host_reverse=view.host_reverse,
        host_cursor=view.host if view.name in ("hosts", "dashboard") else "",
    )
