/* SPDX-License-Identifier: MIT */
/*
 * Announcements as a door reads them, in pieces that the data chooses.  What is left
 * is never a whole one, and what is found was there, whole, in the bytes.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "wire/announce.h"

#define SIZE FERRYI_ANNOUNCE_SIZE

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_found(const uint8_t *end, size_t before, uint64_t number)
{
	unsigned char whole[SIZE];

	assert(before >= SIZE);
	ferryi_announce_format(whole, number);
	assert(memcmp(end - SIZE, whole, SIZE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char buf[SIZE];
	size_t n = 0, at = 0, take;
	uint64_t number = 0;

	while (at < size) {
		take = 1 + data[at] % (SIZE - n);
		take = take < size - at ? take : size - at;
		memcpy(buf + n, data + at, take);
		n += take;
		at += take;
		if (ferryi_announce_find(buf, &n, &number) == 1)
			check_found(data + at, at, number);
		assert(n < SIZE);
	}
	return 0;
}
