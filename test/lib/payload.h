/* SPDX-License-Identifier: MIT */
/*
 * Messages that can prove themselves: the first eight bytes are a number, and
 * every other byte follows from it.
 */
#ifndef TEST_PAYLOAD_H
#define TEST_PAYLOAD_H

#include <stddef.h>

#define PAYLOAD_MIN 8

/* Fill `size` bytes (>= PAYLOAD_MIN) as message `id`. */
void payload_fill(void *buf, size_t size, long id);

/* The number of a message that is whole and `size` bytes long, or -1. */
long payload_check(const void *buf, size_t len, size_t size);

#endif
