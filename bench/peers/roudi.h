/* SPDX-License-Identifier: MIT */
/*
 * iox-roudi, the daemon of iceoryx, as long as the bench lives.  A machine
 * has one at a time, for its names are fixed.
 */
#ifndef BENCH_ROUDI_H
#define BENCH_ROUDI_H

#include <stddef.h>

/* With `count` chunks of `size` bytes.  NULL, or why it does not start. */
const char *roudi_start(size_t size, unsigned count);

/* Under which name side 0 or side 1 is its client. */
void roudi_client(char *name, size_t size, int side);

/* Both sides have ended.  Returns when nothing is left of it. */
void roudi_end(void);

#endif
