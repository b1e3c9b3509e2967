/* SPDX-License-Identifier: MIT */
/*
 * Who is connected to a UNIX socket, as the kernel tells anybody of the same user:
 * sock_diag(7) knows the pairs of sockets, /proc who has one.
 */
#ifndef FERRYI_SYS_PEERS_H
#define FERRYI_SYS_PEERS_H

#include <sys/types.h>

/*
 * Call `each` for every process that has the other end of a connection that was
 * made to `path`, once a descriptor; a negative result of it ends the search.  0;
 * what it said; or a negative errno: the kernel cannot tell.
 */
int ferryi_peers_of(const char *path, int (*each)(pid_t pid, void *arg),
		    void *arg);

#endif
