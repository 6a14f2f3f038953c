"""`python -m webhook VERB`: the same as `hybrid-guard VERB`."""

from webhook.cli import main

main()
