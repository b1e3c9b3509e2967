/* SPDX-License-Identifier: MIT */
/* A thread of the library's own, where a caller has allowed one. */
#ifndef FERRYI_SYS_THREAD_H
#define FERRYI_SYS_THREAD_H

#include <pthread.h>

#define FERRYI_THREAD_NAME "ferry-waits" /* as ps -L shows it */

/* With every signal blocked, so that no handler of the program runs in it.  It runs when
 * this returns: who forks then leaves the child no lock of a thread's beginning.  0 or a
 * negative errno. */
int ferryi_thread_start(pthread_t *out, void *(*run)(void *arg), void *arg);

/* It has been told to end, and does at once. */
void ferryi_thread_join(pthread_t t);

#endif
