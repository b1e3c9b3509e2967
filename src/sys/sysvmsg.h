/* SPDX-License-Identifier: MIT */
/*
 * System V message queues, by the kernel's number of one.
 *
 * All calls return >= 0 or a negative errno of the system, unmapped.  None waits;
 * EINTR is handled here.  A queue has no descriptor: nothing can be polled.
 */
#ifndef FERRYI_SYS_SYSVMSG_H
#define FERRYI_SYS_SYSVMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct ferryi_sysv {
	uint64_t queued;
	uint64_t bytes;		      /* in the queue */
	uint64_t bytes_max;	      /* msg_qbytes */
	pid_t sent_by, received_by;   /* the last time; 0: never */
	int64_t sent_at, received_at; /* then; CLOCK_REALTIME, s */
};

/* What a message is sent from and received into: the text lies behind the type. */
struct ferryi_sysv_message {
	long type;
	char text[];
};

/* Which messages are wanted. */
struct ferryi_sysv_choice {
	long type;   /* 0: any; below: the lowest up to its absolute value */
	bool except; /* all but `type` */
};

/* The number of the queue with that key, for reading, writing or both. */
int ferryi_sysv_open(uint32_t key, bool read, bool write);

/* Make one with exactly this mode.  -EEXIST. */
int ferryi_sysv_create(uint32_t key, unsigned mode);

/* The key of ftok(3). */
int ferryi_sysv_ftok(const char *path, int id, uint32_t *out_key);

/*
 * Calls each() with the key of every queue of this IPC namespace; 0: it has none.  What it
 * returns other than 0 ends it, and is returned.  -errno without /proc/sysvipc.
 */
int ferryi_sysv_queues(int (*each)(uint32_t key, void *arg), void *arg);

/* -EIDRM, -EINVAL: it was removed.  -EACCES: it may be there, and who may not receive
 * may not look (before Linux 4.17). */
int ferryi_sysv_look(int id, struct ferryi_sysv *out);
int ferryi_sysv_set_bytes(int id, uint64_t bytes);
int ferryi_sysv_remove(int id);

int ferryi_sysv_send(int id, const struct ferryi_sysv_message *m, size_t len);

/* -E2BIG: it is longer than `size`, and stays.  -ENOMSG: there is none. */
ssize_t ferryi_sysv_recv(int id, struct ferryi_sysv_message *m, size_t size,
			 struct ferryi_sysv_choice choice);

#endif
