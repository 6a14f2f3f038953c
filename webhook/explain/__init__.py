"""What `explain` tells beyond an audit: who else writes the affinity, and what a change restarts.

Pure: `fields` reads managedFields, `owners` is the table of reconcilers and of their own knobs,
`explanation` puts it together for one workload.
"""
