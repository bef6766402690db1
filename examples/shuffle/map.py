"""Sends every line "page visitor" to the reducer that has this page; which one that is follows from the page alone."""

import os
import sys
import zlib

reducers = [open(f"/dev/out/{name}", "w") for name in sorted(os.listdir("/dev/out"))]
for line in sys.stdin:
    page = line.split(" ", 1)[0]
    reducers[zlib.crc32(page.encode()) % len(reducers)].write(line)
