/* SPDX-License-Identifier: MIT */
/*
 * The UNIX sockets of this network namespace, whosever they are, as sock_diag(7)
 * lists them.
 */
#ifndef FERRYI_SYS_UNIX_SOCKETS_H
#define FERRYI_SYS_UNIX_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "sys/names.h"

struct ferryi_unix_socket {
	uint32_t inode;
	uint32_t peer; /* the inode of the other end; 0: none */
	bool listens;
	const uint32_t
		*at_door; /* inodes of who is waiting to be accepted; 0: gone */
	size_t n_at_door;
	const char
		*name; /* as it was bound, an abstract one with its zero byte */
	size_t name_len; /* 0: it has none */
	bool has_file;
	dev_t device; /* of that file, where it lies */
	uint32_t file;
	uint32_t waiting,
		most; /* bytes to read; of a door, connections, and at most */
};

/*
 * Calls each() for every one; what it returns other than 0 ends it, and is returned.
 * 0, or a negative errno: the kernel cannot tell.
 */
int ferryi_unix_sockets(int (*each)(const struct ferryi_unix_socket *s,
				    void *arg),
			void *arg);

/* Whether it has the name "@NAME", or of a path that file, which `st` describes. */
bool ferryi_unix_socket_is(const struct ferryi_unix_socket *s, const char *name,
			   const struct stat *st);

#endif
