/* SPDX-License-Identifier: MIT */
/*
 * The bounded buffer of the textbooks with `in` and `out`, between processes.
 * It is right for one producer and one consumer, if what they write is seen in
 * the order in which it is written; and of N places it fills N - 1, or full would
 * look like empty.
 *
 *	cc 10-bounded-buffer-in-and-out.c
 *
 * Where the wrong order of two processes is shown, a child runs in the middle of
 * its parent's call: so it happens each time, and not once a month.
 */
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "textbook-buffers.h"

#define MANY 20000

static struct {
	struct in_out buffer;
	int got, n_got; /* what a child took */
} * shared;

/* In another process, from beginning to end. */
static int in_a_child(void (*run)(void))
{
	int status = 1;
	pid_t pid = fork();

	if (pid == 0) {
		run();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static void start_again(void)
{
	static const struct in_out empty;

	shared->buffer = empty;
	shared->got = shared->n_got = 0;
}

/* --- what is right ----------------------------------------------------------- */

static void consume_many(void)
{
	int item;

	for (int i = 0; i < MANY; i++) {
		while (!in_out_take(&shared->buffer, &item))
			sched_yield(); /* it cannot sleep: nobody would wake it */
		shared->n_got += item == i;
	}
}

static int one_to_one(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		consume_many();
		_exit(0);
	}
	for (int i = 0; i < MANY; i++)
		while (!in_out_put(&shared->buffer, i, NULL))
			sched_yield();
	waitpid(pid, NULL, 0);
	return shared->n_got;
}

static int count_places(void)
{
	int n = 0;

	while (in_out_put(&shared->buffer, n, NULL))
		n++;
	return n;
}

/* --- what is wrong ------------------------------------------------------------ */

static void take_one(void)
{
	shared->n_got += in_out_take(&shared->buffer, &shared->got);
}

static void put_two(void)
{
	in_out_put(&shared->buffer, 2, NULL);
}

/* Both find the same `in`, and write to the same place. */
static void another_producer(void)
{
	in_a_child(put_two);
}

/*
 * What a compiler, or an ARM CPU, may make of in_out_put() when the
 * store of `in` is memory_order_relaxed, or `in` a plain int: these are two
 * stores to two places, and nothing says which one is seen first.
 */
static void put_as_relaxed_allows(int item)
{
	int in = atomic_load_explicit(&shared->buffer.in, memory_order_relaxed);

	atomic_store_explicit(&shared->buffer.in, (in + 1) % SIZE,
			      memory_order_relaxed);
	in_a_child(take_one); /* the consumer runs just now */
	shared->buffer.item[in] = item;
}

int main(void)
{
	int item, n;

	shared = shared_memory(sizeof *shared);
	printf("%d places hold %d items\n", SIZE, count_places());

	start_again();
	printf("one to one: %d of %d items in order\n", one_to_one(), MANY);

	start_again();
	in_out_put(&shared->buffer, 1, another_producer);
	for (n = 0; in_out_take(&shared->buffer, &item); n++)
		;
	printf("two producers: 2 items put, %d taken\n", n);

	start_again();
	put_as_relaxed_allows(1);
	printf("no order: item 1 put, item %d taken\n", shared->got);
	return 0;
}
