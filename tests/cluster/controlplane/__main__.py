"""`python -m tests.cluster.controlplane`: build what is missing, print the programs' folder."""

from __future__ import annotations

import sys

from tests.cluster.controlplane import build

sys.exit(build.main())
