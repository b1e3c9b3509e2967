/* SPDX-License-Identifier: MIT */
/* An object as JSON: the same fields for `ls --json` and `stat --json`. */
#ifndef FERRY_TOOLS_OBJECT_H
#define FERRY_TOOLS_OBJECT_H

#include <string.h>
#include <ferry.h>

/* One object a line on standard output. */
void object_json(const struct ferry_object *o);

/* Have `o->mailbox` and its options been read? */
static inline bool object_known(const struct ferry_object *o)
{
	return (o->state == FERRY_LIVE || o->state == FERRY_ABANDONED) &&
	       strcmp(o->kind, "mailbox") == 0;
}

#endif
