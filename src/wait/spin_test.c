/* SPDX-License-Identifier: MIT */
/* What a side of a link learns from its waits. */
#include "wait/spin.h"

#include "unit.h"

#define NEVER 1000u

/* How many waits sleep at once before the next one spins. */
static unsigned sleeps_before_a_spin(struct ferryi_spin *s)
{
	unsigned n = 0;

	while (n < 2 * NEVER && !ferryi_spin_begin(s, 20))
		n++;
	return n;
}

START_TEST(vain_spins_become_rare_and_one_that_found_something_brings_them_back)
{
	static const unsigned skipped[] = { 0,	1,   3,	  7,   15,   31,
					    63, 127, 255, 511, 1023, 1023 };
	struct ferryi_spin s = { 0 };

	for (unsigned i = 0; i < 12; i++) {
		ck_assert_uint_eq(sleeps_before_a_spin(&s), skipped[i]);
		ferryi_spin_end(&s, false);
	}
	ck_assert_uint_eq(sleeps_before_a_spin(&s), 1023);
	ferryi_spin_end(&s, true);
	ck_assert_uint_eq(sleeps_before_a_spin(&s), 0);
}
END_TEST

START_TEST(a_spin_is_long_where_sleeps_are_short_until_it_is_in_vain)
{
	struct ferryi_spin s = { 0 };

	ck_assert_int_eq(ferryi_spin_begin(&s, 0), 0); /* switched off */
	ck_assert_int_eq(ferryi_spin_begin(&s, 20), 20);
	ferryi_spin_end(&s, false);
	ck_assert_int_eq(ferryi_spin_begin(&s, 20), 0);
	ferryi_spin_slept(&s, true);
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(ferryi_spin_begin(&s, 20), 100);
		ferryi_spin_end(&s, true);
	}
	ck_assert_int_eq(ferryi_spin_begin(&s, 20), 100);
	ferryi_spin_end(&s, false);
	ck_assert_int_eq(ferryi_spin_begin(&s, 20), 0);
	ck_assert_int_eq(ferryi_spin_begin(&s, 20), 20);
	ferryi_spin_slept(&s, true);
	ferryi_spin_slept(&s, false);
	ck_assert_int_eq(ferryi_spin_begin(&s, 20), 20);
}
END_TEST

/* A queue into which a sender puts `rate` messages each time it is asked about,
 * as long as there is room. */
struct feed {
	unsigned waiting, rate, room, enough, asked;
};

static unsigned ask(void *of, unsigned *out_enough)
{
	struct feed *f = of;
	unsigned n = f->waiting;

	f->asked++;
	f->waiting += f->rate;
	if (f->waiting > f->room)
		f->waiting = f->room;
	*out_enough = f->enough;
	return n;
}

/* How many times the queue was asked about by one wait that begins empty. */
static unsigned asks(struct ferryi_spin *s, unsigned waiting, unsigned rate,
		     unsigned room, unsigned enough)
{
	struct feed f = { waiting, rate, room, enough, 0 };

	ferryi_spin_gather(s, ask, &f);
	return f.asked;
}

START_TEST(messages_gather_while_they_come_and_until_there_are_enough)
{
	struct ferryi_spin s = { 0 };

	/* at first none, then 10 after each step, 40 of them enough */
	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_eq(asks(&s, 0, 10, 1000, 40), 5);
	/* they do not become enough: it ends all the same */
	ck_assert_uint_eq(asks(&s, 0, 2, 1000, 1000), 17);
	/* a full queue brings no more */
	ck_assert_uint_eq(asks(&s, 0, 10, 20, 1000), 4);
	ck_assert_uint_eq(asks(&s, 4, 0, 4, 4), 2);
}
END_TEST

static unsigned waits_until_it_gathers(struct ferryi_spin *s)
{
	unsigned n = 0;

	while (n < 10 * NEVER && !asks(s, 0, 1, 1000, 64))
		n++;
	return n;
}

START_TEST(gathering_is_tried_ever_less_while_it_brings_little)
{
	static const unsigned left_out[] = { 0,	  32,	64,   128,  256,
					     512, 1024, 2048, 4096, 4096 };
	struct ferryi_spin s = { 0 };

	for (unsigned i = 0; i < 10; i++)
		ck_assert_uint_eq(waits_until_it_gathers(&s), left_out[i]);
	/* one that pays brings it back */
	for (unsigned i = 0; i < 4096; i++)
		ck_assert_uint_eq(asks(&s, 0, 10, 1000, 64), 0);
	ck_assert_uint_eq(asks(&s, 0, 10, 1000, 64), 8);
	ck_assert_uint_eq(asks(&s, 0, 10, 1000, 64), 8);
	ck_assert_uint_eq(waits_until_it_gathers(&s), 0);
	ck_assert_uint_eq(waits_until_it_gathers(&s), 32);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("spin");

	tcase_add_test(
		t,
		vain_spins_become_rare_and_one_that_found_something_brings_them_back);
	tcase_add_test(
		t, a_spin_is_long_where_sleeps_are_short_until_it_is_in_vain);
	tcase_add_test(
		t, messages_gather_while_they_come_and_until_there_are_enough);
	tcase_add_test(t, gathering_is_tried_ever_less_while_it_brings_little);
	return unit_main(t, "spin");
}
