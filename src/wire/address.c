/* SPDX-License-Identifier: MIT */
/* See address.h.  One pass that decodes the text into the structure. */
#include "wire/address.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool is_small(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Sets *text behind the scheme.  Returns a phrase, or NULL when it is good. */
static const char *parse_scheme(struct ferryi_address *a, const char **text)
{
	size_t len = strcspn(*text, ":/?");

	if ((*text)[len] != ':') {
		strcpy(a->scheme, "mailbox");
		return NULL;
	}
	if (len == 0)
		return "no scheme before the ':'";
	if (len >= sizeof a->scheme)
		return "a scheme longer than 15 letters";
	for (size_t i = 0; i < len; i++) {
		char c = (*text)[i];

		if (!is_small(c) &&
		    (i == 0 || (!is_digit(c) && c != '+' && c != '-')))
			return "a scheme has only small letters, digits, "
			       "'+' and '-'";
	}
	memcpy(a->scheme, *text, len);
	a->scheme[len] = 0;
	*text += len + 1;
	return NULL;
}

/* "10%": with nothing behind it, in a value. */
static bool is_percent(const char *p, const char *stops)
{
	return *stops == '&' && (!p[1] || p[1] == '&');
}

/*
 * Decode up to one of `stops` or the end, and terminate.  *out moves behind
 * the terminator, *text to the stop.  The decoded text is never longer than
 * the source, and a terminator takes the place of the stop, so it always fits.
 */
static const char *decode(char **out, const char **text, const char *stops)
{
	const char *p = *text;
	char *to = *out;

	for (; *p && !strchr(stops, *p); p++) {
		int high, low;

		if (*p != '%' || is_percent(p, stops)) {
			*to++ = *p;
			continue;
		}
		high = hex_value(p[1]);
		low = high < 0 ? -1 : hex_value(p[2]);
		if (low < 0)
			return "a '%' without two hexadecimal digits behind it";
		if (high == 0 && low == 0)
			return "a zero byte (%00)";
		*to++ = (char)(high << 4 | low);
		p += 2;
	}
	*to++ = 0;
	*out = to;
	*text = p;
	return NULL;
}

/* One "key" or "key=value" behind a '?' or '&'. */
static const char *parse_key(struct ferryi_address *a, char **out,
			     const char **text)
{
	struct ferryi_key *k = &a->keys[a->n_keys];
	const char *why;

	if (a->n_keys == FERRYI_KEYS_MAX)
		return "more than 16 keys";
	k->key = *out;
	why = decode(out, text, "=&");
	if (why)
		return why;
	if (!*k->key)
		return "a key without a name";
	k->value = *out - 1; /* "": the key's own terminator */
	if (**text == '=') {
		++*text;
		k->value = *out;
		why = decode(out, text, "&");
		if (why)
			return why;
	}
	if (ferryi_address_get(a, k->key))
		return "a key that stands twice";
	a->n_keys++;
	return NULL;
}

static const char *parse(struct ferryi_address *a, const char *text)
{
	char *out = a->text;
	const char *why;

	a->scheme[0] = 0;
	a->n_keys = 0;
	a->rest = a->text;
	a->text[0] = 0;
	if (!*text)
		return "an empty address";
	if (strnlen(text, FERRYI_ADDRESS_MAX) == FERRYI_ADDRESS_MAX)
		return "longer than 4095 bytes";
	why = parse_scheme(a, &text);
	if (!why)
		why = decode(&out, &text, "?");
	while (!why && *text) { /* at a '?' or '&' */
		text++;
		why = parse_key(a, &out, &text);
	}
	return why;
}

int ferryi_address_parse(struct ferryi_address *a, const char *text,
			 const char **out_why)
{
	const char *why = parse(a, text);

	if (!why)
		return 0;
	*out_why = why;
	return -EINVAL;
}

const char *ferryi_address_get(const struct ferryi_address *a, const char *key)
{
	for (unsigned i = 0; i < a->n_keys; i++)
		if (strcmp(a->keys[i].key, key) == 0)
			return a->keys[i].value;
	return NULL;
}

bool ferryi_address_has_word(const char *list, const char *word, size_t len)
{
	while (*list) {
		size_t n = strcspn(list, " ");

		if (n == len && memcmp(word, list, n) == 0)
			return true;
		list += n + (list[n] == ' ');
	}
	return false;
}

static bool in_list(const char *word, const char *list)
{
	return ferryi_address_has_word(list, word, strlen(word));
}

const char *ferryi_address_unknown(const struct ferryi_address *a,
				   const char *known)
{
	for (unsigned i = 0; i < a->n_keys; i++)
		if (!in_list(a->keys[i].key, known))
			return a->keys[i].key;
	return NULL;
}

void ferryi_address_without(const struct ferryi_address *a, const char *scheme,
			    const char *keys, struct ferryi_address *out)
{
	snprintf(out->scheme, sizeof out->scheme, "%s", scheme);
	out->rest = a->rest;
	out->n_keys = 0;
	for (unsigned i = 0; i < a->n_keys; i++)
		if (!in_list(a->keys[i].key, keys))
			out->keys[out->n_keys++] = a->keys[i];
}

/* --- formatting ---------------------------------------------------------- */

struct text {
	char *buf;
	size_t size, len;
};

static void put(struct text *t, char c)
{
	if (t->len + 1 < t->size)
		t->buf[t->len] = c;
	t->len++;
}

static void put_quoted(struct text *t, const char *s, const char *special)
{
	static const char hex[] = "0123456789abcdef";

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c > ' ' && c != 0x7f && c != '%' && !strchr(special, c)) {
			put(t, *s);
			continue;
		}
		put(t, '%');
		put(t, hex[c >> 4]);
		put(t, hex[c & 15]);
	}
}

int ferryi_address_format(const struct ferryi_address *a, char *buf,
			  size_t size)
{
	struct text t = { buf, size, 0 };

	put_quoted(&t, a->scheme, "");
	put(&t, ':');
	put_quoted(&t, a->rest, "?");
	for (unsigned i = 0; i < a->n_keys; i++) {
		put(&t, i ? '&' : '?');
		put_quoted(&t, a->keys[i].key, "=&");
		if (*a->keys[i].value)
			put(&t, '=');
		put_quoted(&t, a->keys[i].value, "&");
	}
	if (size)
		buf[t.len < size ? t.len : size - 1] = 0;
	return (int)t.len;
}
