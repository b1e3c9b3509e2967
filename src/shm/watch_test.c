/* SPDX-License-Identifier: MIT */
/* What a sleeper waits for. */
#include "shm/watch.h"

#include "shm/queue_test.h"

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

/* Who has raised it again in between hides no wake-up. */
START_TEST(the_gate_of_loops_counts_wake_ups)
{
	uint32_t gate = 0, mine;

	ck_assert(!ferryi_poll_gate_lower(&gate));
	mine = ferryi_poll_gate_raise(&gate);
	ck_assert_uint_eq(ferryi_poll_gate_raise(&gate), mine);
	ck_assert_uint_eq(gate, mine);
	ck_assert(ferryi_poll_gate_lower(&gate));
	ck_assert(!ferryi_poll_gate_lower(&gate));
	ck_assert_uint_ne(gate, mine);
	ck_assert_uint_ne(ferryi_poll_gate_raise(&gate), mine);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_test(t, a_sleeper_is_told_what_would_let_it_go_on);
	tcase_add_test(t,
		       nobody_waits_for_a_chunk_while_memory_can_be_reserved);
	tcase_add_test(t, the_gate_of_loops_counts_wake_ups);
}

int main(void)
{
	return queue_main("watch", add_tests);
}
