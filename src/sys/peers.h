/* SPDX-License-Identifier: MIT */
/*
 * Who is connected to a UNIX socket: sock_diag(7) knows the pairs of sockets, /proc who
 * has one (holders.h).
 */
#ifndef FERRYI_SYS_PEERS_H
#define FERRYI_SYS_PEERS_H

#include <sys/stat.h>

#include "sys/holders.h"

/*
 * The sockets that have the name ("@NAME", or a path whose file `st` describes), and those
 * that are connected to them.  0, also when there are none, or a negative errno: the
 * kernel cannot tell.
 */
int ferryi_unix_users(const char *name, const struct stat *st,
		      struct ferryi_inodes *out);

#endif
