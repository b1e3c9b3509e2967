/* SPDX-License-Identifier: MIT */
/* Numbers, sizes and durations as people write them: see options.h. */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The digits in front; false when there are none or they overflow. */
static bool digits(const char *text, uint64_t *out, const char **out_end)
{
	unsigned long long n;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return false;
	*out = n;
	*out_end = end;
	return true;
}

bool parse_number(const char *text, uint64_t *out)
{
	const char *end;
	uint64_t n;

	if (!digits(text, &n, &end) || *end)
		return false;
	*out = n;
	return true;
}

bool parse_size(const char *text, uint64_t *out)
{
	static const char units[] = "KMGT";
	const char *end, *unit;
	unsigned shift = 0;
	uint64_t n;

	if (!digits(text, &n, &end))
		return false;
	if (*end) {
		unit = strchr(units, *end & ~0x20);
		if (!unit || !*unit)
			return false;
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
		if (!strcmp(end, "iB") || !strcmp(end, "B"))
			end = "";
	}
	if (*end || n > UINT64_MAX >> shift)
		return false;
	*out = n << shift;
	return true;
}

bool parse_duration(const char *text, int64_t *out)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {
		{ "", FERRY_S(1) },	{ "ns", 1 },
		{ "us", FERRY_US(1) },	{ "ms", FERRY_MS(1) },
		{ "s", FERRY_S(1) },	{ "m", FERRY_S(60) },
		{ "h", FERRY_S(3600) }, { "d", FERRY_S(86400) },
	};
	const char *end;
	uint64_t n;

	if (!digits(text, &n, &end))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (strcmp(units[i].name, end))
			continue;
		if (n > (uint64_t)INT64_MAX / (uint64_t)units[i].ns)
			return false;
		*out = (int64_t)n * units[i].ns;
		return true;
	}
	return false;
}
