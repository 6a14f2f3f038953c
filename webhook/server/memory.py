"""How the C library keeps memory: what a large body took goes back when it is judged.

As it is set up, glibc gives each thread an arena of its own and lets the size from which memory is
mapped apart grow with what was freed; both keep hundreds of MiB in pieces for good. Measured, the
two workers after sixteen bodies of each of the largest shapes: 742 MiB so, 69 with these settings;
and at the peak 1,245 and 718.
"""

from __future__ import annotations

import contextlib
import ctypes

# malloc.h
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MIB = 1024 * 1024


def give_back() -> None:
    """Tell glibc to keep no more than a MiB for later; does nothing with another C library."""
    with contextlib.suppress(AttributeError, OSError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, value in (
            (_M_ARENA_MAX, 1),  # the interpreter's lock leaves nothing to share out
            (_M_MMAP_THRESHOLD, _MIB),
            (_M_TRIM_THRESHOLD, _MIB),
        ):
            mallopt(option, value)


def trim() -> None:
    """Give back what many connections took, whose places in the heap are free now.

    The TLS of one takes 256 KiB. Mapped apart they would go back by themselves, but so would what
    each read takes, at the cost of a third of the rate (measured).
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
