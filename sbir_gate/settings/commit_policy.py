"""Settings whose policy is that of a commit: what judges comes from there, what is judged from here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sbir_gate.model.verdict import PolicyEdit
from sbir_gate.settings.effective import EffectiveSettings
from sbir_gate.settings.entries import Entry, Layer, configuration_error
from sbir_gate.settings.keys import is_known, is_switch, merged, metric_names, with_patterns
from sbir_gate.settings.schema import FixturesSettings
from sbir_gate.settings.validation import validated
from sbir_gate.wrong_input import shown

NOT_SET = "not set"

# What a change may set for itself: how the enrichment runs and what it reads. Everything else is policy, so
# that a new key is guarded by default: also the folder of the reports (a change could
# commit a verdict of its own where the true one is looked for) and what the enricher sees of the environment.
# The fixtures' paths are here because head is judged on the commit's fixture too where the files differ.
# What a metric is called is the change's own affair too: an entry only maps a name (comparing.renaming).
_SUBJECT = (
    "enricher.command",
    "enrichment",
    "fixtures",
    "gate.renamed",
    "matching",
    "reading.max_record_mib",
    "sources",
)
_POLICY = ("enrichment.performance.match_rate_threshold", "enrichment.performance.timeout_seconds")
_FIXTURES = "fixtures."
_METRICS = "gate.metrics."


@dataclass(frozen=True, slots=True)
class CommitSettings:
    """The settings in force, and what the working tree would have of the policy instead.

    `fixtures` are the files that the commit's settings name as the fixture; `effective` has the working
    tree's.
    """

    effective: EffectiveSettings
    edits: tuple[PolicyEdit, ...]
    fixtures: FixturesSettings


def is_policy(key: str) -> bool:
    """Say whether a dotted key is part of what a Run is judged by."""
    if key in _POLICY:
        return True
    return not any(key == subject or key.startswith(f"{subject}.") for subject in _SUBJECT)


def settings_of_commit(
    commit: Sequence[Layer], own: Sequence[Layer], operator: Sequence[Layer]
) -> CommitSettings:
    """Return the settings with the policy of the layers `commit`, all else from `own`, under `operator`.

    Layers are lowest first. `operator` are the environment and the command line: they belong to whoever
    runs the gate, and win over both. A key of the policy that the commit does not have yet takes its own
    value, for there is no other; a metric that it does not have is not judged. A key that the commit has
    and this program no longer knows is ignored, and named among the edits.

    Raises ConfigurationError for values of the commit that cannot be used, by commit, file and line.
    """
    before, after = _merged(commit), _merged(own)
    chosen = {
        key: entry
        for key, entry in after.items()
        if not is_policy(key) or (key not in before and not key.startswith(_METRICS))
    }
    chosen |= {key: entry for key, entry in before.items() if is_policy(key)}
    chosen = with_patterns(_under(chosen, operator))
    faults = [fault for layer in commit for fault in layer.faults]
    settings, value_faults = validated(chosen, metric_names(before))
    if settings is None or faults:
        raise configuration_error([*faults, *value_faults])
    there, here = _under(before, operator), _under(after, operator)
    fixtures = {key: entry for key, entry in there.items() if key.startswith(_FIXTURES)}
    of_commit, value_faults = validated(chosen | fixtures, metric_names(before))
    if of_commit is None:
        raise configuration_error(value_faults)
    origins = MappingProxyType({key: entry.origin for key, entry in chosen.items()})
    edits = (*_edits(there, here), *_forgotten(commit))
    return CommitSettings(EffectiveSettings(settings, origins), edits, of_commit.fixtures)


def _merged(layers: Sequence[Layer]) -> dict[str, Entry]:
    return merged(entry for layer in layers for entry in layer.entries)


def _under(entries: Mapping[str, Entry], operator: Sequence[Layer]) -> dict[str, Entry]:
    return merged([*entries.values(), *(entry for layer in operator for entry in layer.entries)])


def _edits(before: Mapping[str, Entry], after: Mapping[str, Entry]) -> list[PolicyEdit]:
    keys = [key for key in {**before, **after} if is_policy(key) or key.startswith(_FIXTURES)]
    return [
        PolicyEdit(key, _words(before.get(key)), _words(after.get(key)))
        for key in keys
        if _value(before.get(key)) != _value(after.get(key))
    ]


def _value(entry: Entry | None) -> object:
    """Return what is compared: 25 is 25.0, and a limit that is left out is one that is null."""
    return None if entry is None else entry.value


def _words(entry: Entry | None) -> str:
    return NOT_SET if entry is None else shown(entry.value)


def _forgotten(layers: Sequence[Layer]) -> list[PolicyEdit]:
    entries = [entry for layer in layers for entry in layer.entries]
    unknown = {entry.key: entry for entry in entries if not is_known(entry.key) and not is_switch(entry)}
    return [PolicyEdit(key, shown(entry.value), "no key any more") for key, entry in unknown.items()]
