/* SPDX-License-Identifier: MIT */
/*
 * An end of a connection on its way to another process, as one descriptor: a
 * socket in whose queue lie what a transport needs and its descriptors.
 *
 * The kernel keeps it.  Whoever reads it has the end; when nobody can any more,
 * all of it is closed, and the other side hears of that.
 */
#ifndef FERRYI_LINK_PARCEL_H
#define FERRYI_LINK_PARCEL_H

#include <stdint.h>

#include "wire/address.h"

#define FERRYI_PARCEL_FDS 5

struct ferryi_parcel {
	uint64_t magic;
	uint32_t format; /* of segments: both libraries have to know it */
	uint32_t n_fds;
	uint32_t flags;	    /* of the link */
	uint32_t reserved;  /* 0 */
	uint64_t state[16]; /* the transport's */
	char address[FERRYI_ADDRESS_MAX + 32];
};

#endif
