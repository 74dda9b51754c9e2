"""Judge a Run against another by a policy. Pure functions: Runs and policy in, a verdict out.

Ask `gate.judge` for the verdict, `drift` for what older Runs add, `alerts` for what is worth a notification,
`promotion` for whether a Run may become the baseline.
"""
