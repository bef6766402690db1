/* Counts the lines of standard input that contain a fixed text (the first argument). */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1 << 20 };

static char block[BLOCK + 1];

int main(int argc, char **argv) {
  const char *wanted = argc > 1 ? argv[1] : "w123";
  size_t length = strlen(wanted), held = 0;
  long lines = 0;
  for (;;) {
    ssize_t count = read(0, block + held, BLOCK - held);
    if (count < 0) return 1;
    held += (size_t)count;
    if (held == 0) break;
    char *at = block, *end = block + held;
    for (char *line_end; (line_end = memchr(at, '\n', (size_t)(end - at))); at = line_end + 1) {
      for (char *found = at; (found = memchr(found, wanted[0], (size_t)(line_end - found))); found++) {
        if ((size_t)(line_end - found) >= length && memcmp(found, wanted, length) == 0) {
          lines++;
          break;
        }
      }
    }
    held = (size_t)(end - at);
    if (count == 0) break;
    memmove(block, at, held);
  }
  printf("%ld\n", lines);
  return 0;
}
