"""Prints the JSON document on standard input for people to read."""

import json
import os
import sys

json.dump(json.load(sys.stdin), sys.stdout, indent=int(os.environ["INDENT"]), sort_keys=True)
print()
