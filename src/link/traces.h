/* SPDX-License-Identifier: MIT */
/* By what the users of an address are found: see identify() of transport.h. */
#ifndef FERRYI_LINK_TRACES_H
#define FERRYI_LINK_TRACES_H

#include "link/link.h"
#include "sys/holders.h"

struct stat;

struct ferryi_traces {
	/* Files, queues or sockets of one device: who has one of them open. */
	dev_t device;
	struct ferryi_inodes inodes;

	/* The processes themselves, all different; 0: none. */
	pid_t pids[2];
	enum ferry_proof proof; /* that they are it */
};

/* The file is what is open.  -ENOMEM with a sentence. */
int ferryi_traces_of_file(struct ferryi_traces *out, const struct stat *st);

/* Sockets were listed with the result `err`, and some were found or not: 0, or
 * -ENOENT, or another error, with a sentence. */
int ferryi_sockets_there(const char *scheme, const char *rest, int err,
			 bool found);

/* The sockets in `inodes` are; `err` says how it was to list them.  -ENOENT: none. */
int ferryi_traces_of_sockets(struct ferryi_traces *out, const char *scheme,
			     const char *rest, int err);

#endif
