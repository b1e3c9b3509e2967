/* SPDX-License-Identifier: MIT */
/*
 * The pattern depends on the number and the position, so that neither a torn
 * message nor one that was put together from two passes.
 */
#include "payload.h"

#include <stdint.h>
#include <string.h>

static unsigned char pattern(long id, size_t i)
{
	uint64_t x = (uint64_t)id * 0x9e3779b97f4a7c15u + i * 0xff51afd7u;

	return (unsigned char)(x >> 29 ^ x >> 7);
}

void payload_fill(void *buf, size_t size, long id)
{
	unsigned char *p = buf;
	int64_t number = id;

	memcpy(p, &number, sizeof(number));
	for (size_t i = sizeof(number); i < size; i++)
		p[i] = pattern(id, i);
}

long payload_check(const void *buf, size_t len, size_t size)
{
	const unsigned char *p = buf;
	int64_t id;

	if (len != size || len < sizeof(id))
		return -1;
	memcpy(&id, p, sizeof(id));
	for (size_t i = sizeof(id); i < len; i++)
		if (p[i] != pattern((long)id, i))
			return -1;
	return (long)id;
}
