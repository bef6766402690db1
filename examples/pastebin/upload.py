"""Keeps the posted text as the object behind /dev/output, and says where it can be had."""

import os
import shutil
import sys

with open("/dev/stdin", "rb") as posted, open("/dev/output", "wb") as kept:
    shutil.copyfileobj(posted, kept)
url = os.environ["URL"]
sys.stdout.write(f"Status: 201 Created\nLocation: {url}\nContent-Type: text/plain\n\n{url}\n")
