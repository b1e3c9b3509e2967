/* SPDX-License-Identifier: MIT */
/* See announce.h.  All numbers are little-endian. */
#include "wire/announce.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NUMBER_AT 16u
#define CHECK_AT  24u

/* The last byte of the first eight is the version. */
static const unsigned char head[NUMBER_AT] = { 0x89, 'F', 'F',	'I',
					       'F',  'O', '\n', 1 };

static void put(unsigned char *at, uint64_t n)
{
	for (unsigned i = 0; i < 8; i++)
		at[i] = (unsigned char)(n >> (8 * i));
}

static uint64_t get(const unsigned char *at)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < 8; i++)
		n |= (uint64_t)at[i] << (8 * i);
	return n;
}

void ferryi_announce_format(unsigned char out[FERRYI_ANNOUNCE_SIZE],
			    uint64_t number)
{
	memcpy(out, head, sizeof head);
	put(out + NUMBER_AT, number);
	put(out + CHECK_AT, ~number);
}

/* Could these be the first bytes of one? */
static int begins(const unsigned char *at, size_t n)
{
	if (memcmp(at, head, n < NUMBER_AT ? n : NUMBER_AT) != 0)
		return 0;
	return n < FERRYI_ANNOUNCE_SIZE ||
	       get(at + CHECK_AT) == ~get(at + NUMBER_AT);
}

int ferryi_announce_find(unsigned char buf[FERRYI_ANNOUNCE_SIZE], size_t *n,
			 uint64_t *out_number)
{
	size_t at = 0;

	while (at < *n && !begins(buf + at, *n - at))
		at++;
	*n -= at;
	memmove(buf, buf + at, *n);
	if (*n < FERRYI_ANNOUNCE_SIZE)
		return 0;
	*out_number = get(buf + NUMBER_AT);
	*n = 0;
	return 1;
}

void ferryi_announced_name(char out[FERRYI_ANNOUNCED_NAME], uint64_t number,
			   int which)
{
	snprintf(out, FERRYI_ANNOUNCED_NAME, ".fifo.%016" PRIx64 ".%s", number,
		 which == FERRYI_TO_SERVER ? "in" : "out");
}

bool ferryi_announced_number(const char *name, uint64_t *out_number)
{
	char again[FERRYI_ANNOUNCED_NAME];

	if (sscanf(name, ".fifo.%16" SCNx64 ".", out_number) != 1)
		return false;
	for (int which = FERRYI_TO_SERVER; which <= FERRYI_TO_CLIENT; which++) {
		ferryi_announced_name(again, *out_number, which);
		if (strcmp(name, again) == 0)
			return true;
	}
	return false;
}
