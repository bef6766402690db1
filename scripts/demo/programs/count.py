"""Counts the words of one text: runs of ASCII letters, in lower case. Sends one line per word, `word count`."""

LETTERS = bytes(c | 32 if 65 <= c & ~32 <= 90 else 32 for c in range(256))

with open("/dev/input", "rb") as text:
    words = text.read().translate(LETTERS).split()

# By hand: to import collections.Counter takes longer than to count one text.
counts = {}
for word in words:
    counts[word] = counts.get(word, 0) + 1

with open("/dev/out/total", "wb") as total:
    for word, count in counts.items():
        total.write(b"%s %d\n" % (word, count))
