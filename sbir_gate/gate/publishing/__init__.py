"""Tell others: the comment, the check, annotations, summary and outputs of a workflow, and Slack."""
