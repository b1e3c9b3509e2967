/* SPDX-License-Identifier: MIT */
/*
 * POSIX message queues.  The descriptor of one is a file descriptor on Linux: it
 * is polled and closed as any other.
 *
 * All calls return >= 0 or a negative errno of the system, unmapped.  None waits;
 * EINTR is handled here; descriptors are close-on-exec from birth.
 */
#ifndef FERRYI_SYS_MQUEUES_H
#define FERRYI_SYS_MQUEUES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ferryi_mqueue {
	uint64_t capacity; /* messages */
	uint64_t max;	   /* bytes of one */
	uint64_t queued;
};

#define FERRYI_MQUEUE_PRIORITIES 32768u /* 0 and those below it */

enum ferryi_mqueue_use {
	FERRYI_MQUEUE_SEND,
	FERRYI_MQUEUE_RECV,
	FERRYI_MQUEUE_BOTH,
};

/* Open one that is there. */
int ferryi_mqueue_open(const char *name, enum ferryi_mqueue_use use);

/* Make a new one, with exactly this mode.  -EEXIST. */
int ferryi_mqueue_create(const char *name, enum ferryi_mqueue_use use,
			 unsigned mode, uint64_t capacity, uint64_t max);

/*
 * Calls each() with the name of every queue, "/jobs"; what it returns other than 0 ends
 * it, and is returned.  -ENODEV: the file system of queues is not mounted at /dev/mqueue.
 */
int ferryi_mqueues(int (*each)(const char *name, void *arg), void *arg);

int ferryi_mqueue_look(int fd, struct ferryi_mqueue *out);
int ferryi_mqueue_unlink(const char *name);

int ferryi_mqueue_send(int fd, const void *data, size_t len, unsigned priority);

/* `size` is at least the queue's max. */
ssize_t ferryi_mqueue_recv(int fd, void *buf, size_t size, unsigned *priority);

#endif
