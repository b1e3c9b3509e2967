/* SPDX-License-Identifier: MIT */
/*
 * Who this process is, whether another one lives, and whether we have been
 * forked since.
 */
#ifndef FERRYI_SYS_PROCESS_H
#define FERRYI_SYS_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ferryi_identity {
	uint64_t start_time;	/* clock ticks since boot; 0 without /proc */
	uint64_t pid_namespace; /* inode of the pid namespace; 0 without /proc */
	uint32_t pid, uid, gid; /* these as they were when it was read */
	char name[16];
};

/* This process.  Read once, and again in the child of a fork. */
const struct ferryi_identity *ferryi_identity(void);

/* What it may do, and whose files it makes: a daemon changes that while it runs. */
uid_t ferryi_uid(void);

/* The start time of a pid of our namespace, or 0. */
uint64_t ferryi_start_time(pid_t pid);

/* When it started, CLOCK_REALTIME in s as the clock is set now, or 0. */
int64_t ferryi_started_at(pid_t pid);

/* The comm of a pid of our namespace, or "". */
void ferryi_process_name(pid_t pid, char out[16]);

/* Whose it is; left as they are, and an error, when there is no such pid. */
int ferryi_process_owner(pid_t pid, uid_t *uid, gid_t *gid);

/*
 * What is certain about pid (of our namespace) that started at `start`; in
 * doubt it is alive.  FERRYI_ENDING: killed or on its way out, and its
 * descriptors, with the locks on them, may not be closed yet.
 */
enum ferryi_fate { FERRYI_ALIVE, FERRYI_ENDING, FERRYI_ENDED };
enum ferryi_fate ferryi_fate(uint32_t pid, uint64_t start);

/* Not FERRYI_ENDED. */
bool ferryi_may_live(uint32_t pid, uint64_t start);

/* Whether pid maps the file (dev, ino): 1, 0, or -1 when we may not know. */
int ferryi_maps_file(uint32_t pid, dev_t dev, ino_t ino);

/* Has this process surely no other thread?  False where libc does not tell. */
bool ferryi_is_alone(void);

/*
 * A number that changes in the child of every fork, also of a raw clone():
 * it lies in a page that the kernel wipes (MADV_WIPEONFORK).
 */
uint32_t ferryi_generation(void);

#endif
