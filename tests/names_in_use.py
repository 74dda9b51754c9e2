"""Names that nothing in the package uses, and why they stay: what vulture does not report.

`tests/unit/test_house.py` fails for a name that no longer belongs here.
"""

# called by Python for a name that a module does not have
_.__getattr__
_.__dir__

# called by whoever uses the engine from Python (docs/python.md)
_.to_arrow
_.to_pandas
_.to_polars

# called by click
_.format_commands

# called by string.Formatter
_.get_value
_.format_field

# called by http.server
_.do_GET
_.do_PUT
_.log_message
_.daemon_threads

# read by Python's enum
_._value_

# called by Python's io and zipfile, PyYAML, requests, remotezip
_.writable
_.readable
_.readinto
_.yaml_implicit_resolvers
_.ignore_aliases
_.max_redirects
_.raise_for_status

# called by Dagster
_.handle_output
_.load_input
_.get_scaffold_params
_.scaffold
_.build_defs
_.calculate_delay

# parameters of Dagster's own decorator
_.freshness_policy
_.group_name
_.partitions_def
_.io_manager_key
_.required_resource_keys

# public: the decorators of the performance monitor, for whoever measures a pipeline of their own
_.time_function
_.monitor_memory

# used by templates of reports
_.all_title
_.notes_title
_.is_all_doubt

# used by tests/messages_page.py, which writes docs/messages.md
_.meaning

# used by the scripts of pages, which name them themselves
_.BAND
_.DATE

# used by the templates of pages
_.has_choices
_.is_wide

# used by tests/performance/train_default_model.py, which writes the shipped model
_.model_document

# used by .github/action/set_up.py, which checks no input itself
_.installer
_.PIP
_.PULL_REQUEST

# fields of a saved or foreign document: read or written as a whole
_.format_version
_.start_error
_.table_oid
_.drop_statement
_.tablespace
_.table_am
_.relation_kind
_.has_oids
_.dependencies
_.server_version
_.dump_version
