"""One log line a decision, and metrics. Names and counts only: no body ever comes here."""
