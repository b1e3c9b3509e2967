/* SPDX-License-Identifier: MIT */
/* Which processes have a file, a FIFO, a queue or a socket open, as /proc tells. */
#ifndef FERRYI_SYS_HOLDERS_H
#define FERRYI_SYS_HOLDERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What is looked for, all of one device.  Zeroed: nothing. */
struct ferryi_inodes {
	ino_t *list;
	size_t n, room;
};

int ferryi_inodes_add(struct ferryi_inodes *s, ino_t inode); /* -ENOMEM */
bool ferryi_inodes_has(const struct ferryi_inodes *s, ino_t inode);
void ferryi_inodes_fini(struct ferryi_inodes *s);

/* The device that all sockets are on. */
int ferryi_sockets_device(dev_t *out);

/* How a process has them open. */
enum ferryi_holding {
	FERRYI_HOLDS = 1, /* at all */
	FERRYI_READS = 2,
	FERRYI_WRITES = 4,
};

/*
 * Calls each() once for every process that has one of them open; what it returns other
 * than 0 ends the search, and is returned.  Otherwise how many processes could not be
 * looked into, which are those of other users; -errno without /proc.
 */
int ferryi_holders_of(dev_t dev, const struct ferryi_inodes *s,
		      int (*each)(pid_t pid, unsigned holding, void *arg),
		      void *arg);

#endif
