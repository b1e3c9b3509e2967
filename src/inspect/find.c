/* SPDX-License-Identifier: MIT */
/* ferry_find(): the objects of another mechanism, as addresses. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "inspect/inspect.h"
#include "link/transport.h"

struct search {
	const char *scheme;
	struct ferryi_list list;
	bool too_long;
};

/* What an address would take for something else, or a terminal for a command. */
static bool is_escaped(unsigned char c)
{
	return c <= ' ' || c == '%' || c == '?' || c == 0x7f;
}

static int note(const char *rest, void *arg)
{
	struct search *w = arg;
	struct ferry_found *f = ferryi_list_add(&w->list, sizeof *f);
	size_t n;

	if (!f)
		return -ENOMEM;
	n = (size_t)snprintf(f->address, sizeof f->address, "%s:", w->scheme);
	for (; *rest && n + 4 <= sizeof f->address; rest++)
		n += (size_t)snprintf(
			f->address + n, sizeof f->address - n,
			is_escaped((unsigned char)*rest) ? "%%%02X" : "%c",
			(unsigned char)*rest);
	if (*rest) {
		w->too_long = true;
		w->list.n--;
	}
	return 0;
}

static int by_address(const void *a, const void *b)
{
	return strverscmp(((const struct ferry_found *)a)->address,
			  ((const struct ferry_found *)b)->address);
}

/* Sorted, and each once. */
static size_t tidy(struct ferry_found *f, size_t n)
{
	size_t kept = 0;

	if (n)
		qsort(f, n, sizeof *f, by_address);
	for (size_t i = 0; i < n; i++)
		if (!kept || strcmp(f[kept - 1].address, f[i].address) != 0)
			f[kept++] = f[i];
	return kept;
}

int ferry_find(const char *scheme, struct ferry_found **out, size_t *n_out)
{
	const char *rest = "";
	const struct ferryi_transport *t = ferryi_inspect_scheme(scheme, &rest);
	struct search w = { 0 };
	int r;

	ferryi_fail_clear();
	if (!t || *rest)
		return ferryi_fail(-EINVAL,
				   "%.100s is no scheme (write mq: or tcp:, "
				   "ferry transports shows all of them)",
				   scheme ? scheme : "NULL");
	if (!t->names)
		return ferryi_fail(
			-EOPNOTSUPP,
			"%s: nothing lists its objects (files are "
			"found by find(1), those of a realm by ferry "
			"ls)",
			t->info.scheme);
	w.scheme = t->info.scheme;
	r = t->names(note, &w);
	if (r < 0) {
		free(w.list.items);
		return r == -ENOMEM ? ferryi_fail(r, "out of memory") : r;
	}
	*out = (struct ferry_found *)w.list.items;
	*n_out = tidy(*out, w.list.n);
	return r || w.too_long;
}
