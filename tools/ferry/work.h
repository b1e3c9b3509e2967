/* SPDX-License-Identifier: MIT */
/*
 * The parts of `ferry work`, which runs a command for each message:
 *
 *   cmd_work.c    options, threads, signals, the end
 *   work_slot.c   one slot: take, run, release or requeue or reject
 *   work_child.c  one run: arguments, environment, fork, exec, wait
 *   work_guard.c  nothing goes on when `ferry work` itself is killed
 *
 * Each of the N slots is a thread that waits for the one child it started, so
 * nobody waits for "any child", and a slot's child dies with its thread
 * (PR_SET_PDEATHSIG counts the thread that forked).
 */
#ifndef FERRY_TOOLS_WORK_H
#define FERRY_TOOLS_WORK_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <ferry.h>
#include "framing.h"
#include "source.h"

#define WORK_SLOTS_MAX 1024

/* Shared with the guard and, until exec, with each child. */
struct work_cell {
	_Atomic pid_t group;	/* process group that runs, 0: none */
	_Atomic int exec_errno; /* why the last exec failed, 0: it did not */
};

struct work_guard {
	struct work_cell *cells;
	unsigned n_cells;
	pid_t pid;
	int pipe; /* its end tells the guard that we are gone */
};

/* What was asked for. */
struct work_options {
	const char *name;
	char **command; /* ends with NULL */
	uint64_t slots, count, retries;
	bool retries_given, until_empty, nonblock, strict;
	struct framing_options framing;
	int64_t delay, delay_max, idle; /* idle < 0: wait for ever */
};

/* All slots together. */
struct work {
	struct work_options o;
	struct ferry_link *link;
	bool returns; /* the source takes messages back */
	struct work_guard guard;
	const char *path;	  /* of the command; NULL: differs by message */
	sigset_t mask;		  /* what children get */
	int ended_fd;		  /* an eventfd: one slot has ended */
	pthread_mutex_t lock;	  /* children's pids, and what is printed */
	pthread_mutex_t taking;	  /* one message in its place at a time */
	atomic_bool stopping;	  /* take no more */
	atomic_bool hurry;	  /* give everything back at once */
	_Atomic uint64_t tickets; /* runs that may still begin, with -C */
	_Atomic uint64_t n_taken, n_done;
	_Atomic int n_running;
	_Atomic int64_t active_at; /* when a slot last had a message */
	_Atomic int status;	   /* of the first fault, 0: none */
	_Atomic int last_failure;  /* of a command, for -C */
};

struct work_slot {
	struct work *work;
	struct work_cell *cell;
	struct source source;
	pthread_t thread;
};

/* How a run ended. */
enum run_end {
	RUN_DONE,	/* exit status 0 */
	RUN_FAILED,	/* `status`: as a shell would report it */
	RUN_IMPOSSIBLE, /* the command cannot be run at all: `status` */
};
struct run_result {
	enum run_end end;
	int status;
};

/*
 * Start the guard: when this process is gone, however it ends, the process
 * groups in `cells` are killed.  To be called before there is a thread or a
 * link, so the guard shares neither.  Returns 0 or a negative errno.
 */
int guard_start(struct work_guard *g, unsigned n_cells);

/* The orderly end: all cells are empty; waits until the guard is gone. */
void guard_stop(struct work_guard *g);

/*
 * The file that `name` means in $PATH: a string to be freed, or NULL and
 * *out_status set to 126 or 127.
 */
char *command_find(const char *name, int *out_status);

/* Does any word of the command hold {}? */
bool command_has_braces(char *const *command);

/* Run the command for one message and wait for its end. */
struct run_result run_message(struct work_slot *slot,
			      const struct ferry_message *m);

/* Kill what runs; each slot then sees its child end. */
void run_kill_all(struct work *w);

/* The body of a slot's thread. */
void *slot_main(void *slot);

/* Remember the first fault and stop all slots. */
void work_stop(struct work *w, int status);

#endif
