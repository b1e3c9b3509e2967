/* SPDX-License-Identifier: MIT */
/*
 * The bounded buffer of the textbooks, both ways, in memory that processes
 * share: with the positions `in` and `out` alone, and with a counter besides.
 * For one producer and one consumer; who finds it full or empty is told so, and
 * asks again.  Examples 10 to 12 say what is right and wrong with it.
 */
#ifndef TEXTBOOK_BUFFERS_H
#define TEXTBOOK_BUFFERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SIZE 8

/* Zeroed, and the same for all who are forked from now on. */
static inline void *shared_memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		exit(1);
	return p;
}

/* --- in and out: empty when they are equal ---------------------------------- */

struct in_out {
	_Atomic int in;	 /* written by the producer only */
	_Atomic int out; /* written by the consumer only */
	int item[SIZE];
};

/*
 * false: it is full.  The release says: whoever sees the new `in` sees the item
 * as well.  `meanwhile` is where another process may run.
 */
static inline bool in_out_put(struct in_out *b, int item,
			      void (*meanwhile)(void))
{
	int in = atomic_load_explicit(&b->in, memory_order_relaxed);
	int next = (in + 1) % SIZE;

	if (next == atomic_load_explicit(&b->out, memory_order_acquire))
		return false;
	b->item[in] = item;
	if (meanwhile)
		meanwhile();
	atomic_store_explicit(&b->in, next, memory_order_release);
	return true;
}

/* false: it is empty.  Here the release says: the item has been read. */
static inline bool in_out_take(struct in_out *b, int *item)
{
	int out = atomic_load_explicit(&b->out, memory_order_relaxed);

	if (out == atomic_load_explicit(&b->in, memory_order_acquire))
		return false;
	*item = b->item[out];
	atomic_store_explicit(&b->out, (out + 1) % SIZE, memory_order_release);
	return true;
}

/* --- a counter: empty when it is 0 ------------------------------------------- */

struct counted {
	_Atomic int counter; /* written by both */
	int in, out;	     /* the producer's, the consumer's */
	int item[SIZE];
};

/* `add` says how the counter is changed: all depends on that. */
static inline bool counted_put(struct counted *b, int item,
			       void (*add)(_Atomic int *counter, int n))
{
	if (b->counter == SIZE)
		return false;
	b->item[b->in] = item;
	b->in = (b->in + 1) % SIZE;
	add(&b->counter, 1);
	return true;
}

static inline bool counted_take(struct counted *b, int *item,
				void (*add)(_Atomic int *counter, int n))
{
	if (b->counter == 0)
		return false;
	*item = b->item[b->out];
	b->out = (b->out + 1) % SIZE;
	add(&b->counter, -1);
	return true;
}

/* In one step that nobody can come between. */
static inline void add_at_once(_Atomic int *counter, int n)
{
	atomic_fetch_add(counter, n);
}

#endif
