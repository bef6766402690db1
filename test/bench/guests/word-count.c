/*
 * Counts lines, words, bytes and distinct words of standard input, or of the file named on the command line.
 * The same source is built natively (-O2) and for wasm32-wasi (-O3), so that the two can be compared.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1 << 16, SLOTS = 1 << 20, LONGEST = 255 };

struct word {
  uint32_t hash;
  uint32_t count;
  uint32_t length;
  const char *text;
};

static char block[BLOCK];
static struct word *table;
static long distinct;

static void count(const char *text, uint32_t length, uint32_t hash) {
  uint32_t slot = hash & (SLOTS - 1);
  while (table[slot].count) {
    struct word *seen = &table[slot];
    if (seen->hash == hash && seen->length == length && memcmp(seen->text, text, length) == 0) break;
    slot = (slot + 1) & (SLOTS - 1);
  }
  if (table[slot].count++ > 0) return;
  char *copy = malloc(length);
  if (!copy || ++distinct == SLOTS / 2) {
    fprintf(stderr, "too many distinct words\n");
    exit(2);
  }
  memcpy(copy, text, length);
  table[slot].hash = hash;
  table[slot].length = length;
  table[slot].text = copy;
}

int main(int argc, char **argv) {
  int file = argc > 1 ? open(argv[1], O_RDONLY) : 0;
  if (file < 0) {
    perror(argv[1]);
    return 1;
  }
  table = calloc(SLOTS, sizeof *table);
  if (!table) return 2;
  long lines = 0, words = 0, bytes = 0;
  char word[LONGEST];
  uint32_t length = 0, hash = 2166136261u;
  ssize_t got;
  while ((got = read(file, block, BLOCK)) > 0) {
    bytes += got;
    for (ssize_t i = 0; i < got; i++) {
      unsigned char c = (unsigned char)block[i];
      if (c == '\n') lines++;
      if (c > ' ') {
        if (length < LONGEST) {
          word[length++] = (char)c;
          hash = (hash ^ c) * 16777619u;
        }
      } else if (length > 0) {
        words++;
        count(word, length, hash);
        length = 0;
        hash = 2166136261u;
      }
    }
  }
  if (length > 0) {
    words++;
    count(word, length, hash);
  }
  printf("%ld %ld %ld %ld\n", lines, words, bytes, distinct);
  return got < 0;
}
