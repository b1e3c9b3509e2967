/* SPDX-License-Identifier: MIT */
/*
 * Limit F: how long does it take to wake a sleeper and be woken by it?
 *
 * Two futex words; each side always sleeps before its word changes.  On a
 * virtual machine most of it is the hypervisor waking a halted CPU.
 */
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "bench.h"

#define SAMPLES (1u << 20)
#define LAST	UINT32_MAX

struct two_words {
	_Alignas(64) _Atomic uint32_t there;
	_Alignas(64) _Atomic uint32_t back;
};

static void tell(_Atomic uint32_t *word, uint32_t value)
{
	atomic_store(word, value);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Sleep until the word is no longer `old`; returns what it is then. */
static uint32_t hear(_Atomic uint32_t *word, uint32_t old)
{
	uint32_t now;

	do {
		syscall(SYS_futex, word, FUTEX_WAIT, old, NULL, NULL, 0);
		now = atomic_load(word);
	} while (now == old);
	return now;
}

static struct two_words *words(struct bench *b)
{
	return (struct two_words *)b->shared->lines;
}

static void caller(struct bench *b)
{
	uint32_t *samples = malloc(SAMPLES * sizeof *samples);
	int64_t t0, begin, t;
	uint32_t k = 0, n = 0;

	if (!samples)
		bench_fail(b, "no memory");
	bench_meet(b);
	t0 = bench_now();
	begin = t0 + b->o.run_ns / 5;
	bench_begin(b);
	for (t = t0; n == 0 || (t - t0 < b->o.run_ns && n < SAMPLES); k++) {
		int64_t before = t;

		tell(&words(b)->there, k + 1);
		hear(&words(b)->back, k);
		t = bench_now();
		if (before >= begin)
			samples[n++] = (uint32_t)(t - before);
	}
	bench_end(b);
	tell(&words(b)->there, LAST);
	b->shared->messages = n;
	b->shared->seconds = (double)(t - begin) / 1e9;
	bench_percentiles(b, samples, n);
	free(samples);
}

static void answerer(struct bench *b)
{
	uint32_t k = 0;

	bench_meet(b);
	bench_begin(b);
	for (;;) {
		k = hear(&words(b)->there, k);
		if (k == LAST)
			break;
		tell(&words(b)->back, k);
	}
	bench_end(b);
}

int main(int argc, char **argv)
{
	struct bench b;

	bench_init(&b, argc, argv, sizeof(struct two_words));
	b.o.peer = "F";
	if (bench_pair(&b, caller, answerer) != 0)
		return 1;
	bench_report(&b, "limit-futex");
	return 0;
}
