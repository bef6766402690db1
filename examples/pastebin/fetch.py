"""Prints the paste."""

import shutil

with open("/dev/stdin", "rb") as paste, open("/dev/stdout", "wb") as out:
    shutil.copyfileobj(paste, out)
