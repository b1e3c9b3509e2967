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

int main(void)
{
	TCase *t = tcase_create("spin");

	tcase_add_test(
		t,
		vain_spins_become_rare_and_one_that_found_something_brings_them_back);
	return unit_main(t, "spin");
}
