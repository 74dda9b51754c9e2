"""Self-contained HTML pages: what every report page shares, from the style sheet to the charts.

A page is a `Page` of sections; its blocks hold text and figures that are already worded. `render_page`
escapes all of it and returns one file that works offline.
"""
