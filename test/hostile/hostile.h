/* SPDX-License-Identifier: MIT */
/*
 * A hostile writer: somebody who may write to a segment and writes anything
 * anywhere, beside honest peers.
 *
 * hostile.c  rounds: who is there, and what must hold afterwards
 * writer.c   what is written, and where
 * peer.c     the honest peers, and what is asked of each of their calls
 * watch.c    the time a call took, and the violations
 */
#ifndef HOSTILE_HOSTILE_H
#define HOSTILE_HOSTILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ferry.h>

#define BOX	    "box"
#define CAPACITY    24
#define MESSAGE_MAX 20000

/* Numbered messages, which are sent once the writer has gone. */
#define AFTER_IDS 400

#define SENDERS	  2
#define RECEIVERS 2
#define PEERS	  (SENDERS + RECEIVERS + 1)

enum phase {
	PHASE_STORM, /* any call, any answer of the documented ones */
	PHASE_CLOSE, /* the writer has gone: every peer closes, and waits */
	PHASE_AFTER, /* they open anew: send and deliver */
	PHASE_END,
};

/* What all processes share. */
struct board {
	int phase;
	int closed, ready; /* peers of PHASE_CLOSE, receivers of PHASE_AFTER */
	int next_id;
	uint64_t writes, calls, good;
	uint64_t violations;
	uint64_t late_ns; /* the latest return, own waits for a CPU taken off */
	uint8_t accepted[AFTER_IDS], delivered[AFTER_IDS];
	char text[8][200];
};

extern struct board *board;

static inline bool storm_goes_on(void)
{
	return __atomic_load_n(&board->phase, __ATOMIC_SEQ_CST) == PHASE_STORM;
}

/* watch.c */
void violate(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* How many times as long things may take here. */
double slow(void);

/*
 * watch_begin() before a call, watch_end() after it: how late it came back, and
 * whether its answer is one of `documented` (ends with 0) or no error.
 */
struct watch {
	const char *call;
	int64_t due;   /* when it had to be back */
	int64_t delay; /* spent waiting for a CPU until then */
};
struct watch watch_begin(const char *call, ferry_time deadline);
long watch_end(const struct watch *w, long result, const int *documented);

/* CPU time of a process, ns. */
int64_t watch_cpu(pid_t pid);

/* writer.c: `n` writes to a file, in bursts. */
enum target { MAILBOX, REGISTRY, TARGETS };
void write_anything(const char *path, enum target target, bool all, uint64_t n,
		    unsigned seed);

/* peer.c: never return. */
void be_sender(unsigned seed) __attribute__((noreturn));
void be_receiver(unsigned seed) __attribute__((noreturn));
void be_looker(unsigned seed) __attribute__((noreturn));

/* Open the mailbox, or make it; NULL when it cannot be used just now. */
struct ferry_link *open_or_make(void);
int make_box(struct ferry_link **out);

#endif
