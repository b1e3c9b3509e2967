/* SPDX-License-Identifier: MIT */
/* See record.h. */
#include "wire/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- CRC-32 ------------------------------------------------------------------ */

/* The polynomial's multiples, for four bits at a time. */
static const uint32_t crc_table[16] = {
	0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
	0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
	0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t ferryi_crc32(uint32_t crc, const void *data, size_t len)
{
	const unsigned char *p = data;

	crc = ~crc;
	for (; len; len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ crc_table[crc & 15];
		crc = crc >> 4 ^ crc_table[crc & 15];
	}
	return ~crc;
}

/* --- time, as people read it ---------------------------------------------------- */

#define DAY_S	 86400
#define YEAR_MAX 9999
/* Days of 400 years, and from the 1st of March of year 0 to 1970. */
#define ERA_DAYS 146097
#define EPOCH	 719468

/* Years begin in March, so that the leap day is the last of one. */
static int64_t days_of(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year, m = (month + 9) % 12;

	return (int64_t)y * 365 + y / 4 - y / 100 + y / 400 +
	       (153 * m + 2) / 5 + day - 1 - EPOCH;
}

static void date_of(int64_t days, int *year, int *month, int *day)
{
	int64_t z = days + EPOCH, era = z / ERA_DAYS;
	int doe = (int)(z - era * ERA_DAYS);
	int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int m = (5 * doy + 2) / 153;

	*day = doy - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = (int)era * 400 + yoe + (*month <= 2);
}

static int format_time(int64_t us, char *out, size_t size)
{
	int64_t s = us / 1000000;
	int year, month, day, of_day = (int)(s % DAY_S);

	date_of(s / DAY_S, &year, &month, &day);
	return snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", year,
			month, day, of_day / 3600, of_day / 60 % 60,
			of_day % 60, (int)(us % 1000000));
}

/* --- the first line ---------------------------------------------------------------- */

/* All before the CRC of the line itself. */
static size_t format_body(const struct ferryi_record *r, char *out, size_t size)
{
	int n = snprintf(out, size, "#%" PRIu64 " %" PRIu64 " ", r->at, r->len);

	n += format_time(r->sent_us, out + n, size - (size_t)n);
	n += snprintf(out + n, size - (size_t)n, " %" PRIu32 " %08" PRIx32,
		      r->pid, r->crc);
	return (size_t)n;
}

size_t ferryi_record_format(struct ferryi_record *r,
			    char out[FERRYI_RECORD_HEAD_MAX])
{
	size_t n = format_body(r, out, FERRYI_RECORD_HEAD_MAX);

	n += (size_t)snprintf(out + n, FERRYI_RECORD_HEAD_MAX - n,
			      " %08" PRIx32 "\n", ferryi_crc32(0, out, n));
	r->head = n;
	return n;
}

/* Up to `digits` digits, exactly so many when `exact`; moves *p. */
static bool read_number(const char **p, unsigned base, int digits, bool exact,
			uint64_t *out)
{
	int n = 0;

	for (*out = 0; n < digits; n++, (*p)++) {
		const char *hex = "0123456789abcdef";
		const char *d = **p ? strchr(hex, **p) : NULL;

		if (!d || (unsigned)(d - hex) >= base)
			break;
		*out = *out * base + (unsigned)(d - hex);
	}
	return n > 0 && (!exact || n == digits);
}

static bool read_char(const char **p, char c)
{
	return *(*p)++ == c;
}

static bool read_time(const char **p, int64_t *out_us)
{
	static const char *const behind = "--T::.Z";
	static const int digits[7] = { 4, 2, 2, 2, 2, 2, 6 };
	uint64_t v[7];

	for (int i = 0; i < 7; i++)
		if (!read_number(p, 10, digits[i], true, &v[i]) ||
		    !read_char(p, behind[i]))
			return false;
	if (v[0] < 1970 || v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31)
		return false;
	*out_us = days_of((int)v[0], (int)v[1], (int)v[2]) * DAY_S * 1000000 +
		  (int64_t)((v[3] * 3600 + v[4] * 60 + v[5]) * 1000000 + v[6]);
	return true;
}

static bool read_fields(const char *line, struct ferryi_record *r)
{
	uint64_t pid, crc, own;
	const char *p = line;

	if (!read_char(&p, '#') || !read_number(&p, 10, 19, false, &r->at) ||
	    !read_char(&p, ' ') || !read_number(&p, 10, 10, false, &r->len) ||
	    !read_char(&p, ' ') || !read_time(&p, &r->sent_us) ||
	    !read_char(&p, ' ') || !read_number(&p, 10, 10, false, &pid) ||
	    !read_char(&p, ' ') || !read_number(&p, 16, 8, true, &crc) ||
	    !read_char(&p, ' ') || !read_number(&p, 16, 8, true, &own))
		return false;
	r->pid = (uint32_t)pid;
	r->crc = (uint32_t)crc;
	return true;
}

int ferryi_record_parse(const char *bytes, size_t len, uint64_t at,
			struct ferryi_record *out)
{
	char line[FERRYI_RECORD_HEAD_MAX + 1], again[FERRYI_RECORD_HEAD_MAX];
	struct ferryi_record r = { 0 };
	const char *end;
	size_t n;

	if (len > FERRYI_RECORD_HEAD_MAX)
		len = FERRYI_RECORD_HEAD_MAX;
	if (len && bytes[0] != '#')
		return -EBADMSG;
	end = len ? memchr(bytes, '\n', len) : NULL;
	if (!end)
		return len < FERRYI_RECORD_HEAD_MAX ? 0 : -EBADMSG;
	n = (size_t)(end - bytes) + 1;
	memcpy(line, bytes, n);
	line[n] = 0;
	/* One way to write each record: what differs from it is none. */
	if (!read_fields(line, &r) || r.at != at || r.len > FERRYI_RECORD_MAX ||
	    ferryi_record_format(&r, again) != n || memcmp(line, again, n) != 0)
		return -EBADMSG;
	*out = r;
	return 1;
}

bool ferryi_record_may_reach(const char *bytes, size_t len, uint64_t at,
			     uint64_t to)
{
	char begin[40] = "";
	const char *p = begin;
	uint64_t pos, n;

	memcpy(begin, bytes, len < sizeof begin ? len : sizeof begin - 1);
	return read_char(&p, '#') && read_number(&p, 10, 19, false, &pos) &&
	       read_char(&p, ' ') && read_number(&p, 10, 10, false, &n) &&
	       pos == at && at + n + FERRYI_RECORD_HEAD_MAX + 1 > to;
}

uint64_t ferryi_record_end(const struct ferryi_record *r)
{
	return r->at + r->head + r->len + 1;
}

bool ferryi_record_is_torn(const char *bytes, size_t len, uint64_t at)
{
	char begin[24];
	size_t n = (size_t)snprintf(begin, sizeof begin, "#%" PRIu64 " ", at);

	for (size_t i = 0; i < n && i < len && bytes[i]; i++)
		if (bytes[i] != begin[i])
			return false;
	return true;
}

int64_t ferryi_record_find(const char *bytes, size_t len, uint64_t at,
			   char before, struct ferryi_record *out)
{
	const char *p = bytes, *end = bytes + len;

	while (p < end && (p = memchr(p, '#', (size_t)(end - p)))) {
		uint64_t here = at + (uint64_t)(p - bytes);

		if ((p == bytes ? before : p[-1]) == '\n' &&
		    ferryi_record_parse(p, (size_t)(end - p), here, out) == 1)
			return p - bytes;
		p++;
	}
	return -1;
}

int ferryi_record_check_first(const char *bytes, size_t len)
{
	static const char first[] = FERRYI_RECORD_FIRST;
	size_t n = len < FERRYI_RECORD_START ? len : FERRYI_RECORD_START;
	size_t name = sizeof "#ferry-log " - 1;

	if (memcmp(bytes, first, n) == 0)
		return n == FERRYI_RECORD_START;
	return n > name && memcmp(bytes, first, name) == 0 ? -EPROTO : -EBADMSG;
}
