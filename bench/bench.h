/* SPDX-License-Identifier: MIT */
/*
 * What every measuring program shares: two processes on two CPUs, a payload
 * that is written by one and checked by the other, clocks, and one line of
 * JSON on stdout.
 *
 * A program answers one question about one candidate at one size and ends
 * with status 0 (measured), 1 (refused: the payload was wrong or something
 * failed) or 77 (this machine or this candidate cannot; the line says why).
 * It compares nothing: bench/run repeats, interleaves and compares.
 *
 * bench_pair() forks both sides and supervises them, so that a side that
 * fails ends the run at once and nothing is left behind.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_SKIP 77

struct bench_options {
	const char *peer; /* the candidate, a row of bench_peers */
	size_t size;	  /* bytes a message */
	int cpu[2];	  /* one a side; -1: not pinned */
	int64_t run_ns;	  /* how long to measure */
	unsigned count;	  /* how many, for questions about a crowd */
	bool apart;	  /* a mailbox for each of the crowd */
	bool in_place;	  /* loan and take instead of copying */
	bool damage;	  /* break one message: the run must be refused */
};

/* What a side reports of itself; the samples are side 0's. */
struct bench_side {
	double cpu_s;	   /* user + system, of the measured part */
	uint64_t switches; /* voluntary context switches, likewise */
	uint64_t verified; /* messages read and found right, in all */
};

/* Shared by both sides and their supervisor. */
struct bench_shared {
	_Alignas(64) _Atomic unsigned ready;
	_Alignas(64) _Atomic uint64_t total; /* 0 until the last is known */
	_Atomic unsigned warm; /* measuring has begun; the other side follows */
	struct bench_side side[2];
	uint64_t messages;     /* of the measured part */
	uint64_t deliveries;   /* of a fan, where one message has many */
	double seconds;	       /* it took */
	double p50, p99, p999; /* ns of a round trip; 0: not sampled */
	char failure[256];
	_Alignas(64) unsigned char lines[]; /* for the limits */
};

struct bench {
	struct bench_options o;
	struct bench_shared *shared;
	int side;	      /* 0 or 1 in the two processes, -1 outside */
	unsigned index;	      /* which of those of its side, in a crowd */
	unsigned n_receivers; /* 1 except in a crowd */
	uint64_t verified;    /* messages that this process found right */
	int64_t cpu_begin, switches_begin;
	int64_t begin; /* when this side began to measure; 0: not yet */
};

/* Options of the command line; wrong ones end the program with status 2. */
void bench_init(struct bench *b, int argc, char **argv, size_t lines);

/* Run side 0 and side 1 in a process each; returns the exit status. */
int bench_pair(struct bench *b, void (*side0)(struct bench *),
	       void (*side1)(struct bench *));

/* Run on this CPU only; -1: wherever the kernel likes. */
void bench_pin(struct bench *b, int cpu);

/* Wait until the other side has come as far. */
void bench_meet(struct bench *b);

/*
 * The same, asleep: what a side does last.  A sender that ended earlier would
 * take along what its library has not yet handed over.
 */
void bench_leave(struct bench *b);

/* End this side, and with it the run, with a sentence. */
void bench_fail(struct bench *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* End the program with status 77 and the reason; before bench_pair(). */
void bench_skip(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t bench_now(void);

/* Sleep so many of them. */
void bench_nap(int64_t ns);

/* Around the measured part: the CPU and the switches that it cost. */
void bench_begin(struct bench *b);
void bench_end(struct bench *b);

/*
 * One-way questions: the receiver decides when it is warm, at `age` ns since
 * it met the sender, and the sender when it is over.  True when that is now.
 */
bool bench_receiver_warm(struct bench *b, int64_t age);
bool bench_sender_done(struct bench *b, int64_t now);

/* Sort `n` samples and keep their percentiles. */
void bench_percentiles(struct bench *b, uint32_t *samples, size_t n);

/* The result as one line of JSON; `question` names the program. */
void bench_report(const struct bench *b, const char *question);

/* Write message `key`; every byte depends on it and on its position. */
void bench_fill(struct bench *b, void *data, size_t len, uint64_t key);

/* Read every byte of message `key`; a wrong one ends the run. */
void bench_check(struct bench *b, const void *data, size_t len, uint64_t key);

/* Which message this claims to be, of 8 bytes at least; bench_check() tells. */
uint64_t bench_key(const void *data);

#endif
