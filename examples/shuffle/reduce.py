"""All lines of one page come here, whoever read them: prints how many different visitors each page had."""

import collections
import os

visitors = collections.defaultdict(set)
# One mapper after the other, in the same order everywhere: so the mappers that wait for somebody never wait in a circle.
for mapper in sorted(os.listdir("/dev/in")):
    with open(f"/dev/in/{mapper}") as lines:
        for line in lines:
            page, visitor = line.split()
            visitors[page].add(visitor)
for page in sorted(visitors):
    print(page, len(visitors[page]))
