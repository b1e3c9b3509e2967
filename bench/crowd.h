/* SPDX-License-Identifier: MIT */
/*
 * Many processes at once: started together, watched, and measured from
 * outside, for one that sleeps cannot measure itself.
 */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include "bench.h"

#define BENCH_CROWD_MAX 2000u

struct bench_cost {
	double cpu_s;
	uint64_t switches; /* of all threads */
};

/*
 * Run `n` processes, one a b->index; `run` sets b->side, says that it is there
 * with ready++, and never returns.  Waits until all are there.
 */
void bench_crowd_start(struct bench *b, unsigned n,
		       void (*run)(struct bench *));

/* End the run when one of them has ended; the same for so many ns. */
void bench_crowd_watch(struct bench *b);
void bench_crowd_nap(struct bench *b, int64_t ns);

/* What those from `first` on, `n` of them, have cost since they were born. */
struct bench_cost bench_crowd_cost(struct bench *b, unsigned first, unsigned n);

/* Wait until all have ended, and well; or kill them. */
void bench_crowd_wait(struct bench *b);
void bench_crowd_kill(void);

#endif
