"""Counts the words of one text: runs of ASCII letters, in lower case. One line per word, `word count`."""

import collections

LETTERS = bytes(c | 32 if 65 <= c & ~32 <= 90 else 32 for c in range(256))

with open("/dev/input", "rb") as text:
    counts = collections.Counter(text.read().translate(LETTERS).split())

with open("/dev/output", "wb") as output:
    for word, count in counts.items():
        output.write(b"%s %d\n" % (word, count))
