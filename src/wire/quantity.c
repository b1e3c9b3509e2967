/* SPDX-License-Identifier: MIT */
/*
 * Durations and sizes as people write them in addresses and options.  The
 * contract is in address.h.
 */
#include <errno.h>
#include <string.h>

#include "wire/address.h"

struct unit {
	const char *name;
	uint64_t worth;
};

static const struct unit durations[] = {
	{ "", 1000000000 },
	{ "ns", 1 },
	{ "us", 1000 },
	{ "ms", 1000000 },
	{ "s", 1000000000 },
	{ "m", 60000000000 },
	{ "h", 3600000000000 },
	{ "d", 86400000000000 },
	{ NULL, 0 },
};

static const struct unit sizes[] = {
	{ "", 1 },	     { "K", 1ull << 10 }, { "M", 1ull << 20 },
	{ "G", 1ull << 30 }, { "T", 1ull << 40 }, { NULL, 0 },
};

static const struct unit *unit_of(const struct unit *u, const char *name)
{
	for (; u->name; u++)
		if (strcmp(u->name, name) == 0)
			return u;
	return NULL;
}

/* Digits into *out.  Returns how many there were, or -1: too large. */
static int parse_digits(const char *text, uint64_t *out)
{
	int n = 0;

	for (*out = 0; text[n] >= '0' && text[n] <= '9'; n++)
		if (__builtin_mul_overflow(*out, 10, out) ||
		    __builtin_add_overflow(*out, (unsigned)(text[n] - '0'),
					   out))
			return -1;
	return n;
}

/* Digits behind the point; their worth is added to *total. */
static int parse_fraction(const char *text, uint64_t worth, uint64_t *total)
{
	int n = 0;

	for (; text[n] >= '0' && text[n] <= '9'; n++) {
		worth /= 10;
		if (__builtin_add_overflow(
			    *total, worth * (uint64_t)(text[n] - '0'), total))
			return -1;
	}
	return n;
}

static int parse(const char *text, const struct unit *units, uint64_t *out)
{
	const struct unit *u;
	uint64_t total;
	int n = parse_digits(text, &total), m = 0;
	size_t digits;

	if (n <= 0)
		return -EINVAL;
	text += n;
	digits = *text == '.' ? 1 + strspn(text + 1, "0123456789") : 0;
	u = unit_of(units, text + digits);
	if (!u || __builtin_mul_overflow(total, u->worth, &total))
		return -EINVAL;
	if (*text == '.') {
		m = parse_fraction(text + 1, u->worth, &total);
		if (m <= 0)
			return -EINVAL;
	}
	*out = total;
	return 0;
}

int ferryi_parse_duration(const char *text, int64_t *out_ns)
{
	uint64_t ns;

	if (parse(text, durations, &ns) != 0 || ns > INT64_MAX)
		return -EINVAL;
	*out_ns = (int64_t)ns;
	return 0;
}

int ferryi_parse_size(const char *text, uint64_t *out)
{
	return strchr(text, '.') ? -EINVAL : parse(text, sizes, out);
}
