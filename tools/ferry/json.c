/* SPDX-License-Identifier: MIT */
/* The JSON writer: see json.h. */
#include "json.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

void json_init(struct json *j, FILE *out)
{
	j->out = out;
	j->comma = false;
}

/* Length of the UTF-8 sequence at s (1..4), or 0 when it is not one. */
static size_t sequence(const unsigned char *s, size_t len)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80	   ? 1 :
		   s[0] >> 5 == 6  ? 2 :
		   s[0] >> 4 == 14 ? 3 :
		   s[0] >> 3 == 30 ? 4 :
				     0;
	uint32_t c = s[0];

	if (n == 0 || n > len)
		return 0;
	if (n == 1)
		return 1;
	c &= 0x7fu >> n;
	for (size_t i = 1; i < n; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	return n;
}

bool utf8_valid(const void *data, size_t len, bool nul_allowed)
{
	const unsigned char *s = data;
	size_t n;

	for (; len; s += n, len -= n) {
		n = sequence(s, len);
		if (n == 0 || (!nul_allowed && *s == '\0'))
			return false;
	}
	return true;
}

static void put_string(FILE *out, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n;

	putc('"', out);
	for (; len; s += n, len -= n) {
		n = sequence(s, len);
		if (n == 0) {
			fputs("\\ufffd", out);
			n = 1;
		} else if (*s == '"' || *s == '\\') {
			putc('\\', out);
			putc(*s, out);
		} else if (*s == '\n') {
			fputs("\\n", out);
		} else if (*s < 0x20 || *s == 0x7f) {
			fprintf(out, "\\u%04x", *s);
		} else {
			fwrite(s, 1, n, out);
		}
	}
	putc('"', out);
}

static void put_key(struct json *j, const char *key)
{
	if (j->comma)
		putc(',', j->out);
	j->comma = true;
	if (key) {
		put_string(j->out, key, strlen(key));
		putc(':', j->out);
	}
}

void json_open(struct json *j, const char *key, char bracket)
{
	put_key(j, key);
	putc(bracket, j->out);
	j->comma = false;
}

void json_close(struct json *j, char bracket)
{
	putc(bracket, j->out);
	j->comma = true;
}

void json_number(struct json *j, const char *key, uint64_t n)
{
	put_key(j, key);
	fprintf(j->out, "%" PRIu64, n);
}

void json_bool(struct json *j, const char *key, bool value)
{
	put_key(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_text(struct json *j, const char *key, const char *s, size_t len)
{
	put_key(j, key);
	put_string(j->out, s, len);
}

void json_base64(struct json *j, const char *key, const void *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *s = data;

	put_key(j, key);
	putc('"', j->out);
	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)s[i] << 16;

		if (i + 1 < len)
			v |= (uint32_t)s[i + 1] << 8;
		if (i + 2 < len)
			v |= s[i + 2];
		putc(digits[v >> 18], j->out);
		putc(digits[v >> 12 & 63], j->out);
		putc(i + 1 < len ? digits[v >> 6 & 63] : '=', j->out);
		putc(i + 2 < len ? digits[v & 63] : '=', j->out);
	}
	putc('"', j->out);
}

void json_time(struct json *j, const char *key, int64_t ns)
{
	char text[64], whole[40];
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;
	int n;

	if (ns < 0 || !gmtime_r(&seconds, &tm))
		return;
	strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &tm);
	n = snprintf(text, sizeof text, "%s.%06dZ", whole,
		     (int)(ns % 1000000000 / 1000));
	json_text(j, key, text, (size_t)n);
}

void json_end(struct json *j)
{
	putc('\n', j->out);
	j->comma = false;
}
