/* SPDX-License-Identifier: MIT */
/* What pub, sub and clip share: the options of a new topic, and its address. */
#ifndef FERRY_TOOLS_TOPIC_H
#define FERRY_TOOLS_TOPIC_H

#include <stddef.h>
#include <stdint.h>

/* For who makes it; 0 or -1: not given. */
struct topic_options {
	uint64_t capacity, max;
	int persist;
};
#define TOPIC_OPTIONS_INIT                                                     \
	{                                                                      \
		0, 0, -1                                                       \
	}

extern const char *const topic_persistences[];

#define TOPIC_ROWS(o)                                                            \
	{ "capacity",	 0,	     OPTION_NUMBER,                              \
	  &(o).capacity, "MESSAGES", "keep so many (64), when it is made now",   \
	  NULL },                                                                \
		{ "max",       0,                                                \
		  OPTION_SIZE, &(o).max,                                         \
		  "SIZE",      "the longest message (64K), when it is made now", \
		  NULL },                                                        \
	{                                                                        \
		"persist", 0, OPTION_CHOICE, &(o).persist, "HOW",                \
			"process or kernel: until it is removed",                \
			topic_persistences                                       \
	}

/*
 * The address of `name` ("temp", "topic:temp?...") with these options and, unless
 * they are NULL, a policy and where to begin.  In `buf`; a name too long is a usage
 * error.
 */
const char *topic_address(char *buf, size_t size, const char *name,
			  const struct topic_options *o, const char *policy,
			  const char *from);

#endif
