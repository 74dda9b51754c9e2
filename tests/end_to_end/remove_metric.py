"""Print a saved Run without one of its metrics: python remove_metric.py RUN METRIC > DAMAGED."""

import json
import sys
from pathlib import Path

document = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
metrics = document["run"]["metrics"]
kept = [metric for metric in metrics if metric["name"] != sys.argv[2]]
if len(kept) == len(metrics):
    sys.exit(f"{sys.argv[1]} has no metric {sys.argv[2]}")
document["run"]["metrics"] = kept
sys.stdout.write(json.dumps(document))
