/* SPDX-License-Identifier: MIT */
/* See found.h. */
#include "found.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "figures.h"
#include "options.h"
#include "report.h"
#include "table.h"

struct headings {
	char text[TABLE_COLUMNS_MAX]
		 [1 + sizeof(((struct ferry_figure *)0)->name)];
	const char *at[TABLE_COLUMNS_MAX + 1];
	int n;
};

/* The column of a figure; it is added if it is new, and there is room. */
static int column(struct headings *h, const struct ferry_figure *f)
{
	char *to = h->text[h->n];
	size_t n = 0;

	to[n++] = '>';
	for (const char *c = f->name; *c; c++)
		to[n++] = (char)toupper((unsigned char)*c);
	to[n] = 0;
	for (int i = 1; i < h->n; i++)
		if (strcmp(h->at[i], to) == 0)
			return i;
	if (h->n == TABLE_COLUMNS_MAX - 1)
		return -1;
	h->at[h->n] = to;
	h->at[h->n + 1] = NULL;
	return h->n++;
}

/* An object that has gone since has no figures. */
struct object {
	const char *address;
	struct ferry_figure *figures;
	size_t n;
};

static void put_row(struct table *t, struct headings *h, const struct object *o)
{
	const struct ferry_figure *of[TABLE_COLUMNS_MAX] = { 0 };
	char buf[SHORT_MAX];
	int at;

	for (size_t i = 0; i < o->n; i++) {
		at = column(h, &o->figures[i]);
		if (at > 0)
			of[at] = &o->figures[i];
	}
	table_cell(t, "%s", o->address);
	for (int i = 1; i < h->n; i++)
		table_cell(t, "%s", of[i] ? figure_text(of[i], buf) : "-");
}

static void put_table(const struct object *list, size_t n)
{
	static bool one_before;
	struct headings h = { .at = { "ADDRESS" }, .n = 1 };
	struct table t;

	if (n && one_before)
		putchar('\n');
	one_before |= n != 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < list[i].n; k++)
			column(&h, &list[i].figures[k]);
	table_init(&t, h.at);
	for (size_t i = 0; i < n; i++)
		put_row(&t, &h, &list[i]);
	table_print(&t);
}

static void show(struct object *list, const struct ferry_found *found, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		list[i].address = found[i].address;
		if (ferry_figures(found[i].address, &list[i].figures,
				  &list[i].n) < 0)
			list[i].n = 0;
		if (globals.json)
			figures_json(list[i].address, list[i].figures,
				     list[i].n);
	}
	if (!globals.json)
		put_table(list, n);
	for (size_t i = 0; i < n; i++)
		ferry_free(list[i].figures);
}

int found_show(const char *scheme, bool only_names)
{
	struct ferry_found *found;
	struct object *list;
	size_t n;
	int r = ferry_find(scheme, &found, &n);

	if (r < 0)
		return report_error(NULL, NULL, r);
	if (only_names && !globals.json) {
		for (size_t i = 0; i < n; i++)
			puts(found[i].address);
	} else {
		list = calloc(n + 1, sizeof *list);
		if (!list)
			return report(scheme, ferry_error_status(-ENOMEM),
				      "out of memory");
		show(list, found, n);
		free(list);
	}
	if (!n)
		note("%s there is none", scheme);
	if (r > 0)
		note("%s there are more, which no address names", scheme);
	ferry_free(found);
	return 0;
}
