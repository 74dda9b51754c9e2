"""The results as Markdown: pure functions of what was saved."""

OURS = "ours"
AWARD_LEVEL = (("f1", "award F1"), ("precision", "award precision"), ("recall", "award recall"))
COLUMNS = (
    "way",
    "wall s",
    "CPU s",
    "peak MiB",
    "wall, x ours",
    "CPU, x ours",
    "peak, x ours",
    "F1",
    "precision",
    "recall",
    "recall at precision 0.97",
    "top 1 right",
    "award F1",
    "award precision",
    "award recall",
)


def render(results):
    """Return the table with what it was measured on, from the document that `--output` saved."""
    size = results["size"]
    work = (
        f"{size['awards']:,} awards against {size['recipients']:,} recipients (synthesised, seed"
        f" {size['seed']}). The fuzzy stage has {results['fuzzy_queries']:,} queries,"
        f" {results['findable_queries']:,} of them with a right recipient in the table."
    )
    return page(results, work, [*table(results["ways"]), *as_it_decides(results["ways"])])


def page(results, work, table_lines):
    """Return a table under what was measured, when, where and with what."""
    versions = "; ".join(
        f"{side}: " + ", ".join(f"{name} {version}" for name, version in found.items())
        for side, found in results["versions"].items()
    )
    lines = [
        f"Measured on {results['date']}: {results['machine']}. {versions}.",
        "",
        "```sh",
        results["command"],
        "```",
        "",
        work,
        "",
        *table_lines,
    ]
    return "\n".join(lines) + "\n"


def as_it_decides(ways):
    """Return the award level of the engine's own links, which no truth has set a threshold for."""
    rates = next(
        (way["as_it_decides"] for way in ways if way["name"] == OURS and "as_it_decides" in way), None
    )
    if rates is None:
        return []
    shown = ", ".join(f"{name} {rate(rates[key])}" for key, name in AWARD_LEVEL)
    return ["", f"The engine's links as it decides them, at its own acceptance limit: {shown}."]


def table(ways):
    """Return the lines of the table; ratios are to the way called `ours`, where it ran."""
    ours = next((way for way in ways if way["name"] == OURS and not way.get("error")), {})
    lines = [f"| {' | '.join(COLUMNS)} |", "|---|" + "--:|" * (len(COLUMNS) - 1)]
    return lines + [row(way, ours) for way in ways]


def row(way, ours):
    """Return the line of one way; what is extrapolated carries a tilde."""
    if way.get("error"):
        return f"| {way['title']} | failed: {way['error']} |" + " |" * (len(COLUMNS) - 2)
    mark = "~" if way.get("is_extrapolated") else ""
    cells = [
        way["title"] + (f", extrapolated from {way['sampled']} firms" if mark else ""),
        mark + seconds(way["wall_seconds"]),
        mark + seconds(way["cpu_seconds"]),
        f"{way['peak_rss_mib']:,.0f}",
        *(mark + ratio(way[name], ours.get(name)) for name in ("wall_seconds", "cpu_seconds")),
        ratio(way["peak_rss_mib"], ours.get("peak_rss_mib")),
    ]
    quality = way.get("quality")
    cells += quality_cells(quality) if quality else ["-"] * (len(COLUMNS) - len(cells))
    return f"| {' | '.join(cells)} |"


def quality_cells(quality):
    """Return F1 and its parts, recall at the wanted precision, top 1, and the award level."""
    fuzzy, precise, awards = quality["fuzzy"], quality["precise"], quality["awards"]
    top1 = quality["top1_right"] / quality["findable"] if quality["findable"] else None
    at_precision = (
        "none" if precise is None else f"{rate(precise['recall'])} (got {rate(precise['precision'])})"
    )
    return [
        *(rate(fuzzy and fuzzy[name]) for name in ("f1", "precision", "recall")),
        at_precision,
        rate(top1),
        *(rate(awards and awards[name]) for name in ("f1", "precision", "recall")),
    ]


def rate(value):
    """Return a share to three digits, a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def seconds(value):
    """Return seconds with a digit while they are few; hours are told as hours."""
    if value >= 7200:
        return f"{value / 3600:,.1f} h"
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def ratio(value, reference):
    """Return how many times the reference a value is; a dash without a reference."""
    if not reference:
        return "-"
    times = value / reference
    return f"{times:,.1f}" if times < 100 else f"{times:,.0f}"
