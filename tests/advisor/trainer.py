"""A training that takes a moment: by a formula, with its parameters out of the environment."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

from tests.advisor.builders import by_rate, log

params = json.loads(os.environ["TBDIAG_PARAMS"])
time.sleep(float(sys.argv[2]))
log(Path(sys.argv[1]), by_rate(params), params)
