/* SPDX-License-Identifier: MIT */
/* An object as JSON: the same fields for `ls --json` and `stat --json`. */
#ifndef FERRY_TOOLS_OBJECT_H
#define FERRY_TOOLS_OBJECT_H

#include <string.h>
#include <ferry.h>

/* One object a line on standard output. */
void object_json(const struct ferry_object *o);

/* Is it one, that can be named to other verbs? */
static inline bool object_is_there(const struct ferry_object *o)
{
	return o->state == FERRY_LIVE || o->state == FERRY_ABANDONED;
}

/* Have its options and figures been read?  The name of a process has none. */
static inline bool object_known(const struct ferry_object *o)
{
	return object_is_there(o) && strcmp(o->kind, "process") != 0;
}

/* Of the kinds, `o->topic` is the one that has been read. */
static inline bool object_is_topic(const struct ferry_object *o)
{
	return strcmp(o->kind, "topic") == 0;
}

/* What stands before the name where objects of several kinds do. */
static inline const char *object_prefix(const struct ferry_object *o)
{
	return object_is_topic(o) ? "topic:" : "";
}

#endif
