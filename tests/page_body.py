"""Pages as golden files hold them: what is on the page itself."""

import re
from collections import Counter


def body_of(page: str) -> str:
    """Return the page without what every page has: style sheet, policy and scripts. Its ids are distinct."""
    ids = Counter(re.findall(r'\bid="([^"]+)"', page))
    assert not [id_ for id_, count in ids.items() if count > 1]
    return re.sub(r"<script>.*?</script>", "<script></script>", page[page.index("<body>") :], flags=re.DOTALL)
