"""Pages as golden files hold them: what is on the page itself."""

import re


def body_of(page: str) -> str:
    """Return the page without what every page has: style sheet, policy and scripts."""
    return re.sub(r"<script>.*?</script>", "<script></script>", page[page.index("<body>") :], flags=re.DOTALL)
