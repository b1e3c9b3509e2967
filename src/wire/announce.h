/* SPDX-License-Identifier: MIT */
/*
 * What a client writes into the well-known FIFO of a server: the number of the two
 * FIFOs that it has made for the connection.  It is a number, not a name, so that
 * it cannot lead out of the directory.  Pure; what comes in is foreign.
 */
#ifndef FERRYI_WIRE_ANNOUNCE_H
#define FERRYI_WIRE_ANNOUNCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FERRYI_ANNOUNCE_SIZE 32u /* far below PIPE_BUF: written in one piece */

/* Which of the two. */
enum { FERRYI_TO_SERVER, FERRYI_TO_CLIENT };

#define FERRYI_ANNOUNCED_NAME 32u /* bytes of such a name, with its 0 */

void ferryi_announce_format(unsigned char out[FERRYI_ANNOUNCE_SIZE],
			    uint64_t number);

/*
 * Look at the first *n bytes of `buf`.  1: it is an announcement of *out_number,
 * and *n becomes 0.  0: there is none yet; what cannot be the beginning of one has
 * been taken away, and *n is what is left, less than a whole one.
 */
int ferryi_announce_find(unsigned char buf[FERRYI_ANNOUNCE_SIZE], size_t *n,
			 uint64_t *out_number);

/* The name of a FIFO of a connection. */
void ferryi_announced_name(char out[FERRYI_ANNOUNCED_NAME], uint64_t number,
			   int which);

/* Is that such a name?  Then of which number. */
bool ferryi_announced_number(const char *name, uint64_t *out_number);

#endif
