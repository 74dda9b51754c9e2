"""sbir-gate: a CI quality gate for the SBIR to USAspending enrichment."""

from importlib import import_module

__version__ = "0.1.0"

# what `dg` finds by the entry point of this package, in a module that imports Dagster: only then is it loaded
_COMPONENT = "SbirGate"


def __getattr__(name: str) -> object:
    """Return Dagster's component when it is asked for."""
    if name != _COMPONENT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module("sbir_gate.orchestration.component")
    except ModuleNotFoundError as error:
        raise AttributeError(f"{name} needs Dagster: pip install 'sbir-gate[dagster]' ({error})") from error
    component: object = getattr(module, name)
    return component


def __dir__() -> list[str]:
    """List the component too: `dg` lists what it can scaffold by these names."""
    return [*globals(), _COMPONENT]
