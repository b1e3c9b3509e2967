/* SPDX-License-Identifier: MIT */
/* Tables for people: see table.h. */
#include "table.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "report.h"

void table_init(struct table *t, const char *const *headings)
{
	memset(t, 0, sizeof *t);
	while (headings[t->n_columns])
		t->n_columns++;
	for (int i = 0; i < t->n_columns; i++)
		table_cell(t, "%s", headings[i]);
}

static _Noreturn void no_memory(void)
{
	exit(report(NULL, ferry_error_status(-ENOMEM), "out of memory"));
}

void table_cell(struct table *t, const char *fmt, ...)
{
	char text[512], safe[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (t->n_cells == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->cells = realloc(t->cells, t->cap * sizeof *t->cells);
		if (!t->cells)
			no_memory();
	}
	t->cells[t->n_cells] = strdup(plain(text, safe, sizeof safe));
	if (!t->cells[t->n_cells++])
		no_memory();
}

/* Characters, not bytes: what continues a UTF-8 sequence has no width. */
static int width(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

static void put_cell(const char *text, int wide, bool right, bool last)
{
	int pad = wide - width(text);

	if (right)
		printf("%*s%s", pad, "", text);
	else
		printf("%s%*s", text, last ? 0 : pad, "");
	printf(last ? "\n" : "  ");
}

void table_print(struct table *t)
{
	int columns = t->n_columns, widths[TABLE_COLUMNS_MAX] = { 0 }, w, c;
	size_t i;

	for (i = 0; i < t->n_cells; i++) {
		c = (int)(i % (size_t)columns);
		w = width(t->cells[i]) - (*t->cells[i] == '>');
		if (w > widths[c])
			widths[c] = w;
	}
	for (i = 0; i < t->n_cells && t->n_cells > (size_t)columns; i++) {
		c = (int)(i % (size_t)columns);
		put_cell(t->cells[i] +
				 (i < (size_t)columns && *t->cells[c] == '>'),
			 widths[c], *t->cells[c] == '>', c == columns - 1);
	}
	for (i = 0; i < t->n_cells; i++)
		free(t->cells[i]);
	free(t->cells);
}

const char *short_size(uint64_t bytes, char buf[SHORT_MAX])
{
	static const char units[] = "KMGTPE";
	double v = (double)bytes;
	int unit = -1;

	if (bytes < 1024) {
		snprintf(buf, SHORT_MAX, "%" PRIu64, bytes);
		return buf;
	}
	while (v >= 1024 && unit < 5) {
		v /= 1024;
		unit++;
	}
	snprintf(buf, SHORT_MAX, v < 10 && v != (int)v ? "%.1f%c" : "%.0f%c", v,
		 units[unit]);
	return buf;
}

const char *short_span(int64_t ns, char buf[SHORT_MAX])
{
	int64_t s = ns / FERRY_S(1);

	if (ns < 0)
		snprintf(buf, SHORT_MAX, "-");
	else if (s < 1)
		snprintf(buf, SHORT_MAX, "%" PRId64 "ms", ns / FERRY_MS(1));
	else if (s < 120)
		snprintf(buf, SHORT_MAX, "%" PRId64 "s", s);
	else if (s < 7200)
		snprintf(buf, SHORT_MAX, "%" PRId64 "m", s / 60);
	else if (s < 172800)
		snprintf(buf, SHORT_MAX, "%" PRId64 "h", s / 3600);
	else
		snprintf(buf, SHORT_MAX, "%" PRId64 "d", s / 86400);
	return buf;
}

const char *short_age(int64_t realtime_ns, char buf[SHORT_MAX])
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!realtime_ns)
		return short_span(-1, buf);
	realtime_ns = FERRY_S(now.tv_sec) + now.tv_nsec - realtime_ns;
	return short_span(realtime_ns < 0 ? 0 : realtime_ns, buf);
}

const char *user_name(uid_t uid, char buf[SHORT_MAX])
{
	struct passwd *p = getpwuid(uid);

	if (p)
		snprintf(buf, SHORT_MAX, "%s", p->pw_name);
	else
		snprintf(buf, SHORT_MAX, "%u", uid);
	return buf;
}
