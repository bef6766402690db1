"""Adds up what the other nodes send, and prints the total and the most frequent words."""

import collections
import os

totals = collections.Counter()
for node in os.listdir("/dev/in"):
    with open("/dev/in/" + node) as counts:
        for line in counts:
            word, count = line.split()
            totals[word] += int(count)

print(sum(totals.values()), len(totals))
for word, count in sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))[:20]:
    print(word, count)
