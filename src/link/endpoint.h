/* SPDX-License-Identifier: MIT */
/*
 * What pipe:, unix: and fd: have in common: descriptors that bytes or messages
 * go through.  A transport's state begins with a struct ferryi_endpoint; its
 * open sets the descriptors and picks the tables.
 *
 * A reset connection stays reset: the kernel reports ECONNRESET once, to
 * whoever asks first, and on some sockets before the data that is still
 * queued.  Here the data comes first, then -ECONNRESET for ever.
 */
#ifndef FERRYI_LINK_ENDPOINT_H
#define FERRYI_LINK_ENDPOINT_H

#include "link/link.h"

struct ferryi_endpoint {
	bool opened;		  /* the descriptors below are set */
	int in, out;		  /* -1: none; the same number for a socket */
	bool careful;		  /* the description may block: ask first, write
				 * no more than a pipe surely takes */
	bool reset;		  /* atomic: both directions see it */
	bool ended_in, ended_out; /* by our own shutdown */
	bool known;		  /* `peer` is filled */
	struct ferry_process peer;
};

struct ferryi_address;

/* mode= of an address, or what it is without: permission bits. */
int ferryi_endpoint_mode(const struct ferryi_address *a, unsigned without,
			 unsigned *out);

void ferryi_endpoint_set(struct ferry_link *l, int in, int out);

/* Read who the peer of a UNIX socket is, now, while it surely lives. */
void ferryi_endpoint_meet(struct ferry_link *l);

/* For the transport's table. */
int ferryi_endpoint_interest(struct ferry_link *l, enum ferryi_want want,
			     struct ferryi_wait *w);
int ferryi_endpoint_peer(struct ferry_link *l, struct ferry_process *out);
int ferryi_endpoint_shutdown_socket(struct ferry_link *l, unsigned direction);
int ferryi_endpoint_shutdown_files(struct ferry_link *l, unsigned direction);
int ferryi_endpoint_explain(struct ferry_link *l, int err, char *buf,
			    size_t size);
void ferryi_endpoint_fini(struct ferry_link *l);

extern const struct ferryi_stream ferryi_stream_of_files;
extern const struct ferryi_stream ferryi_stream_of_socket;
extern const struct ferryi_messages ferryi_messages_of_socket;

#endif
