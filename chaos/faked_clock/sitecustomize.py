"""For Pythons under libfaketime 0.9.10, which answers the call behind `time.sleep` (3.11) with EINVAL."""

import select
import time

time.sleep = lambda seconds: select.select([], [], [], seconds)  # type: ignore[assignment, arg-type]
