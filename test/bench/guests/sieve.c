/* Primes below a bound, several times over: a program that only computes. */
#include <stdio.h>
#include <string.h>

enum { BOUND = 4000000, ROUNDS = 12 };

static unsigned char composite[BOUND];

static long sieve(void) {
  long primes = 0;
  memset(composite, 0, sizeof composite);
  for (long i = 2; i < BOUND; i++) {
    if (composite[i]) continue;
    primes++;
    for (long j = i * 2; j < BOUND; j += i) composite[j] = 1;
  }
  return primes;
}

int main(void) {
  long total = 0;
  for (int round = 0; round < ROUNDS; round++) total += sieve();
  printf("%ld\n", total);
  return 0;
}
