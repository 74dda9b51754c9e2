"""What an explanation calls features, search keys, rules, changes and stages."""

from __future__ import annotations

from sbir_gate.model.explanation import Basis, Change
from sbir_gate.model.matches import Method
from sbir_gate.model.verdict import LostBy

FEATURES = {
    "token_sort": "similarity of the sorted words",
    "token_set": "similarity of the shared words",
    "partial": "one name within the other",
    "plain": "similarity of the names as they are",
    "compact": "similarity without blanks",
    "compact_hinge": "near equality without blanks",
    "jaro_winkler": "similarity of the beginnings",
    "overlap": "shared words, rare ones weigh more",
    "near_overlap": "shared and similar words",
    "query_unmatched": "words of the award without a partner",
    "recipient_unmatched": "words of the recipient without a partner",
    "shared_rarity": "rarity of the shared words",
    "near_rarity": "rarity of the similar words",
    "same_first_token": "same first word",
    "same_compact": "equal without blanks",
    "same_canonical": "equal with words folded",
    "cut_prefix": "beginning of a name that was cut",
    "acronym": "initials of the other name",
    "numbers_differ": "numbers in the names differ",
    "same_zip5": "same ZIP code",
    "same_zip3": "same ZIP area",
    "zip_conflict": "ZIP areas differ",
    "same_city": "same city",
    "city_conflict": "cities differ",
    "same_state": "same state",
    "state_conflict": "states differ",
    "uei_conflict": "UEIs differ",
    "duns_conflict": "DUNS differ",
    "same_compact_elsewhere": "equal name in another state",
    "rare_token": "a shared word that no other name has",
    "rare_token_elsewhere": "such a word in another state",
    "name_frequency": "other recipients of that name",
    "runner_ups": "candidates of the same name",
    "margin": "lead over the next candidate",
    "shared_keys": "shared search keys",
    "shortness": "short name",
    "query_rest": "rarest unmatched word of the award",
    "recipient_rest": "rarest unmatched word of the recipient",
    "contradiction": "unmatched words on both sides",
    "unconfirmed_rest": "unmatched word, no place confirms",
    "form_conflict": "legal forms differ",
    "alias": "one of the names is an alias",
}
KEYS = {
    "start-in-zip3": "first 4 letters and ZIP area",
    "end-in-zip3": "last 4 letters and ZIP area",
    "initial-in-zip": "first letter and ZIP code",
    "first-7": "first 7 letters",
    "last-7": "last 7 letters",
    "name": "whole name",
    "token": "word",
    "token-in-state": "word and state",
    "stem-in-state": "start of a word and state",
    "token-pair": "two words in a row",
}
BASES = {
    Basis.IDENTIFIER: "both carry the identifier, and their names agree or no other firm claims it",
    Basis.EXACT_NAME: "the names are equal and the place agrees, or the name is rare and unique",
    Basis.MODEL: "its confidence reaches the acceptance limit",
}
RULES = {
    Method.UEI_EXACT.value: "identifier",
    Method.DUNS_EXACT.value: "identifier",
    Method.NAME_EXACT.value: "rule for equal names",
}
CHANGES = {
    Change.SAME_ZIP: "the recipient at the award's ZIP code",
    Change.SAME_CITY: "the recipient in the award's city",
    Change.SAME_STATE: "the recipient in the award's state, city unknown",
    Change.OTHER_STATE: "the recipient in another state",
    Change.PLACE_UNKNOWN: "the recipient's place unknown",
    Change.UNIQUE_NAME: "no other recipient of that name",
    Change.SAME_UEI: "the recipient's UEI on the award",
}
STAGES = {
    LostBy.BLOCKING: "the candidate search: it is not a candidate any more",
    LostBy.SCORING: "scoring: another recipient has a higher confidence",
    LostBy.ACCEPTANCE: "the acceptance limit: it is the best candidate, not certain enough",
}
