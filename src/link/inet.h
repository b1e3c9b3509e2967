/* SPDX-License-Identifier: MIT */
/*
 * What tcp: and udp: share: HOST:PORT becomes socket addresses, and back.
 *
 *	127.0.0.1:7000  [::1]:7000	as it says
 *	:7000				this machine only, 127.0.0.1
 *	*:7000				to bind: every address of this machine
 *	localhost:7000			127.0.0.1, then ::1
 *	db.example.org:7000		what the name service says
 *
 * Only the last one asks anybody, and only while a link is opened.  That may take
 * longer than the timeout: no call of the C library that does this can be given a
 * deadline, and the library starts no threads.  To refuse names would only move the
 * same wait into every program.
 */
#ifndef FERRYI_LINK_INET_H
#define FERRYI_LINK_INET_H

#include "link/link.h"
#include "sys/names.h"
#include "wire/address.h"

struct ferryi_figures;
struct ferryi_traces;

#define FERRYI_HOSTS_MOST 8 /* addresses of one name that are tried */

struct ferryi_hosts {
	unsigned n;
	bool every; /* "*": the first is of both kinds, the second IPv4 */
	struct ferryi_name at[FERRYI_HOSTS_MOST];
};

/* What they are for. */
enum ferryi_hosts_use {
	FERRYI_HOSTS_TO_BIND,	 /* "*" and port 0 are allowed */
	FERRYI_HOSTS_TO_CONNECT, /* names are looked up */
	FERRYI_HOSTS_TO_SEND,	 /* they are not: a send never waits for that */
};

/* -EINVAL, -ENOENT, -ENOMEM, each with a sentence. */
int ferryi_hosts_parse(struct ferryi_hosts *out, const char *scheme,
		       const char *text, enum ferryi_hosts_use use);

/* Of the destinations, leave those that can be reached from bind=.  -EINVAL: none. */
int ferryi_hosts_match(struct ferry_link *l, struct ferryi_hosts *to,
		       const struct ferryi_hosts *from);

/*
 * A socket that is bound to the first address of `h` that goes with `like` (NULL:
 * any).  `stream`: with SO_REUSEADDR.  -EBUSY, -EACCES, -ENOENT, with a sentence.
 */
int ferryi_hosts_bind(struct ferry_link *l, const struct ferryi_hosts *h,
		      const struct ferryi_name *like, bool stream);

/* Call the link by that name; NULL: by the one of its socket. */
int ferryi_inet_rename(struct ferry_link *l, const struct ferryi_name *n);

/* For the table: the address of this end. */
int ferryi_inet_local(struct ferry_link *l, char *buf, size_t size);

/* A key that is there or not: its value must be empty. */
int ferryi_inet_flag(const struct ferryi_address *a, const char *key,
		     bool *out);

/* identify(), figures() and names() of transport.h, for both. */
int ferryi_inet_figures(const char *scheme, const char *rest,
			struct ferryi_figures *out);
int ferryi_inet_names(const char *scheme,
		      int (*each)(const char *rest, void *arg), void *arg);
int ferryi_inet_identify(const char *scheme, const char *rest,
			 struct ferryi_traces *out);

#endif
