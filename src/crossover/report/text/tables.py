"""Markdown that reads well on a page and in a terminal."""


def table(header: list[str], rows: list[list[str]], right: set[int] = frozenset()) -> str:  # type: ignore[assignment]
    """A Markdown table whose columns line up in a terminal.

    Args:
        header: names of the columns.
        rows: cells, as many a row as the header has.
        right: columns that are aligned to the right.
    """
    widths = [max(3, *(len(row[i]) for row in [header, *rows])) for i in range(len(header))]

    def line(cells: list[str]) -> str:
        padded = [
            c.rjust(w) if i in right else c.ljust(w)
            for i, (c, w) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = [f"{'-' * (w - 1)}:" if i in right else "-" * w for i, w in enumerate(widths)]
    return "\n".join([line(header), line(rule), *(line(row) for row in rows)])


def bullets(lines: list[str]) -> str:
    """A Markdown list."""
    return "\n".join(f"- {line}" for line in lines)


def bold_where(condition: bool, text: str) -> str:
    """The text, in bold where the condition holds."""
    return f"**{text}**" if condition else text


def figure(name: str, alternative: str) -> str:
    """A figure of `figures/`, with what it shows in words for who cannot see it."""
    return f"![{alternative}](figures/{name}.png)"
