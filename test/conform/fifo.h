/* SPDX-License-Identifier: MIT */
/* A FIFO of the test's own. */
#ifndef FERRY_TEST_CONFORM_FIFO_H
#define FERRY_TEST_CONFORM_FIFO_H

#include <stdbool.h>

extern char fifo_path[100], fifo_address[160];

/* The FIFO of this test, with these keys in the address. */
void set_fifo(const char *keys);

bool is_there(const char *name);

#endif
