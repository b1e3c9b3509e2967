/* SPDX-License-Identifier: MIT */
/*
 * Faults of the surroundings and of the past.
 *
 * calls.c      what a caller can get wrong
 * channel.c    a peer that passes or writes anything, or stands still
 * container.c  equal pids, other names for the realm
 * direct.c     processes that know each other by name, and die
 * direct_strange.c  who connects to a name and is not what it says
 * foreign.c    truncation, locks that others hold
 * kernel.c     kernels without some calls
 * files.c      what can be wrong with a realm and the files in it
 * memory.c     a file system without room
 * process.c    fork, exec, closefrom, no descriptor left
 * regress.c    faults that an attack on the design once found
 * topic.c      what strangers write to a topic
 *
 * Each test is a process with a realm of its own.  A refusal must be the
 * right number and come with a sentence that names the cause.
 */
#ifndef FAULT_FAULT_H
#define FAULT_FAULT_H

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ferry.h>

#include "scratch.h"

extern struct scratch place;

Suite *calls_suite(void);
Suite *channel_suite(void);
Suite *container_suite(void);
Suite *direct_suite(void);
Suite *direct_strange_suite(void);
Suite *files_suite(void);
Suite *foreign_suite(void);
Suite *kernel_suite(void);
Suite *memory_suite(void);
Suite *oom_suite(void);
Suite *process_suite(void);
Suite *regress_suite(void);
Suite *topic_suite(void);

/* A test case whose tests have a realm each. */
TCase *fault_case(const char *name, double seconds);

/* The result is 0 or more; says why when it is not. */
void works(struct ferry_link *link, long long result);

/* The result is exactly `want`, and the sentence has `phrase` in it. */
void refused(struct ferry_link *link, long long result, int want,
	     const char *phrase);

/* A mailbox of `capacity` places, opened for both directions. */
struct ferry_link *make_box(const char *name, uint64_t capacity,
			    enum ferry_persistence keep);
struct ferry_link *open_box(const char *name);

/* The path of a file of the realm. */
const char *path_of(const char *name);

/* Overwrite bytes of a file, or of a whole new one. */
void scribble(const char *name, long at, const void *bytes, size_t n);

/*
 * Processes.  A child tells its parent that it has come to a point, and waits
 * to be told to go on.
 */
struct child {
	pid_t pid;
	int to, from;
};

/* Runs `run` in a child; it ends with 0 when that returns. */
struct child child_start(void (*run)(struct child *c, void *arg), void *arg);
void child_tell(struct child *c); /* either side */
void child_hear(struct child *c); /* either side; fails after 30 s */
void child_kill(struct child *c);
void child_join(struct child *c); /* it must end well */

#endif
