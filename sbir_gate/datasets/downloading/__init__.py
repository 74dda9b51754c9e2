"""Files from remote addresses, resumed after an interruption and checked before they are used.

Ask `downloads` for whole files, `remote_zip` for one table out of a zipped dump.
"""
