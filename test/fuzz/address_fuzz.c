/* SPDX-License-Identifier: MIT */
/*
 * Addresses: what parses, formats and parses again to the same; nothing reads
 * beyond its text.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct ferryi_address *a)
{
	static char text[4 * FERRYI_ADDRESS_MAX];
	static struct ferryi_address again;
	const char *why;

	assert(ferryi_address_format(a, text, sizeof text) > 0);
	if (ferryi_address_parse(&again, text, &why) != 0)
		return; /* escapes may have made it too long */
	assert(strcmp(a->scheme, again.scheme) == 0);
	assert(strcmp(a->rest, again.rest) == 0);
	assert(a->n_keys == again.n_keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ferryi_address a;
	char *text = malloc(size + 1);
	const char *why = NULL;
	uint64_t bytes;
	int64_t ns;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	if (ferryi_address_parse(&a, text, &why) == 0) {
		ferryi_address_get(&a, "timeout");
		ferryi_address_unknown(&a, "framing timeout max");
		check_round_trip(&a);
	} else {
		assert(why != NULL);
	}
	if (ferryi_parse_duration(text, &ns) == 0)
		assert(ns >= 0);
	ferryi_parse_size(text, &bytes);
	free(text);
	return 0;
}
