"""The recipients as an asset: the larger side of the match, observed where it lies, never written."""

# no postponed annotations here: Dagster reads those of the functions that it decorates

import warnings

import dagster as dg

from sbir_gate.orchestration.asset_set import AssetSet
from sbir_gate.orchestration.facts import source_facts
from sbir_gate.orchestration.retries import as_failures
from sbir_gate.orchestration.steps import AssetShape
from sbir_gate.orchestration.table_facts import kinds_of, uri_facts
from sbir_gate.pipeline.asset_files import asset_files
from sbir_gate.pipeline.recipient_store import recipients_digest
from sbir_gate.settings.schema import Settings


def make_recipients(of_set: AssetSet, shape: AssetShape, settings: Settings) -> dg.AssetsDefinition:
    """Return the asset; its observation in a run says which recipients the awards were linked to."""
    arrives = dg.AutomationCondition.any_deps_updated()
    looked_at = dg.AutomationCondition.on_cron(settings.orchestration.schedule)
    spec = dg.AssetSpec(
        of_set.recipients,
        deps=list(filter(None, [of_set.recipients_from])),
        group_name=shape.group,
        owners=list(shape.owners),
        tags=dict(shape.tags),
        kinds=kinds_of(settings.fixtures.recipients),
        automation_condition=arrives if of_set.recipients_from is not None else looked_at,
        description="The recipients of USAspending that awards are linked to, known by their fingerprint.",
    )
    with warnings.catch_warnings():
        # observed assets are "beta" for Dagster, and have been there for years
        warnings.simplefilter("ignore", dg.BetaWarning)

        @dg.multi_observable_source_asset(  # type: ignore[untyped-decorator]  # Dagster types it loosely
            name="_".join(of_set.recipients.path),
            specs=[spec.with_io_manager_key(shape.io_manager)],
            required_resource_keys={shape.settings_resource},
        )
        def usaspending_recipients(context: dg.AssetExecutionContext) -> dg.ObserveResult:
            with as_failures():
                settings = shape.gate(context).effective().settings
                known = source_facts(settings.fixtures.recipients, settings)
                digest = recipients_digest(settings, asset_files(settings))
            return dg.ObserveResult(
                data_version=dg.DataVersion(digest),
                metadata={**known, **uri_facts(settings.fixtures.recipients)},
            )

    observed: dg.AssetsDefinition = usaspending_recipients
    return observed
