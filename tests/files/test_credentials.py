"""What is no file of an AccessKey pair is an error that shows nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from webhook.files import credentials
from webhook.files.errors import FileError


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "{}", "[" * 100_000, '{"AccessKey": 5}', '{"a": 1' + "0" * 5000 + "}", "\x00", "AccessKeyId\n",
        "AccessKeyId,AccessKeySecret\n" + "S3cret" * 30_000 + ",x\n", 'AccessKeyId,AccessKeySecret\n"S3cret,x\n',
    ],
)  # fmt: skip
def test_what_holds_no_pair_is_said_in_a_line(text: str, tmp_path: Path) -> None:
    file = tmp_path / "keys.csv"
    file.write_text(text)

    with pytest.raises(FileError) as raised:
        credentials.read(str(file))

    assert "no AccessKey pair in it" in str(raised.value)
    assert "S3cret" not in str(raised.value)
