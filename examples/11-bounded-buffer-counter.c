/* SPDX-License-Identifier: MIT */
/*
 * The bounded buffer of the textbooks with a counter: all N places can be used,
 * but counter++ and counter-- are three steps each (load, add, store), and when
 * those of two processes mix, an update is lost.  Here a producer and a consumer
 * go through every order in which their steps can come.
 *
 *	cc 11-bounded-buffer-counter.c
 */
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "textbook-buffers.h"

#define ITEMS 3 /* in the buffer, before each order */
#define RUN   1000000

static struct {
	struct counted buffer;
	unsigned order;	  /* bit i: the producer makes step i */
	_Atomic int step; /* which is next */
} * shared;

/* --- the steps ----------------------------------------------------------------- */

static unsigned i_am_producer;

static void await_my_turn(void)
{
	while ((shared->order >> shared->step & 1) != i_am_producer)
		sched_yield();
}

/* Each of the three is atomic; that does not make one of them. */
static void add_in_three_steps(_Atomic int *counter, int n)
{
	int value;

	await_my_turn();
	value = *counter;
	shared->step++;
	await_my_turn();
	value += n;
	shared->step++;
	await_my_turn();
	*counter = value;
	shared->step++;
}

static void add_in_one_step(_Atomic int *counter, int n)
{
	await_my_turn();
	add_at_once(counter, n);
	shared->step++;
}

/* --- every order ---------------------------------------------------------------- */

static void fill(void)
{
	static const struct counted empty;

	shared->buffer = empty;
	shared->step = 0;
	for (int i = 1; i <= ITEMS; i++)
		counted_put(&shared->buffer, i, add_at_once);
}

/* One put beside one take: how many updates of the counter it lost, and what
 * comes out of the buffer behind them. */
static int one_order(unsigned order, void (*add)(_Atomic int *, int), int *out)
{
	int item, wrong;
	pid_t pid;

	fill();
	shared->order = order;
	if ((pid = fork()) == 0) {
		i_am_producer = 1;
		counted_put(&shared->buffer, ITEMS + 1, add);
		_exit(0);
	}
	counted_take(&shared->buffer, &item, add);
	waitpid(pid, NULL, 0);
	wrong = shared->buffer.counter - ITEMS;
	for (*out = 0; counted_take(&shared->buffer, &item, add_at_once);)
		++*out;
	return wrong;
}

static void every_order(int steps, void (*add)(_Atomic int *, int))
{
	int n = 0, lost = 0, out, less = 0, more = 0;

	for (unsigned order = 0; order < 1u << 2 * steps; order++) {
		if (__builtin_popcount(order) != steps)
			continue;
		n++;
		lost += one_order(order, add, &out) != 0;
		less += out < ITEMS;
		more += out > ITEMS;
	}
	printf("%d + %d steps: %d orders, %d of them lose an update\n", steps,
	       steps, n, lost);
	printf("    an item stays in the buffer unseen: %d\n", less);
	printf("    an item is taken that nobody put: %d\n", more);
}

/* --- at full speed ---------------------------------------------------------------- */

static void add_and_hope(_Atomic int *counter, int n)
{
	int value = *counter;

	*counter = value + n;
}

/* As many up as down, by two processes: 0 if nothing is lost. */
static int up_and_down(void)
{
	pid_t pid;

	shared->buffer.counter = 0;
	if ((pid = fork()) == 0) {
		for (int i = 0; i < RUN; i++)
			add_and_hope(&shared->buffer.counter, 1);
		_exit(0);
	}
	for (int i = 0; i < RUN; i++)
		add_and_hope(&shared->buffer.counter, -1);
	waitpid(pid, NULL, 0);
	return shared->buffer.counter;
}

int main(void)
{
	int lost, rounds = 1;

	shared = shared_memory(sizeof *shared);
	every_order(3, add_in_three_steps);
	every_order(1, add_in_one_step);
	fflush(stdout);

	/* Sooner or later; how many, and when, differs from run to run. */
	while ((lost = up_and_down()) == 0)
		rounds++;
	printf("at full speed: some are lost as well\n");
	fprintf(stderr, "%d of %d, in round %d\n", abs(lost), 2 * RUN, rounds);
	return 0;
}
