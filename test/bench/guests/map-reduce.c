/*
 * Word count in two steps. `map IN OUT` writes how often each word of IN occurs, `reduce DIRECTORY` adds up all files of
 * the directory and prints the number of words and of distinct words. The same source is built natively (-O2) and for
 * wasm32-wasi (-O3): there IN is /dev/stdin, OUT a pipe to the reducer, and DIRECTORY /dev/in.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1 << 16, SLOTS = 1 << 17, LONGEST = 255 };

struct word {
  uint32_t hash;
  uint32_t length;
  uint64_t count;
  const char *text;
};

static char block[BLOCK];
static struct word *table;
static long distinct;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void add(const char *text, uint32_t length, uint32_t hash, uint64_t count) {
  uint32_t slot = hash & (SLOTS - 1);
  for (; table[slot].count; slot = (slot + 1) & (SLOTS - 1)) {
    struct word *seen = &table[slot];
    if (seen->hash != hash || seen->length != length || memcmp(seen->text, text, length) != 0) continue;
    seen->count += count;
    return;
  }
  char *copy = malloc(length);
  if (!copy || ++distinct == SLOTS / 2) {
    fprintf(stderr, "too many distinct words\n");
    exit(2);
  }
  memcpy(copy, text, length);
  table[slot] = (struct word){hash, length, count, copy};
}

static int map(const char *in, const char *out) {
  int file = open(in, O_RDONLY);
  if (file < 0) fail(in);
  char word[LONGEST];
  uint32_t length = 0, hash = 2166136261u;
  ssize_t got;
  while ((got = read(file, block, BLOCK)) > 0) {
    for (ssize_t i = 0; i < got; i++) {
      unsigned char c = (unsigned char)block[i];
      if (c > ' ') {
        if (length < LONGEST) {
          word[length++] = (char)c;
          hash = (hash ^ c) * 16777619u;
        }
      } else if (length > 0) {
        add(word, length, hash, 1);
        length = 0;
        hash = 2166136261u;
      }
    }
  }
  if (got < 0) fail(in);
  if (length > 0) add(word, length, hash, 1);
  FILE *counts = fopen(out, "w");
  if (!counts) fail(out);
  for (uint32_t slot = 0; slot < SLOTS; slot++) {
    struct word *one = &table[slot];
    if (one->count) fprintf(counts, "%llu %.*s\n", (unsigned long long)one->count, (int)one->length, one->text);
  }
  return fclose(counts) != 0;
}

static int reduce(const char *name) {
  DIR *directory = opendir(name);
  if (!directory) fail(name);
  uint64_t words = 0;
  for (struct dirent *entry; (entry = readdir(directory));) {
    if (entry->d_name[0] == '.') continue;
    char path[512], word[LONGEST + 1];
    snprintf(path, sizeof path, "%s/%s", name, entry->d_name);
    FILE *counts = fopen(path, "r");
    if (!counts) fail(path);
    unsigned long long count;
    while (fscanf(counts, "%llu %255s", &count, word) == 2) {
      uint32_t length = (uint32_t)strlen(word), hash = 2166136261u;
      for (uint32_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)word[i]) * 16777619u;
      add(word, length, hash, count);
      words += count;
    }
    fclose(counts);
  }
  closedir(directory);
  printf("%llu %ld\n", (unsigned long long)words, distinct);
  return 0;
}

int main(int argc, char **argv) {
  table = calloc(SLOTS, sizeof *table);
  if (!table) return 2;
  if (argc == 4 && strcmp(argv[1], "map") == 0) return map(argv[2], argv[3]);
  if (argc == 3 && strcmp(argv[1], "reduce") == 0) return reduce(argv[2]);
  return 64;
}
