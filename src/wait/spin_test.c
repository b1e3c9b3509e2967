/* SPDX-License-Identifier: MIT */
/* What a side of a link learns from its waits. */
#include "wait/spin.h"

#include "unit.h"

#define NEVER 1000u

/* How many waits sleep at once before the next one spins. */
static unsigned sleeps_before_a_spin(struct ferryi_spin *s)
{
	unsigned n = 0;

	while (n < NEVER && !ferryi_spin_begin(s))
		n++;
	return n;
}

START_TEST(vain_spins_become_rare_and_one_that_found_something_brings_them_back)
{
	static const unsigned skipped[] = { 0,	1,   3,	  7,   15, 31,
					    63, 127, 255, 255, 255 };
	struct ferryi_spin s = { 0 };

	for (unsigned i = 0; i < 11; i++) {
		ck_assert_uint_eq(sleeps_before_a_spin(&s), skipped[i]);
		ferryi_spin_end(&s, false);
	}
	ck_assert_uint_eq(sleeps_before_a_spin(&s), 255);
	ferryi_spin_end(&s, true);
	ck_assert_uint_eq(sleeps_before_a_spin(&s), 0);
}
END_TEST

/* One wait that spins and finds something, after `hits` calls that did not
 * wait.  Whether it paused. */
static bool pauses(struct ferryi_spin *s, unsigned hits)
{
	for (unsigned i = 0; i < hits; i++)
		ferryi_spin_hit(s);
	ck_assert(ferryi_spin_begin(s));
	ferryi_spin_end(s, true);
	return s->pausing;
}

static unsigned waits_until_a_pause(struct ferryi_spin *s, unsigned hits)
{
	unsigned n = 0;

	while (n < NEVER && !pauses(s, hits))
		n++;
	return n;
}

START_TEST(a_pause_is_kept_while_messages_gather_and_tried_ever_less_otherwise)
{
	struct ferryi_spin s = { 0 };

	ck_assert(pauses(&s, 0)); /* a first trial */
	for (unsigned i = 0; i < 100; i++)
		ck_assert(pauses(&s, 3));
	ck_assert(!pauses(&s, 2)); /* it brought too few */
	ck_assert_uint_eq(waits_until_a_pause(&s, 0), 64);
	ck_assert(!pauses(&s, 0));
	ck_assert_uint_eq(waits_until_a_pause(&s, 0), 128);
	ck_assert(pauses(&s, 3)); /* worth it again: trials come sooner */
	ck_assert(!pauses(&s, 0));
	ck_assert_uint_eq(waits_until_a_pause(&s, 0), 64);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("spin");

	tcase_add_test(
		t,
		vain_spins_become_rare_and_one_that_found_something_brings_them_back);
	tcase_add_test(
		t,
		a_pause_is_kept_while_messages_gather_and_tried_ever_less_otherwise);
	return unit_main(t, "spin");
}
