"""Real states and cities with the zips that belong to them, drawn as people and firms are spread."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from sbir_gate.datasets.synthesising.draws import Draws, Weighted


@dataclass(frozen=True, slots=True)
class Place:
    """A city: `zip_prefix` is the first three digits of all its zips, `state` the two letters."""

    city: str
    state: str
    zip_prefix: str


@dataclass(frozen=True, slots=True)
class Geography:
    """Places as people live there, as SBIR firms sit there, by state, and the states' names."""

    people: Weighted[Place]
    firms: Weighted[Place]
    by_state: Mapping[str, tuple[Place, ...]]
    state_names: Mapping[str, str]

    def elsewhere(self, draws: Draws, state: str) -> Place:
        """Return a place in another state."""
        while True:
            place = draws.weighted(self.people)
            if place.state != state:
                return place


@cache
def geography() -> Geography:
    """Return the places that are shipped in geography.toml."""
    source = tomllib.loads(
        resources.files(__package__).joinpath("geography.toml").read_text(encoding="utf-8")
    )
    rows = [line.split("|") for line in source["places"].strip().splitlines()]
    places = [Place(city, state, zip_prefix) for city, state, zip_prefix, _, _ in rows]
    by_state: dict[str, tuple[Place, ...]] = {}
    for place in places:
        by_state[place.state] = (*by_state.get(place.state, ()), place)
    return Geography(
        people=Weighted.of(zip(places, (int(row[3]) for row in rows), strict=True)),
        firms=Weighted.of(zip(places, (int(row[4]) for row in rows), strict=True)),
        by_state=by_state,
        state_names=source["states"],
    )


def zip_code(draws: Draws, place: Place) -> str:
    """Return a five-digit zip of the place; low ones are the busier ones."""
    return f"{place.zip_prefix}{min(draws.below(100), draws.below(100)):02d}"
