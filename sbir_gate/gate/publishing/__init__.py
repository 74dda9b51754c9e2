"""Send finished texts: to the pull request, the check, the workflow and Slack. Nothing is worded here.

Ask `event` what a workflow runs for, `pull_request` and `check_run` to publish on GitHub, `workflow` for
the job summary and annotations, `slack` to post.
"""
