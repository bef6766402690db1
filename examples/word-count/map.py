"""Counts the words of standard input, and sends the counts to the reducer."""

import collections
import sys

counts = collections.Counter(word for line in sys.stdin for word in line.lower().split())
with open("/dev/out/reduce", "w") as reducer:
    reducer.writelines(f"{count} {word}\n" for word, count in counts.items())
