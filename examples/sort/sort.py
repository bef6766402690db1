"""Sorts the lines of standard input."""

import sys

sys.stdout.writelines(sorted(sys.stdin))
