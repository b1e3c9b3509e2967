/* SPDX-License-Identifier: MIT */
/*
 * The queue without files and processes: a segment in private memory, of which
 * only what was reserved may be touched (the rest is PROT_NONE).
 */
#include "shm/queue.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "shm/recover.h"
#include "shm/watch.h"

#define ME    3u
#define OTHER 7u

struct box {
	struct ferryi_header h;
	struct ferryi_queue q;
	uint8_t *base;
};

static void allow(struct box *b, uint64_t at, uint64_t bytes)
{
	uint64_t from = at / FERRYI_PAGE * FERRYI_PAGE;

	ck_assert_int_eq(
		mprotect(b->base + from,
			 ferryi_round_up(at + bytes, FERRYI_PAGE) - from,
			 PROT_READ | PROT_WRITE),
		0);
}

static bool takes_in_two_steps;

static void in_one_step(void)
{
	takes_in_two_steps = false;
}

static void in_two_steps(void)
{
	takes_in_two_steps = true;
}

static void make(struct box *b, struct ferryi_choice c)
{
	const char *why = "";

	ck_assert_int_eq(ferryi_layout_plan(&b->h, &c, &why), 0);
	b->base = mmap(NULL, b->h.preamble.total_bytes, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ck_assert_ptr_ne(b->base, MAP_FAILED);
	allow(b, 0, ferryi_layout_first_bytes(&b->h));
	ferryi_queue_attach(&b->q, b->base, &b->h);
	b->q.has_pairs &= !takes_in_two_steps;
	ferryi_queue_format(b->q.control, &b->h);
	ferryi_member_add(&b->q.users, ME);
	ferryi_member_add(&b->q.users, OTHER);
}

static void fini(struct box *b)
{
	munmap(b->base, b->h.preamble.total_bytes);
}

static struct ferryi_choice choice(uint64_t capacity, uint64_t message_max)
{
	return (struct ferryi_choice){ .capacity = capacity,
				       .message_max = message_max };
}

static void grow(struct box *b, const struct ferryi_growth *g)
{
	for (unsigned i = 0; i < 2; i++)
		if (g->bytes[i])
			allow(b, g->at[i], g->bytes[i]);
	ferryi_queue_grown(&b->q, g);
}

static int loan(struct box *b, uint32_t owner, uint64_t len,
		struct ferryi_chunk *c)
{
	struct ferryi_growth g;
	uint64_t room;
	int r;

	while ((r = ferryi_queue_loan(&b->q, owner, len, c, &g)) == 1)
		grow(b, &g);
	if (r != 0)
		return r;
	/* what is larger has no memory of its own before its first use (G3) */
	ferryi_queue_place(&b->q, c->index, &room);
	if (room > FERRYI_EAGER)
		allow(b, ferryi_queue_place_at(&b->q, c->index), len);
	return 0;
}

static int commit(struct box *b, const struct ferryi_chunk *c)
{
	struct ferryi_growth g;
	int r;

	while ((r = ferryi_queue_commit(&b->q, c, &g)) == 1)
		grow(b, &g);
	return r;
}

/* Send `id` in a message of `len` bytes, 8 at least. */
static int put(struct box *b, uint32_t owner, uint64_t id, uint64_t len)
{
	struct ferryi_chunk c;
	uint64_t room;
	int r = loan(b, owner, len, &c);

	if (r < 0)
		return r;
	memset(ferryi_queue_place(&b->q, c.index, &room), (int)id, len);
	memcpy(ferryi_queue_place(&b->q, c.index, &room), &id, sizeof id);
	b->q.records[c.index].len = (uint32_t)len;
	r = commit(b, &c);
	if (r < 0)
		ck_assert_int_eq(ferryi_queue_abandon(&b->q, &c), 0);
	return r;
}

static uint64_t id_of(struct box *b, const struct ferryi_chunk *c)
{
	uint64_t id, room;

	memcpy(&id, ferryi_queue_place(&b->q, c->index, &room), sizeof id);
	return id;
}

static int get_at(struct box *b, uint32_t owner, int64_t now,
		  struct ferryi_chunk *c)
{
	uint64_t len;

	return ferryi_queue_take(&b->q, owner, UINT64_MAX, now, c, &len);
}

/* Take one, release it, and answer its id; or a negative error. */
static int64_t get(struct box *b)
{
	struct ferryi_chunk c;
	int r = get_at(b, ME, 0, &c);

	if (r < 0)
		return r;
	ck_assert_int_eq(ferryi_queue_release(&b->q, &c), 0);
	return (int64_t)id_of(b, &c);
}

static void recover(struct box *b, uint32_t owner, struct ferryi_recovery *out)
{
	ferryi_recover_owner(&b->q, owner, FERRYI_ANY_HANDLE, out);
}

static void assert_all_free(struct box *b)
{
	struct ferryi_census n;

	ferryi_queue_census(&b->q, &n);
	ck_assert_uint_eq(n.queued, 0);
	for (unsigned s = FERRYI_LOAN; s < FERRYI_STATES; s++)
		ck_assert_uint_eq(n.chunks[s], 0);
}

/* --- order and capacity ---------------------------------------------------- */

static const uint64_t capacities[] = { 1, 2, 3, 7, 8, 31, 32, 33, 100, 1000 };

START_TEST(exactly_capacity_messages_fit_and_come_out_in_order)
{
	uint64_t n = capacities[_i], sent = 0, got = 0;
	struct box b;

	make(&b, choice(n, 64));
	for (unsigned lap = 0; lap < 5; lap++) {
		for (uint64_t i = 0; i < n; i++)
			ck_assert_int_eq(put(&b, ME, sent++, 8), 0);
		ck_assert_int_eq(put(&b, ME, 0, 8), -EAGAIN);
		for (uint64_t i = 0; i < n - lap % 2; i++)
			ck_assert_int_eq(get(&b), (int64_t)got++);
		for (; got < sent;)
			ck_assert_int_eq(get(&b), (int64_t)got++);
		ck_assert_int_eq(get(&b), -EAGAIN);
	}
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(a_taken_message_does_not_occupy_a_place)
{
	struct ferryi_chunk held[8];
	struct box b;

	make(&b, choice(8, 64));
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(get_at(&b, OTHER, 0, &held[i]), 0);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(put(&b, ME, 100 + i, 8), 0);
	ck_assert_int_eq(put(&b, ME, 0, 8), -EAGAIN);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(ferryi_queue_release(&b.q, &held[i]), 0);
	for (unsigned i = 0; i < 8; i++)
		ck_assert_int_eq(get(&b), 100 + i);
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(messages_of_every_size_keep_their_bytes)
{
	static const uint64_t sizes[] = { 8,   95,   96,   97,	 255,	256,
					  257, 1024, 4096, 4097, 16385, 65536 };
	struct ferryi_chunk c;
	uint64_t room, len;
	struct box b;

	make(&b, choice(16, 65536));
	for (unsigned lap = 0; lap < 40; lap++) {
		uint64_t size = sizes[lap % 12];

		ck_assert_int_eq(put(&b, ME, lap, size), 0);
		ck_assert_int_eq(ferryi_queue_take(&b.q, ME, UINT64_MAX, 0, &c,
						   &len),
				 0);
		ck_assert_uint_eq(len, size);
		ck_assert_uint_eq(id_of(&b, &c), lap);
		for (uint64_t i = 8; i < size; i++)
			ck_assert_uint_eq(((uint8_t *)ferryi_queue_place(
						  &b.q, c.index, &room))[i],
					  lap);
		ck_assert_int_eq(ferryi_queue_release(&b.q, &c), 0);
	}
	ck_assert_int_eq(put(&b, ME, 1, 65537), -EMSGSIZE);
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(a_message_that_is_too_long_stays_first)
{
	struct ferryi_chunk c;
	uint64_t len;
	struct box b;

	make(&b, choice(4, 64));
	ck_assert_int_eq(put(&b, ME, 1, 40), 0);
	ck_assert_int_eq(put(&b, ME, 2, 8), 0);
	ck_assert_int_eq(ferryi_queue_take(&b.q, ME, 39, 0, &c, &len),
			 -EMSGSIZE);
	ck_assert_uint_eq(len, 40);
	ck_assert_int_eq(get(&b), 1);
	ck_assert_int_eq(get(&b), 2);
	fini(&b);
}
END_TEST

/* --- deaths, played by leaving words as the dead left them ------------------ */

START_TEST(an_old_hint_by_any_number_of_laps_loses_nothing)
{
	uint64_t laps = (uint64_t)_i, tail, head;
	struct box b;

	make(&b, choice(4, 64));
	tail = b.q.control->tail;
	head = b.q.control->head;
	for (uint64_t i = 0; i < 4 * laps; i++) {
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
		ck_assert_int_eq(get(&b), (int64_t)i);
	}
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(put(&b, ME, 100 + i, 8), 0);
	b.q.control->tail = tail;
	ck_assert_int_eq(put(&b, ME, 103, 8), 0);
	ck_assert_int_eq(put(&b, ME, 104, 8), -EAGAIN);
	b.q.control->head = head;
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(get(&b), 100 + i);
	ck_assert_int_eq(get(&b), -EAGAIN);
	fini(&b);
}
END_TEST

START_TEST(a_stale_cell_is_freed_by_the_next_receiver_or_sender)
{
	struct ferryi_chunk c;
	uint64_t cell;
	struct box b;

	make(&b, choice(2, 64));
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	ck_assert_int_eq(put(&b, ME, 2, 8), 0);
	cell = b.q.records[0].cell;
	ck_assert_int_eq(get_at(&b, OTHER, 0, &c), 0);
	b.q.records[0].cell = cell; /* T2: died before it freed the cell */
	b.q.control->head = 0;
	if (_i)
		ck_assert_int_eq(put(&b, ME, 3, 8), 0);
	ck_assert_int_eq(get(&b), 2);
	ck_assert_int_eq(get(&b), _i ? 3 : -EAGAIN);
	ck_assert_int_eq(ferryi_queue_release(&b.q, &c), 0);
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(a_stale_cell_does_not_mean_the_next_message_of_its_chunk)
{
	struct ferryi_chunk next[2], c;
	uint64_t cell;
	struct box b;

	make(&b, choice(2, 64));
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	cell = b.q.records[0].cell;
	ck_assert_int_eq(get(&b), 1);
	b.q.records[0].cell = cell; /* T2: died before it freed the cell */
	b.q.control->head = 0;
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(loan(&b, ME, 8, &next[i]), 0);
	ck_assert_uint_eq(next[1].index, 0);
	ck_assert_int_eq(get_at(&b, OTHER, 0, &c), -EAGAIN);
	fini(&b);
}
END_TEST

START_TEST(what_the_dead_wrote_held_and_sent_is_freed_returned_and_kept)
{
	struct ferryi_recovery done;
	struct ferryi_chunk c;
	struct box b;

	make(&b, choice(8, 300));
	ck_assert_int_eq(put(&b, OTHER, 1, 8), 0);
	ck_assert_int_eq(put(&b, OTHER, 2, 300), 0);
	ck_assert_int_eq(put(&b, OTHER, 3, 8), 0);
	ck_assert_int_eq(get_at(&b, OTHER, 0, &c), 0);
	ck_assert_int_eq(loan(&b, OTHER, 8, &c), 0);
	recover(&b, OTHER, &done);
	ck_assert_uint_eq(done.freed, 1);
	ck_assert_uint_eq(done.queued, 2);
	ck_assert_uint_eq(done.returned, 1);
	recover(&b, OTHER, &done); /* again: nothing left to do */
	ck_assert_uint_eq(done.freed + done.queued + done.returned, 0);
	ck_assert_int_eq(get_at(&b, ME, 0, &c), 0);
	ck_assert_uint_eq(id_of(&b, &c), 1);
	ck_assert_uint_eq(ferryi_word_deliveries(c.word), 2);
	ck_assert_int_eq(ferryi_queue_release(&b.q, &c), 0);
	ck_assert_int_eq(get(&b), 2);
	ck_assert_int_eq(get(&b), 3);
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(the_dead_ones_handle_is_fenced)
{
	struct ferryi_recovery done;
	struct ferryi_chunk held, lent;
	struct box b;

	make(&b, choice(8, 64));
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	ck_assert_int_eq(get_at(&b, OTHER, 0, &held), 0);
	ck_assert_int_eq(loan(&b, OTHER, 8, &lent), 0);
	recover(&b, OTHER, &done);
	ck_assert_int_eq(ferryi_queue_release(&b.q, &held), -ESTALE);
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &held, 0), -ESTALE);
	ck_assert_int_eq(commit(&b, &lent), -ESTALE);
	ck_assert_int_eq(get(&b), 1);
	fini(&b);
}
END_TEST

START_TEST(at_most_once_drops_and_counts_what_the_dead_held)
{
	struct ferryi_choice c = choice(8, 64);
	struct ferryi_recovery done;
	struct ferryi_chunk held;
	struct box b;

	c.delivery = 1;
	make(&b, c);
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	ck_assert_int_eq(get_at(&b, OTHER, 0, &held), 0);
	recover(&b, OTHER, &done);
	ck_assert_uint_eq(done.lost, 1);
	ck_assert_uint_eq(b.q.control->counters.lost, 1);
	ck_assert_int_eq(get(&b), -EAGAIN);
	assert_all_free(&b);
	fini(&b);
}
END_TEST

/* A chunk that goes round among receivers uses no other cell: its generation
 * could come to match the one that was left. */
START_TEST(recovery_frees_the_cell_that_a_dead_taker_left)
{
	struct ferryi_recovery done;
	struct ferryi_chunk c;
	uint64_t cell;
	struct box b;

	make(&b, choice(4, 64));
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	cell = b.q.records[0].cell;
	ck_assert_int_eq(get_at(&b, OTHER, 0, &c), 0);
	b.q.records[0].cell = cell; /* T2: died before it freed the cell */
	recover(&b, OTHER, &done);
	ck_assert_uint_eq(done.returned, 1);
	ck_assert_uint_eq(b.q.records[0].cell,
			  ferryi_cell_free(&b.q.cells, b.q.ring_mask + 1));
	ck_assert_int_eq(get(&b), 1);
	fini(&b);
}
END_TEST

/* --- returned messages ------------------------------------------------------ */

START_TEST(returned_messages_come_first_in_their_old_order_when_due)
{
	struct ferryi_chunk c[3];
	struct box b;

	make(&b, choice(8, 64));
	for (unsigned i = 1; i <= 4; i++)
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(get_at(&b, ME, 0, &c[i]), 0);
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &c[2], 0), 0);
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &c[0], 0), 0);
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &c[1], (int64_t)1 << 40),
			 0);
	ck_assert_int_eq(get(&b), 1);
	ck_assert_int_eq(get(&b), 3);
	ck_assert_int_eq(get(&b), 4);
	ck_assert_int_eq(get(&b), -EAGAIN);
	ck_assert_int_eq(get_at(&b, ME, ((int64_t)1 << 40) - 1, &c[0]),
			 -EAGAIN);
	ck_assert_int_eq(get_at(&b, ME, (int64_t)1 << 40, &c[0]), 0);
	ck_assert_uint_eq(id_of(&b, &c[0]), 2);
	ck_assert_int_eq(ferryi_queue_release(&b.q, &c[0]), 0);
	ck_assert(!ferryi_returned_any(b.q.control->returned));
	assert_all_free(&b);
	fini(&b);
}
END_TEST

START_TEST(a_return_that_was_not_announced_is_found_by_recovery)
{
	struct ferryi_recovery done;
	struct ferryi_chunk c;
	struct box b;

	make(&b, choice(8, 64));
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	ck_assert_int_eq(get_at(&b, OTHER, 0, &c), 0);
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &c, 0), 0);
	b.q.control->returned = 0; /* Q1: died before the announcement */
	ck_assert_int_eq(get(&b), -EAGAIN);
	recover(&b, OTHER, &done);
	ck_assert_int_eq(get(&b), 1);
	fini(&b);
}
END_TEST

/* A receiver that scanned before the second one came may not clear the word. */
START_TEST(every_return_moves_the_version_of_the_announcement)
{
	struct ferryi_chunk c[2];
	uint64_t before;
	struct box b;

	make(&b, choice(8, 64));
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
		ck_assert_int_eq(get_at(&b, ME, 0, &c[i]), 0);
	}
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &c[0], 0), 0);
	before = b.q.control->returned;
	ck_assert_int_eq(ferryi_queue_requeue(&b.q, &c[1], 0), 0);
	ck_assert_uint_ne(b.q.control->returned, before);
	fini(&b);
}
END_TEST

/* --- hints, gates, members -------------------------------------------------- */

START_TEST(garbage_in_the_hints_is_healed_from_the_cells)
{
	static const uint64_t garbage[] = { 0, 5, 1000, UINT64_MAX,
					    1ull << 40 };
	uint64_t bad = garbage[_i];
	struct box b;

	make(&b, choice(4, 64));
	for (uint64_t i = 0; i < 9; i++) {
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
		ck_assert_int_eq(get(&b), (int64_t)i);
	}
	ck_assert_int_eq(put(&b, ME, 20, 8), 0);
	ck_assert_int_eq(put(&b, ME, 21, 8), 0);
	b.q.control->tail = bad;
	b.q.control->head = bad;
	ck_assert_int_eq(put(&b, ME, 22, 8), 0);
	ferryi_queue_heal_hints(&b.q);
	ck_assert_int_eq(put(&b, ME, 23, 8), 0);
	ck_assert_int_eq(put(&b, ME, 24, 8), -EAGAIN);
	for (unsigned i = 0; i < 4; i++)
		ck_assert_int_eq(get(&b), 20 + i);
	fini(&b);
}
END_TEST

START_TEST(scrub_mends_words_that_nobody_could_have_left)
{
	struct ferryi_chunk c;
	struct box b;

	make(&b, choice(4, 64));
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	ck_assert_int_eq(get_at(&b, OTHER, 0, &c), 0);
	ferryi_member_drop(&b.q.users, OTHER);
	b.q.records[2].word = ferryi_word(5, FERRYI_QUEUED, 0, 0);
	b.q.records[3].word = ferryi_word(5, 15, 99, 0);
	b.q.control->gate[0] = 0xdeadbeef;
	ck_assert_uint_eq(ferryi_scrub(&b.q), 3);
	ck_assert_uint_eq(b.q.control->gate[0], 1);
	ck_assert_int_eq(get(&b), 1);
	assert_all_free(&b);
	fini(&b);
}
END_TEST

/* Cells of a ring of 4 at position 9: full, free, and the FULL bit alone. */
static const uint64_t bad_cells[] = {
	0, ~(uint64_t)0, FERRYI_FULL, (uint64_t)1 << 62, 12345,
};

START_TEST(scrub_mends_a_ring_that_was_written_to)
{
	uint64_t bad = bad_cells[_i / 4];
	int64_t got, last = -1;
	struct box b;
	unsigned n = 0;

	make(&b, choice(4, 64));
	for (uint64_t i = 0; i < 9; i++) {
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
		ck_assert_int_eq(get(&b), (int64_t)i);
	}
	ck_assert_int_eq(put(&b, ME, 20, 8), 0);
	ck_assert_int_eq(put(&b, ME, 21, 8), 0);
	*ferryi_queue_cell(&b.q, (uint64_t)_i % 4) = bad;
	ferryi_scrub(&b.q);
	while ((got = get(&b)) >= 0) {
		ck_assert_int_gt(got, last);
		last = got;
		n++;
	}
	ck_assert_uint_ge(n, 1); /* the one whose cell was hit may be gone */
	for (uint64_t lap = 0; lap < 3; lap++) {
		for (uint64_t i = 0; i < 4; i++)
			ck_assert_int_eq(put(&b, ME, 30 + i, 8), 0);
		ck_assert_int_eq(put(&b, ME, 40, 8), -EAGAIN);
		for (unsigned i = 0; i < 4; i++)
			ck_assert_int_eq(get(&b), 30 + i);
	}
	fini(&b);
}
END_TEST

START_TEST(scrub_leaves_a_sound_ring_alone)
{
	struct ferryi_chunk c;
	uint64_t cells[4];
	struct box b;
	int r;

	make(&b, choice(4, 64));
	for (uint64_t i = 0; i < 24; i++) {
		r = put(&b, ME, i, 8);
		ck_assert(r == 0 || r == -EAGAIN);
		if (i % 3) /* the number of the queued goes up and down */
			ck_assert_int_ge(get(&b), 0);
		else if (i % 6 == 0) /* one that is held for good */
			ck_assert_int_eq(get_at(&b, ME, 0, &c), 0);
		for (unsigned k = 0; k < 4; k++)
			cells[k] = *ferryi_queue_cell(&b.q, k);
		ck_assert_uint_eq(ferryi_scrub(&b.q), 0);
		for (unsigned k = 0; k < 4; k++)
			ck_assert_uint_eq(*ferryi_queue_cell(&b.q, k),
					  cells[k]);
	}
	fini(&b);
}
END_TEST

/* It says that there is nothing, and the full queue takes no more. */
START_TEST(scrub_heals_a_head_that_is_too_far)
{
	struct box b;

	make(&b, choice(4, 64));
	for (uint64_t i = 0; i < 4; i++) {
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
		ck_assert_int_eq(get(&b), (int64_t)i);
	}
	for (uint64_t i = 0; i < 3; i++)
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
	b.q.control->head = 7;
	ck_assert_int_eq(get(&b), -EAGAIN);
	ferryi_scrub(&b.q);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(get(&b), i);
	fini(&b);
}
END_TEST

START_TEST(a_sleeper_is_told_what_would_let_it_go_on)
{
	struct ferryi_watch w;
	struct box b;

	make(&b, choice(2, 64));
	ck_assert(!ferryi_watch(&b.q, FERRYI_GATE_RECV, 0, 0, &w));
	ck_assert(ferryi_watch(&b.q, FERRYI_GATE_SPACE, 0, 0, &w));
	ck_assert_int_eq(put(&b, ME, 1, 8), 0);
	ck_assert(ferryi_watch(&b.q, FERRYI_GATE_RECV, 0, 0, &w));
	ck_assert_int_eq(put(&b, ME, 2, 8), 0);
	ck_assert(!ferryi_watch(&b.q, FERRYI_GATE_SPACE, 0, 0, &w));
	ck_assert_int_eq(get(&b), 1);
	for (unsigned i = 0, changed = 0; i < w.n; i++) {
		changed += *w.words[i].addr != w.words[i].expected;
		if (i + 1 == w.n)
			ck_assert_uint_gt(changed, 0);
	}
	fini(&b);
}
END_TEST

START_TEST(nobody_waits_for_a_chunk_while_memory_can_be_reserved)
{
	struct ferryi_chunk c[64];
	struct ferryi_growth g;
	struct ferryi_watch w;
	struct box b;
	unsigned n = 0;

	make(&b, choice(2, 300));
	while (ferryi_queue_loan(&b.q, ME, 8, &c[n], &g) == 0)
		n++; /* the ring's own chunks */
	ck_assert(ferryi_watch(&b.q, FERRYI_GATE_CHUNK, 8, 0, &w));
	while (loan(&b, ME, 8, &c[n]) == 0)
		n++;
	ck_assert(!ferryi_watch(&b.q, FERRYI_GATE_CHUNK, 8, 0, &w));
	ck_assert(ferryi_watch(&b.q, FERRYI_GATE_CHUNK, 300, 0, &w));
	while (loan(&b, ME, 300, &c[n]) == 0)
		n++;
	ck_assert(!ferryi_watch(&b.q, FERRYI_GATE_CHUNK, 300, 0, &w));
	ck_assert_int_eq(ferryi_queue_abandon(&b.q, &c[n - 1]), 0);
	ck_assert(ferryi_watch(&b.q, FERRYI_GATE_CHUNK, 300, 0, &w));
	fini(&b);
}
END_TEST

START_TEST(the_last_leaver_and_a_joiner_never_both_succeed)
{
	struct box b;

	make(&b, choice(2, 64));
	ck_assert(!ferryi_retire_if_unused(&b.q.users));
	ferryi_member_drop(&b.q.users, ME);
	ferryi_member_drop(&b.q.users, OTHER);
	ferryi_member_add(&b.q.users, ME);
	ck_assert(ferryi_join(&b.q.users));
	ck_assert(!ferryi_retire_if_unused(&b.q.users));
	ferryi_member_drop(&b.q.users, ME);
	ck_assert(ferryi_retire_if_unused(&b.q.users));
	ck_assert(!ferryi_join(&b.q.users));
	fini(&b);
}
END_TEST

START_TEST(peek_sees_each_queued_message_once_and_takes_none)
{
	struct ferryi_record rec;
	uint64_t cursor = 0, id;
	uint32_t deliveries;
	struct box b;

	make(&b, choice(8, 64));
	for (uint64_t i = 0; i < 5; i++)
		ck_assert_int_eq(put(&b, ME, i, 8), 0);
	for (uint64_t i = 0; i < 5; i++) {
		ck_assert_int_eq(ferryi_queue_peek(&b.q, &cursor, INT64_MAX,
						   &rec, &deliveries, &id,
						   sizeof id),
				 0);
		ck_assert_uint_eq(id, i);
		ck_assert_uint_eq(rec.seq, i);
	}
	ck_assert_int_eq(ferryi_queue_peek(&b.q, &cursor, INT64_MAX, &rec,
					   &deliveries, &id, sizeof id),
			 -EAGAIN);
	ck_assert_int_eq(get(&b), 0);
	fini(&b);
}
END_TEST

/* Every test twice: with the 16-byte CAS where there is one, and without. */
static TCase *case_of_all(const char *name, void (*setup)(void))
{
	TCase *t = tcase_create(name);

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(
		t, exactly_capacity_messages_fit_and_come_out_in_order, 0, 10);
	tcase_add_test(t, a_taken_message_does_not_occupy_a_place);
	tcase_add_test(t, messages_of_every_size_keep_their_bytes);
	tcase_add_test(t, a_message_that_is_too_long_stays_first);
	tcase_add_loop_test(t, an_old_hint_by_any_number_of_laps_loses_nothing,
			    0, 6);
	tcase_add_loop_test(
		t, a_stale_cell_is_freed_by_the_next_receiver_or_sender, 0, 2);
	tcase_add_test(
		t, a_stale_cell_does_not_mean_the_next_message_of_its_chunk);
	tcase_add_test(
		t,
		what_the_dead_wrote_held_and_sent_is_freed_returned_and_kept);
	tcase_add_test(t, the_dead_ones_handle_is_fenced);
	tcase_add_test(t, at_most_once_drops_and_counts_what_the_dead_held);
	tcase_add_test(t, recovery_frees_the_cell_that_a_dead_taker_left);
	tcase_add_test(
		t, returned_messages_come_first_in_their_old_order_when_due);
	tcase_add_test(t, a_return_that_was_not_announced_is_found_by_recovery);
	tcase_add_test(t, every_return_moves_the_version_of_the_announcement);
	tcase_add_loop_test(t, garbage_in_the_hints_is_healed_from_the_cells, 0,
			    5);
	tcase_add_test(t, scrub_mends_words_that_nobody_could_have_left);
	tcase_add_loop_test(t, scrub_mends_a_ring_that_was_written_to, 0,
			    4 * sizeof(bad_cells) / sizeof(bad_cells[0]));
	tcase_add_test(t, scrub_leaves_a_sound_ring_alone);
	tcase_add_test(t, scrub_heals_a_head_that_is_too_far);
	tcase_add_test(t, a_sleeper_is_told_what_would_let_it_go_on);
	tcase_add_test(t,
		       nobody_waits_for_a_chunk_while_memory_can_be_reserved);
	tcase_add_test(t, the_last_leaver_and_a_joiner_never_both_succeed);
	tcase_add_test(t, peek_sees_each_queued_message_once_and_takes_none);
	return t;
}

int main(void)
{
	Suite *s = suite_create("queue");
	SRunner *r;
	int failed;

	suite_add_tcase(s, case_of_all("in one step", in_one_step));
	suite_add_tcase(s, case_of_all("in two steps", in_two_steps));
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
