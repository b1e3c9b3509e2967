/* SPDX-License-Identifier: MIT */
/*
 * The queue: any number of senders and receivers over words.h and layout.h.
 *
 * Pure: no system call, no waiting, no clock.  An operation either succeeds,
 * answers -EAGAIN, or says what memory must be reserved first; watch.h says
 * what to wait for and whom to wake.  Every loop is bounded, whatever the
 * segment holds, and every value read from the segment is used as it was
 * checked.
 *
 * Crash points.  A participant may die between any two instructions; the places
 * where that leaves something for others to do carry a name (P1, T2 ...) in the
 * code, and doc/crash.md says who does it.
 *
 * Concurrency: any number of threads and processes; a struct ferryi_queue is
 * not changed after ferryi_queue_attach(), but for a hint.
 */
#ifndef FERRYI_SHM_QUEUE_H
#define FERRYI_SHM_QUEUE_H

#include "shm/atomic.h"
#include "shm/layout.h"
#include "shm/users.h"

/* One mapping of one mailbox.  All geometry is private and checked. */
struct ferryi_queue {
	uint8_t *base;
	struct ferryi_control *control;
	struct ferryi_users users;
	struct ferryi_record *records;
	uint64_t ring_mask;
	uint64_t capacity;
	uint64_t message_max;
	uint32_t n_classes;
	uint32_t n_chunks;
	struct ferryi_cells cells;
	struct ferryi_class classes[FERRYI_CLASSES];
	bool at_most_once;
	bool has_pairs;	   /* ferryi_cas_pair() works here */
	uint64_t tail_ago; /* hint: the tail as a receiver last saw it */
};

/* A chunk that is ours, and the proof: the word that we wrote. */
struct ferryi_chunk {
	uint32_t index;
	uint64_t word;
};

/* Memory that must be reserved before the operation is tried again. */
struct ferryi_growth {
	uint32_t class;
	uint32_t from, to;	  /* chunks of the class */
	uint64_t at[2], bytes[2]; /* ranges of the file; bytes 0: none */
};

/* Use a mapping at `base` with a header that ferryi_layout_check() accepted. */
void ferryi_queue_attach(struct ferryi_queue *q, void *base,
			 const struct ferryi_header *h);

/* Prepare the control page of a new segment (all zero before). */
void ferryi_queue_format(struct ferryi_control *c,
			 const struct ferryi_header *h);

/*
 * Claim a chunk for `len` bytes.  1: reserve *grow first, then
 * ferryi_queue_grown(), then again.  -EAGAIN: all are in use.  -EMSGSIZE.
 */
int ferryi_queue_loan(struct ferryi_queue *q, uint32_t owner, uint64_t len,
		      struct ferryi_chunk *out, struct ferryi_growth *grow);

/*
 * The same, but only a large place that has memory for `len` bytes from an
 * earlier use.  -EAGAIN: there is none.
 */
int ferryi_queue_loan_backed(struct ferryi_queue *q, uint32_t owner,
			     uint64_t len, struct ferryi_chunk *out);

/* The bytes of *grow have memory now. */
void ferryi_queue_grown(struct ferryi_queue *q,
			const struct ferryi_growth *grow);

/*
 * Publish a loan.  0: accepted.  -EAGAIN: full.  1: reserve *grow.  -ESTALE: the
 * loan is not ours any more.  -ENODATA: closed; then the loan may be gone as
 * well.  -EBADMSG.
 */
int ferryi_queue_commit(struct ferryi_queue *q, const struct ferryi_chunk *c,
			struct ferryi_growth *grow);

/*
 * While the message `capacity` positions before `tail` is there, nothing fits:
 * its word, with what it is in *out_word; or NULL.  Once it has gone it does not
 * come back.
 */
uint64_t *ferryi_queue_in_the_way(const struct ferryi_queue *q, uint64_t tail,
				  uint64_t *out_word);

/* Give a loan back.  -ESTALE: it was not ours any more. */
int ferryi_queue_abandon(struct ferryi_queue *q, const struct ferryi_chunk *c);

/*
 * Take the next message: what was returned and is due at `now` (CLOCK_MONOTONIC
 * ns) first, then the head of the ring.  -EMSGSIZE: it is longer than `max`
 * and stays first; its length is in *out_len.  -EAGAIN, -EBADMSG.
 */
int ferryi_queue_take(struct ferryi_queue *q, uint32_t owner, uint64_t max,
		      int64_t now, struct ferryi_chunk *out, uint64_t *out_len);

/* Take the head of the ring, whatever else was returned: frees a place. */
int ferryi_queue_take_queued(struct ferryi_queue *q, uint32_t owner,
			     struct ferryi_chunk *out);

/* Whether ferryi_queue_take() needs to know the time. */
static inline bool ferryi_queue_needs_now(struct ferryi_queue *q)
{
	return ferryi_returned_any(ferryi_load(&q->control->returned));
}

/* The message has been dealt with.  -ESTALE: it was not ours any more. */
int ferryi_queue_release(struct ferryi_queue *q, const struct ferryi_chunk *c);

/* Give it back, to be delivered again at `due` (CLOCK_MONOTONIC ns). */
int ferryi_queue_requeue(struct ferryi_queue *q, const struct ferryi_chunk *c,
			 int64_t due);

/*
 * Copy the first queued or returned (and due at `now`) message with a seq of
 * at least *cursor,
 * without taking it: the record (without its place) to *out, up to `size`
 * bytes to `buf`.  *cursor moves behind it.  -EAGAIN: none.
 */
int ferryi_queue_peek(struct ferryi_queue *q, uint64_t *cursor, int64_t now,
		      struct ferryi_record *out, uint32_t *out_deliveries,
		      void *buf, uint64_t size);

/* Where the payload of a chunk lies, and how much fits. */
void *ferryi_queue_place(const struct ferryi_queue *q, uint32_t index,
			 uint64_t *out_size);
/* Its offset in the file, or 0 when it lies in the record. */
uint64_t ferryi_queue_place_at(const struct ferryi_queue *q, uint32_t index);

static inline struct ferryi_record *ferryi_queue_record(
	const struct ferryi_queue *q, uint32_t index)
{
	return &q->records[index];
}

/* The class of a chunk. */
uint32_t ferryi_queue_class(const struct ferryi_queue *q, uint32_t index);

/* Chunks of a class below its high-water mark, bounded by its count. */
static inline uint32_t ferryi_queue_reserved(const struct ferryi_queue *q,
					     uint32_t class)
{
	uint32_t n = ferryi_load(&q->control->reserved[class]);

	return n < q->classes[class].count ? n : q->classes[class].count;
}

/* Whether the record that carries a position's cell has memory. */
static inline bool ferryi_queue_has_cell(const struct ferryi_queue *q,
					 uint64_t position)
{
	return (position & q->ring_mask) < ferryi_queue_reserved(q, 0);
}

/* Whether the FULL cell of a position that has memory names its message. */
bool ferryi_queue_cell_takeable(const struct ferryi_queue *q, uint64_t position,
				uint64_t cell, uint64_t *out_word);

static inline uint64_t *ferryi_queue_cell(const struct ferryi_queue *q,
					  uint64_t position)
{
	return &q->records[position & q->ring_mask].cell;
}

/* How many chunks are in which state; `queued` counts takeable cells. */
struct ferryi_census {
	uint64_t chunks[FERRYI_STATES];
	uint64_t queued;
};
void ferryi_queue_census(const struct ferryi_queue *q,
			 struct ferryi_census *out);

/*
 * A message that a process other than `owner` has taken and not ended: its
 * word, with what it is in *out_word; or NULL.
 */
uint64_t *ferryi_queue_held_by_others(const struct ferryi_queue *q,
				      uint32_t owner, uint64_t *out_word);

/* After foreign writes: head and tail from the cells, which are the truth. */
void ferryi_queue_heal_hints(struct ferryi_queue *q);

#endif
