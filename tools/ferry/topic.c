/* SPDX-License-Identifier: MIT */
/* See topic.h. */
#include "topic.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "report.h"

const char *const topic_persistences[] = { "process", "kernel", NULL };

struct text {
	char *buf;
	size_t size, len;
};

static void add(struct text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->buf + t->len, t->size - t->len, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= t->size - t->len)
		usage_error("the name is too long");
	t->len += (size_t)n;
}

/* '?' in front of the first key, '&' in front of the others. */
static char joint(const struct text *t)
{
	return strchr(t->buf, '?') ? '&' : '?';
}

const char *topic_address(char *buf, size_t size, const char *name,
			  const struct topic_options *o, const char *policy,
			  const char *from)
{
	struct text t = { buf, size, 0 };

	add(&t, "topic:%s", strncmp(name, "topic:", 6) ? name : name + 6);
	if (o->capacity)
		add(&t, "%ccapacity=%" PRIu64, joint(&t), o->capacity);
	if (o->max)
		add(&t, "%cmax=%" PRIu64, joint(&t), o->max);
	if (o->persist >= 0)
		add(&t, "%cpersist=%s", joint(&t),
		    topic_persistences[o->persist]);
	if (policy)
		add(&t, "%cpolicy=%s", joint(&t), policy);
	if (from)
		add(&t, "%cfrom=%s", joint(&t), from);
	return buf;
}
