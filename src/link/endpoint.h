/* SPDX-License-Identifier: MIT */
/*
 * What pipe:, unix:, tcp:, udp: and fd: have in common: descriptors that bytes or
 * messages (packets.h) go through.  A transport's state begins with a struct
 * ferryi_endpoint; its open sets the descriptors and picks the tables.
 *
 * A reset connection stays reset: the kernel reports ECONNRESET once, to
 * whoever asks first, and on some sockets before the data that is still
 * queued.  Here the data comes first, then -ECONNRESET for ever.
 */
#ifndef FERRYI_LINK_ENDPOINT_H
#define FERRYI_LINK_ENDPOINT_H

#include "link/copies.h"
#include "link/link.h"
#include "sys/names.h"

struct ferryi_endpoint {
	bool opened;		  /* the descriptors below are set */
	int in, out;		  /* -1: none; the same number for a socket */
	bool careful;		  /* ask before each write: the description may
				 * block, or take a part of what is small */
	bool lasting;		  /* there is no connection that could end */
	bool reset;		  /* atomic: both directions see it */
	bool ended_in, ended_out; /* by our own shutdown */
	bool known;		  /* `peer` is filled */
	struct ferry_process peer;
	struct ferryi_copies copies; /* packets.c */
};

struct ferryi_address;

/* mode= of an address, or what it is without: permission bits. */
int ferryi_endpoint_mode(const struct ferryi_address *a, unsigned without,
			 unsigned *out);

void ferryi_endpoint_set(struct ferry_link *l, int in, int out);

/* Read who the peer of a UNIX socket is, now, while it surely lives. */
void ferryi_endpoint_meet(struct ferry_link *l);

/* The address of a socket's name; its length as snprintf, or -EINVAL: it has none
 * that can be written. */
int ferryi_endpoint_name(const char *scheme, const struct ferryi_name *n,
			 char *buf, size_t size);

/* A negative errno of the system, of a read or write, as a result. */
int ferryi_endpoint_result(struct ferry_link *l, ssize_t err);

/* The direction was ended by ourselves: -ENODATA with a sentence. */
int ferryi_endpoint_ended(struct ferry_link *l, const char *what);

/* For the transport's table. */
int ferryi_endpoint_interest(struct ferry_link *l, enum ferryi_want want,
			     struct ferryi_wait *w);
int ferryi_endpoint_peer(struct ferry_link *l, struct ferry_process *out);
int ferryi_endpoint_shutdown_socket(struct ferry_link *l, unsigned direction);
int ferryi_endpoint_shutdown_files(struct ferry_link *l, unsigned direction);
int ferryi_endpoint_explain(struct ferry_link *l, int err, char *buf,
			    size_t size);
int ferryi_endpoint_local(struct ferry_link *l, char *buf, size_t size);
void ferryi_endpoint_fini(struct ferry_link *l);

extern const struct ferryi_stream ferryi_stream_of_files;
extern const struct ferryi_stream ferryi_stream_of_socket;

#endif
