/*
 * A shuffle: `map` reads records of 128 bytes from standard input and sends each to the reader that its first byte names,
 * one of those in /dev/out. `reduce` reads all of /dev/in, and prints how many records came and the sum of their first bytes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD = 128, BLOCK = 1 << 16, MOST = 16 };

static char block[BLOCK];
static char buffers[MOST][BLOCK];
static size_t used[MOST];
static int ends[MOST];
static char names[MOST][256];

static int list(const char *directory) {
  int count = 0;
  DIR *opened = opendir(directory);
  if (!opened) return 0;
  for (struct dirent *entry; (entry = readdir(opened)) && count < MOST;) {
    if (entry->d_name[0] != '.') snprintf(names[count++], sizeof names[0], "%s/%.200s", directory, entry->d_name);
  }
  closedir(opened);
  qsort(names, (size_t)count, sizeof names[0], (int (*)(const void *, const void *))strcmp);
  for (int i = 0; i < count; i++) {
    ends[i] = open(names[i], strcmp(directory, "/dev/out") == 0 ? O_WRONLY : O_RDONLY);
    if (ends[i] < 0) exit(3);
  }
  return count;
}

static void flush(int reader) {
  for (size_t done = 0; done < used[reader];) {
    ssize_t sent = write(ends[reader], buffers[reader] + done, used[reader] - done);
    if (sent <= 0) exit(4);
    done += (size_t)sent;
  }
  used[reader] = 0;
}

/** Fills the block with whole records; 0 at the end. */
static size_t fill(int file) {
  size_t length = 0;
  while (length < BLOCK) {
    ssize_t got = read(file, block + length, BLOCK - length);
    if (got < 0) exit(5);
    if (got == 0) break;
    length += (size_t)got;
  }
  return length - length % RECORD;
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "map") == 0) {
    int readers = list("/dev/out");
    if (readers == 0) return 2;
    for (size_t length; (length = fill(0)) > 0;) {
      for (size_t at = 0; at < length; at += RECORD) {
        int reader = (unsigned char)block[at] % readers;
        if (used[reader] == BLOCK) flush(reader);
        memcpy(buffers[reader] + used[reader], block + at, RECORD);
        used[reader] += RECORD;
      }
    }
    for (int i = 0; i < readers; i++) flush(i);
    return 0;
  }
  uint64_t records = 0, sum = 0;
  int writers = list("/dev/in");
  for (int i = 0; i < writers; i++) {
    for (size_t length; (length = fill(ends[i])) > 0;) {
      records += length / RECORD;
      for (size_t at = 0; at < length; at += RECORD) sum += (unsigned char)block[at];
    }
  }
  printf("%llu %llu\n", (unsigned long long)records, (unsigned long long)sum);
  return 0;
}
