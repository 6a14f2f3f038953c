"""Tests against a real control plane: nothing below this folder is a mock."""
