"""Lists what the nodes `look-1`, `look-2`, … found, the paste with the most first."""

import os

found = []
for node in os.listdir("/dev/in"):
    with open(f"/dev/in/{node}", encoding="utf-8") as lines:
        for line in lines:
            count, name, shown = line.rstrip("\n").split("\t", 2)
            found.append((-int(count), name, shown))
for count, name, shown in sorted(found):
    print(f"{os.environ['URL']}/{name}\t{-count}\t{shown}")
