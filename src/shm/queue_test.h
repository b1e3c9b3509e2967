/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the queue share: a segment in private memory, without files
 * and processes, of which only what was reserved may be touched (the rest is
 * PROT_NONE); messages that are numbers.
 */
#ifndef FERRYI_SHM_QUEUE_TEST_H
#define FERRYI_SHM_QUEUE_TEST_H

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "shm/queue.h"
#include "shm/recover.h"

#define ME    3u
#define OTHER 7u

struct box {
	struct ferryi_header h;
	struct ferryi_queue q;
	uint8_t *base;
};

static inline void allow(struct box *b, uint64_t at, uint64_t bytes)
{
	uint64_t from = at / FERRYI_PAGE * FERRYI_PAGE;

	ck_assert_int_eq(
		mprotect(b->base + from,
			 ferryi_round_up(at + bytes, FERRYI_PAGE) - from,
			 PROT_READ | PROT_WRITE),
		0);
}

static bool takes_in_two_steps;

static inline void in_one_step(void)
{
	takes_in_two_steps = false;
}

static inline void in_two_steps(void)
{
	takes_in_two_steps = true;
}

static inline void make(struct box *b, struct ferryi_choice c)
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

static inline void fini(struct box *b)
{
	munmap(b->base, b->h.preamble.total_bytes);
}

static inline struct ferryi_choice choice(uint64_t capacity,
					  uint64_t message_max)
{
	return (struct ferryi_choice){ .capacity = capacity,
				       .message_max = message_max };
}

static inline void grow(struct box *b, const struct ferryi_growth *g)
{
	for (unsigned i = 0; i < 2; i++)
		if (g->bytes[i])
			allow(b, g->at[i], g->bytes[i]);
	ferryi_queue_grown(&b->q, g);
}

static inline int loan(struct box *b, uint32_t owner, uint64_t len,
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

static inline int commit(struct box *b, const struct ferryi_chunk *c)
{
	struct ferryi_growth g;
	int r;

	while ((r = ferryi_queue_commit(&b->q, c, &g)) == 1)
		grow(b, &g);
	return r;
}

/* Send `id` in a message of `len` bytes, 8 at least. */
static inline int put(struct box *b, uint32_t owner, uint64_t id, uint64_t len)
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

static inline uint64_t id_of(struct box *b, const struct ferryi_chunk *c)
{
	uint64_t id, room;

	memcpy(&id, ferryi_queue_place(&b->q, c->index, &room), sizeof id);
	return id;
}

static inline int get_at(struct box *b, uint32_t owner, int64_t now,
			 struct ferryi_chunk *c)
{
	uint64_t len;

	return ferryi_queue_take(&b->q, owner, UINT64_MAX, now, c, &len);
}

/* Take one, release it, and answer its id; or a negative error. */
static inline int64_t get(struct box *b)
{
	struct ferryi_chunk c;
	int r = get_at(b, ME, 0, &c);

	if (r < 0)
		return r;
	ck_assert_int_eq(ferryi_queue_release(&b->q, &c), 0);
	return (int64_t)id_of(b, &c);
}

static inline void recover(struct box *b, uint32_t owner,
			   struct ferryi_recovery *out)
{
	ferryi_recover_owner(&b->q, owner, FERRYI_ANY_HANDLE, out);
}

static inline void assert_all_free(struct box *b)
{
	struct ferryi_census n;

	ferryi_queue_census(&b->q, &n);
	ck_assert_uint_eq(n.queued, 0);
	for (unsigned s = FERRYI_LOAN; s < FERRYI_STATES; s++)
		ck_assert_uint_eq(n.chunks[s], 0);
}

static inline TCase *queue_case(const char *name, void (*setup)(void),
				void (*add_tests)(TCase *t))
{
	TCase *t = tcase_create(name);

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, NULL);
	add_tests(t);
	return t;
}

/* Every test twice: with the 16-byte CAS where there is one, and without. */
static inline int queue_main(const char *name, void (*add_tests)(TCase *t))
{
	Suite *s = suite_create(name);
	SRunner *r;
	int failed;

	suite_add_tcase(s, queue_case("in one step", in_one_step, add_tests));
	suite_add_tcase(s, queue_case("in two steps", in_two_steps, add_tests));
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}

#endif
