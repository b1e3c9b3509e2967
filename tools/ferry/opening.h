/* SPDX-License-Identifier: MIT */
/* Opening with the patience of the user: -n and -t bound it as they bound a wait. */
#ifndef FERRY_TOOLS_OPENING_H
#define FERRY_TOOLS_OPENING_H

#include <ferry.h>
#include "options.h"

/*
 * ferry_open() and ferry_listen(); where the opening of such an address may wait and
 * it has no timeout= of its own, that is added.
 */
int open_patiently(struct ferry_link **out, const char *address, unsigned flags,
		   const struct patience *p);
int listen_patiently(struct ferry_link **out, const char *address,
		     const struct patience *p);

/*
 * Say why it failed, and return the exit status: that of -n or -t when these ended the
 * wait.  Nothing is said when a signal did.
 */
int opening_failed(const char *name, int err, const struct patience *p);

#endif
