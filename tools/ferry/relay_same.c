/* SPDX-License-Identifier: MIT */
/*
 * Are the two ends of a relay one object?  Names are not compared as they were written:
 * "jobs", "mailbox:jobs" and "./realm/jobs" may be one mailbox.  See relay.h.
 */
#include "relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The name in an address: without scheme and keys, and no longer escaped. */
static void read_name(const struct relay_end *e, char name[ADDRESS_SIZE])
{
	const char *p = address_behind(ferry_address(e->link));
	size_t n = 0;

	p += strlen(e->t->scheme) + 1;
	while (*p && *p != '?' && n < ADDRESS_SIZE - 1) {
		char hex[3] = { 0 };

		if (*p == '%' && p[1] && p[2]) {
			memcpy(hex, p + 1, 2);
			p += 2;
			name[n++] = (char)strtol(hex, NULL, 16);
		} else {
			name[n++] = *p;
		}
		p++;
	}
	name[n] = 0;
}

static bool is_one_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

/* The directory of a name in a realm; *out_base: what it is called there. */
static void read_realm(const char *name, char dir[ADDRESS_SIZE],
		       const char **out_base)
{
	const char *slash = strrchr(name, '/');

	*out_base = slash ? slash + 1 : name;
	if (slash)
		snprintf(dir, ADDRESS_SIZE, "%.*s", (int)(*out_base - name),
			 name);
	else if (ferry_realm(dir, ADDRESS_SIZE) < 0)
		*dir = 0;
}

static bool is_one_object(const char *a, const char *b)
{
	char dir_a[ADDRESS_SIZE], dir_b[ADDRESS_SIZE];
	const char *base_a, *base_b;

	read_realm(a, dir_a, &base_a);
	read_realm(b, dir_b, &base_b);
	return !strcmp(base_a, base_b) && is_one_file(dir_a, dir_b);
}

/* A key is a number, or made of a file; what has a type is chosen by it. */
static bool is_one_key(const struct relay_end *a, const struct relay_end *b,
		       const char *x, const char *y)
{
	if (address_has(a->name, "type", NULL) ||
	    address_has(b->name, "type", NULL) ||
	    address_has(a->name, "ftok", NULL) !=
		    address_has(b->name, "ftok", NULL))
		return false;
	if (strchr(x, '/') && strchr(y, '/'))
		return is_one_file(x, y);
	return !strchr(x, '/') && !strchr(y, '/') &&
	       strtoul(x, NULL, 0) == strtoul(y, NULL, 0);
}

bool relay_is_same(const struct relay_end *a, const struct relay_end *b)
{
	char x[ADDRESS_SIZE], y[ADDRESS_SIZE];

	if (!a->t || a->t != b->t || !address_is_shared(a->t))
		return false;
	read_name(a, x);
	read_name(b, y);
	if (!strcmp(a->t->scheme, "sysv"))
		return is_one_key(a, b, x, y);
	if (!strcmp(a->t->scheme, "file"))
		return is_one_file(x, y);
	if (!strcmp(a->t->scheme, "mailbox") || !strcmp(a->t->scheme, "topic"))
		return is_one_object(x, y);
	return !strcmp(x, y);
}
