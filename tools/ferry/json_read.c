/* SPDX-License-Identifier: MIT */
/*
 * The reader for a line of `send --json`: see json.h.  Strict RFC 8259 on
 * foreign bytes: every read is checked against `end`, depth is bounded, and
 * decoding is done in place because no JSON string decodes to more bytes than
 * it is written with.
 */
#include "json.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 32

struct reader {
	char *at, *end;
	const char *wrong; /* the first thing that was wrong */
};

static bool fail(struct reader *r, const char *why)
{
	if (!r->wrong)
		r->wrong = why;
	return false;
}

static char peek(struct reader *r)
{
	while (r->at < r->end && strchr(" \t\r\n", *r->at) && *r->at)
		r->at++;
	return r->at < r->end ? *r->at : '\0';
}

static bool eat(struct reader *r, char c)
{
	if (peek(r) != c)
		return false;
	r->at++;
	return true;
}

static bool hex4(struct reader *r, uint32_t *out)
{
	uint32_t v = 0;

	if (r->end - r->at < 4)
		return fail(r, "an escape \\u without four digits");
	for (int i = 0; i < 4; i++) {
		char c = *r->at++;
		char low = (char)(c | 0x20);

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			v = v << 4 | (uint32_t)(low - 'a' + 10);
		else
			return fail(r, "an escape \\u without four digits");
	}
	*out = v;
	return true;
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*to++ = (char)(0xe0 | c >> 12);
		} else {
			*to++ = (char)(0xf0 | c >> 18);
			*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

/* \uXXXX, or a pair of them beyond the basic plane. */
static bool unicode(struct reader *r, char **to)
{
	uint32_t c, low;

	if (!hex4(r, &c))
		return false;
	if (c >= 0xdc00 && c < 0xe000)
		return fail(r, "half a surrogate pair");
	if (c >= 0xd800 && c < 0xdc00) {
		if (r->end - r->at < 2 || r->at[0] != '\\' || r->at[1] != 'u')
			return fail(r, "half a surrogate pair");
		r->at += 2;
		if (!hex4(r, &low))
			return false;
		if (low < 0xdc00 || low >= 0xe000)
			return fail(r, "half a surrogate pair");
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	*to = put_utf8(*to, c);
	return true;
}

static bool escape(struct reader *r, char **to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	const char *found;
	char c;

	if (r->at == r->end)
		return fail(r, "a string without an end");
	c = *r->at++;
	if (c == 'u')
		return unicode(r, to);
	found = c ? strchr(from, c) : NULL;
	if (!found)
		return fail(r, "an unknown escape");
	*(*to)++ = into[found - from];
	return true;
}

static bool string(struct reader *r, char **out, size_t *out_len)
{
	char *start, *to;

	if (!eat(r, '"'))
		return fail(r, "a string was expected");
	start = to = r->at;
	while (r->at < r->end && *r->at != '"') {
		if ((unsigned char)*r->at < 0x20)
			return fail(r, "a control character in a string");
		if (*r->at != '\\')
			*to++ = *r->at++;
		else if (r->at++, !escape(r, &to))
			return false;
	}
	if (r->at == r->end)
		return fail(r, "a string without an end");
	r->at++;
	*out = start;
	*out_len = (size_t)(to - start);
	return true;
}

static size_t run_of_digits(struct reader *r)
{
	char *start = r->at;

	while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
		r->at++;
	return (size_t)(r->at - start);
}

/* true, false, null or a number. */
static bool skip_scalar(struct reader *r)
{
	static const char *const words[] = { "true", "false", "null" };
	char *start = r->at;

	for (int i = 0; i < 3; i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(r->end - r->at) >= len &&
		    !memcmp(r->at, words[i], len)) {
			r->at += len;
			return true;
		}
	}
	if (r->at < r->end && *r->at == '-')
		start = ++r->at;
	if (!run_of_digits(r) || (*start == '0' && r->at > start + 1))
		return fail(r, "a value was expected");
	if (r->at < r->end && *r->at == '.' && (r->at++, !run_of_digits(r)))
		return fail(r, "a number without digits behind the point");
	if (r->at < r->end && (*r->at | 0x20) == 'e') {
		r->at++;
		if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
			r->at++;
		if (!run_of_digits(r))
			return fail(r, "a number without an exponent");
	}
	return true;
}

static bool skip(struct reader *r, int depth)
{
	size_t len;
	char *text, open = peek(r), close;

	if (open == '"')
		return string(r, &text, &len);
	if (open != '{' && open != '[')
		return skip_scalar(r);
	if (depth == DEPTH_MAX)
		return fail(r, "too many levels");
	close = open == '{' ? '}' : ']';
	r->at++;
	if (eat(r, close))
		return true;
	do {
		if (open == '{' && (!string(r, &text, &len) ||
				    (!eat(r, ':') && !fail(r, "no colon"))))
			return false;
		if (!skip(r, depth + 1))
			return false;
	} while (eat(r, ','));
	return eat(r, close) || fail(r, "a bracket is not closed");
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool base64(struct reader *r, char *s, size_t *len)
{
	size_t n = *len, out = 0;
	uint32_t bits = 0;

	if (n % 4)
		return fail(r, "data_b64 is not base64");
	while (n && s[n - 1] == '=' && *len - n < 2)
		n--;
	for (size_t i = 0; i < n; i++) {
		int digit = base64_digit(s[i]);

		if (digit < 0)
			return fail(r, "data_b64 is not base64");
		bits = bits << 6 | (uint32_t)digit;
		if (i % 4)
			s[out++] = (char)(bits >> (6 - 2 * (i % 4)));
	}
	*len = out;
	return true;
}

static bool number(struct reader *r, const char *what, uint32_t *out)
{
	unsigned long long n;
	char *start, *end;

	peek(r);
	start = r->at;
	if (!skip_scalar(r))
		return false;
	n = strtoull(start, &end, 10);
	if (end != r->at || *start == '-' || n > UINT32_MAX)
		return fail(r, what);
	*out = (uint32_t)n;
	return true;
}

static bool field(struct reader *r, struct json_message *out, bool *has_data)
{
	size_t len;
	char *key;
	bool b64;

	if (!string(r, &key, &len))
		return false;
	if (!eat(r, ':'))
		return fail(r, "a colon was expected");
	if (len == 4 && !memcmp(key, "type", 4))
		return number(r, "type is not a number of 32 bits", &out->type);
	if (len == 8 && !memcmp(key, "priority", 8))
		return number(r, "priority is not a number of 32 bits",
			      &out->priority);
	b64 = len == 8 && !memcmp(key, "data_b64", 8);
	if (!b64 && !(len == 4 && !memcmp(key, "data", 4)))
		return skip(r, 0);
	if (*has_data)
		return fail(r, "data stands twice");
	*has_data = true;
	return string(r, &out->data, &out->len) &&
	       (!b64 || base64(r, out->data, &out->len));
}

const char *json_read_message(char *line, size_t len, struct json_message *out)
{
	struct reader r = { line, line + len, NULL };
	bool has_data = false;

	memset(out, 0, sizeof *out);
	if (!utf8_valid(line, len, false))
		return "the line is not UTF-8";
	if (!eat(&r, '{'))
		return "an object was expected";
	do {
		if (!field(&r, out, &has_data))
			return r.wrong;
	} while (eat(&r, ','));
	if (!eat(&r, '}'))
		return "the object is not closed";
	if (peek(&r) || r.at != r.end)
		return "something stands behind the object";
	return has_data ? NULL : "neither data nor data_b64";
}
