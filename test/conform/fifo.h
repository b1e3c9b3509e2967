/* SPDX-License-Identifier: MIT */
/* A FIFO of the test's own. */
#ifndef FERRY_TEST_CONFORM_FIFO_H
#define FERRY_TEST_CONFORM_FIFO_H

#include <stdbool.h>
#include <stdint.h>

extern char fifo_path[100], fifo_address[160];

/* The FIFO of this test, with these keys in the address. */
void set_fifo(const char *keys);

bool is_there(const char *name);

/* The FIFO of connection `number`, "in" or "out", and how a client that does not use
 * Ferry announces it at fifo_path. */
void fifo_name_of(char out[160], uint64_t number, const char *which);
void fifo_announce(uint64_t number);

#endif
