"""Says what the first job passed on."""

import os

print(os.environ["GREETING"] + ",", os.environ["BROWSER"])
