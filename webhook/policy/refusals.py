"""What a check of the policy's fields raises."""

from __future__ import annotations

from pydantic_core import PydanticCustomError


def refuse(message: str, fix: str | None = None) -> PydanticCustomError:
    """Return the error a check raises: our own words, and what to write instead."""
    escaped = {"message": message, "fix": fix}
    return PydanticCustomError("policy", "{message}", escaped)
