/**
 * Threads that suites start compile their code themselves. Node 20 aborts the whole process ("data.first != nullptr" in
 * ForIsolate) when a thread ends while V8 still compiles for it in the background. Servers start no threads.
 */
require('node:v8').setFlagsFromString('--no-concurrent-recompilation');
