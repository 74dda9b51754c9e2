"""Supply the input: download what is published, profile the tables of a dump, or synthesize data.

Ask `fetching` to download awards or recipients, `profiling` for the tables of a dump, and
`synthesising.dataset` for benchmark data of any size with its truth.
"""
