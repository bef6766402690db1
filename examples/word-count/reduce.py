"""Adds up what the mappers counted, and prints the words, the most frequent first."""

import collections
import os

total = collections.Counter()
for mapper in sorted(os.listdir("/dev/in")):
    with open(f"/dev/in/{mapper}") as counts:
        for line in counts:
            count, word = line.split(" ", 1)
            total[word.rstrip("\n")] += int(count)
for word, count in sorted(total.items(), key=lambda item: (-item[1], item[0])):
    print(count, word)
