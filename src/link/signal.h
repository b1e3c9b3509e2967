/* SPDX-License-Identifier: MIT */
/*
 * What the files of signal: share.
 *
 *	signal.c	the transport: addresses, waits, ends
 *	signal_recv.c	signal:self
 *	signal_send.c	to a process or a group
 *	signal_name.c	names and numbers
 */
#ifndef FERRYI_LINK_SIGNAL_H
#define FERRYI_LINK_SIGNAL_H

#include <pthread.h>
#include <ferry/signal.h>

#include "link/copies.h"

struct ferryi_traces;

struct ferryi_signals {
	struct ferryi_copies copies;
	bool opened;
	int fd; /* of the process, or of the signals; -1: a group */

	/* to send */
	int number; /* unless a message says which */
	pid_t group;
	bool full; /* the last attempt found no room in the queue */

	/* to receive */
	uint64_t set;
	uint64_t fresh;	  /* those that this link has blocked */
	pthread_t thread; /* where; a fork keeps it */
};

static inline struct ferryi_signals *ferryi_signals_of(struct ferry_link *l)
{
	return l->state;
}

/* A number that a program may use, or -EINVAL with a sentence. */
int ferryi_signal_parse(const char *name);

/* signal_send.c: find who is named.  -EAGAIN: its door is full. */
int ferryi_signal_find(struct ferry_link *l, const struct ferryi_address *a);
int ferryi_signal_identify(const char *rest, struct ferryi_traces *out);
int ferryi_signal_send(struct ferry_link *l, const void *data, size_t len);
int ferryi_signal_commit(struct ferry_link *l, struct ferry_message *m);

/* signal_recv.c */
int ferryi_signal_receive(struct ferry_link *l, const char *list);
void ferryi_signal_release(struct ferryi_signals *s);
ssize_t ferryi_signal_recv(struct ferry_link *l, void *buf, size_t size);
ssize_t ferryi_signal_next_len(struct ferry_link *l);
int ferryi_signal_take(struct ferry_link *l, struct ferry_message *m);

#endif
