/* SPDX-License-Identifier: MIT */
/*
 * What `ferry pipe A B` and `ferry tap A B` do: everything that comes from one link
 * goes to another one, and, where both are connections, the other way as well.
 *
 *   relay_end.c   the two ends: what they are, what is lost between them
 *   relay_same.c  are they one?
 *   relay_move.c  one way: take, deliver, settle
 *   relay.c       both ways, and the end
 *
 * What was taken is settled when the other side has accepted it, so what the source
 * takes back is never lost, whatever kills this process; what it does not take back
 * and could not be delivered is told, with its size.
 */
#ifndef FERRY_TOOLS_RELAY_H
#define FERRY_TOOLS_RELAY_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <ferry.h>
#include "address.h"
#include "framing.h"
#include "options.h"

struct relay_end {
	const char *name; /* what the user wrote */
	char address[ADDRESS_SIZE];
	const struct ferry_transport_info *t; /* NULL: no such scheme */
	unsigned promises; /* of them, those that this address keeps */
	struct ferry_link *link;
	bool listens, stream;
};

struct relay_options {
	struct patience patience;
	struct framing_options framing;
	uint64_t count; /* messages of the first end, then the end */
	bool listens[2], one_way, strict;
	/*
	 * For what has been delivered from `from` to `to`; by one thread at a
	 * time.  A status other than 0 ends it.
	 */
	int (*seen)(void *context, const struct relay_end *from,
		    const struct relay_end *to, const struct ferry_message *m);
	void *context;
};

#define RELAY_INIT                                                             \
	{                                                                      \
		.patience = PATIENCE_INIT, .count = UINT64_MAX                 \
	}

#define RELAY_ROWS(o)                                                          \
	{ "listen",                                                            \
	  'l',                                                                 \
	  OPTION_FLAG,                                                         \
	  &(o).listens[0],                                                     \
	  NULL,                                                                \
	  "wait for one connection at the first "                              \
	  "ADDRESS",                                                           \
	  NULL },                                                              \
		{ "listen-last", 'L',                                          \
		  OPTION_FLAG,	 &(o).listens[1],                              \
		  NULL,		 "wait for one connection at the last one",    \
		  NULL },                                                      \
		{ "one-way",	0,    OPTION_FLAG,                             \
		  &(o).one_way, NULL, "only from the first to the last one",   \
		  NULL },                                                      \
		{ "strict",    0,    OPTION_FLAG,                              \
		  &(o).strict, NULL, "refuse when something would be lost",    \
		  NULL },                                                      \
		{ "count",    'C',     OPTION_NUMBER,                          \
		  &(o).count, "COUNT", "end after so many messages",           \
		  NULL },                                                      \
		{ "line",      0,                                              \
		  OPTION_FLAG, &(o).framing.line,                              \
		  NULL,	       "bytes are messages, one a line",               \
		  NULL },                                                      \
		{ "null",                                                      \
		  '0',                                                         \
		  OPTION_FLAG,                                                 \
		  &(o).framing.nul,                                            \
		  NULL,                                                        \
		  "bytes are messages that end with "                          \
		  "NUL",                                                       \
		  NULL },                                                      \
		{ "len32",                                                     \
		  0,                                                           \
		  OPTION_FLAG,                                                 \
		  &(o).framing.len32,                                          \
		  NULL,                                                        \
		  "bytes are messages behind their "                           \
		  "length",                                                    \
		  NULL },                                                      \
		PATIENCE_ROWS((o).patience)

/* Join two addresses until the end; the exit status, for cancel_finish(). */
int relay(const char *a, const char *b, const struct relay_options *o);

/* --- for the files of the relay ---------------------------------------------- */

struct relay {
	const struct relay_options *o;
	struct relay_end end[2];
	bool both;
	pthread_mutex_t lock; /* of `seen` */
	atomic_bool stopping, cancelled;
	_Atomic int status; /* of the first fault; 0: none */
	_Atomic uint64_t n_passed;
	_Atomic int64_t active_at;
};

struct relay_way {
	struct relay *relay;
	struct relay_end *from, *to;
	int end; /* why it ended: 0, or an error */
};

/* Understand and open both; 0 or an exit status. */
int relay_open(struct relay *r, const char *a, const char *b);

/* Do both, which are open, name the same queue, log or topic? */
bool relay_is_same(const struct relay_end *a, const struct relay_end *b);

/* From one end to the other, until an end. */
void *relay_move(void *way);

/* End both ways, with this status unless there is one already. */
void relay_stop(struct relay *r, int status);

#endif
