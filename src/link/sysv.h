/* SPDX-License-Identifier: MIT */
/* What the files of sysv: share. */
#ifndef FERRYI_LINK_SYSV_H
#define FERRYI_LINK_SYSV_H

#include <stdint.h>

#include "link/link.h"
#include "wire/address.h"

/* Make `out_key` of a number, decimal or 0xHEX, but 0.  -EINVAL: it is none. */
int ferryi_sysv_parse_key(const char *text, uint32_t *out_key);

/* A queue with exactly this key, mode and size, or -EEXIST, or an error. */
int ferryi_sysv_make(const char *address, const struct ferryi_address *a,
		     uint32_t key);

/* The same with a key that nobody has, which *out_key becomes. */
int ferryi_sysv_make_any(const char *address, const struct ferryi_address *a,
			 uint32_t *out_key);

/* The sentence for a queue that is there, and may not be used. */
int ferryi_sysv_cannot_open(const char *address, unsigned flags, int err);

/*
 * sysv:PATH (sysv_path.c): the queue that the file names; who receives makes both
 * when there is none.  -EAGAIN: somebody is making or removing one there.
 */
int ferryi_sysv_open_path(struct ferry_link *l, const struct ferryi_address *a);
int ferryi_sysv_destroy_path(const struct ferryi_address *a);

#endif
