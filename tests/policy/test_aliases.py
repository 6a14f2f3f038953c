"""A policy file costs in proportion to its text, whatever its aliases expand to."""

from __future__ import annotations

from pathlib import Path

import pytest

from webhook.files import policies
from webhook.files.errors import FileError

HEAD = "apiVersion: hybrid-guard.io/v1alpha1\nkind: Policy\nnetwork: bgp\nrules:\n"


def written(folder: Path, count: int) -> Path:
    """Write as many rules as names, which all share one list of them."""
    names = ", ".join(f"n{number}" for number in range(count))
    first = f"- {{name: r, match: {{names: &n [{names}]}}, placement: on-prem}}\n"
    more = (f"- {{name: r{n}, match: {{names: *n}}, placement: on-prem}}\n" for n in range(count))
    file = folder / "policy.yaml"
    file.write_text(HEAD + first + "".join(more))
    return file


def test_a_few_names_may_be_shared(tmp_path: Path) -> None:
    assert len(policies.load(written(tmp_path, 50)).rules) == 51


@pytest.mark.parametrize("count", [400, 1300])
def test_what_grows_with_the_square_of_the_text_is_refused(tmp_path: Path, count: int) -> None:
    with pytest.raises(FileError, match="aliases expand to over 10 times what is written"):
        policies.load(written(tmp_path, count))
