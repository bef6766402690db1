"""Tells the node `gather` how often the text is in this paste, and shows the first line that has it."""

import os

text = os.environ["TEXT"].lower()
with open("/dev/stdin", encoding="utf-8", errors="replace") as paste, open("/dev/out/gather", "w", encoding="utf-8") as out:
    count, shown = 0, ""
    for line in paste:
        found = line.lower().count(text)
        if found and not count:
            shown = line.strip()[:80]
        count += found
    if count:
        name = os.environ["LOCAL_PATH_INFO"].rsplit("/", 1)[1]
        print(count, name, shown, sep="\t", file=out)
