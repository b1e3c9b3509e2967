/* SPDX-License-Identifier: MIT */
/*
 * The first line of a log's record.  What is taken for one is written in one way
 * only, lies where it says, and is found again from anywhere before it.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "wire/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_record(const char *bytes, size_t len, uint64_t at,
			 const struct ferryi_record *r)
{
	struct ferryi_record again = *r;
	char line[FERRYI_RECORD_HEAD_MAX];

	assert(r->at == at && r->len <= FERRYI_RECORD_MAX);
	assert(r->head <= len && r->head <= sizeof line);
	assert(ferryi_record_end(r) > at);
	assert(ferryi_record_format(&again, line) == r->head);
	assert(memcmp(line, bytes, r->head) == 0);
	assert(ferryi_record_is_torn(bytes, len, at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	struct ferryi_record r;
	uint64_t at = 13;
	int64_t found;

	ferryi_record_check_first(bytes, size);
	if (ferryi_record_parse(bytes, size, at, &r) == 1)
		check_record(bytes, size, at, &r);
	for (size_t done = 0; done < size; done += (size_t)found + 1) {
		found = ferryi_record_find(bytes + done, size - done, at + done,
					   done ? bytes[done - 1] : '\n', &r);
		if (found < 0)
			break;
		assert((size_t)found < size - done);
		check_record(bytes + done + found, size - done - (size_t)found,
			     at + done + (size_t)found, &r);
	}
	return 0;
}
