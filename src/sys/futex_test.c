/* SPDX-License-Identifier: MIT */
/* Sleeping on several words, with futex_waitv and (_i = 1) without. */
#include "sys/futex.h"

#include "unit.h"

#define WORDS 3

static uint32_t *words;
static struct ferryi_futex set[WORDS];

static void begin(int without)
{
	if (without)
		setenv("FERRY_FUTEX_WAITV", "0", 1);
	else
		unsetenv("FERRY_FUTEX_WAITV");
	words = shared(4096);
	for (int i = 0; i < WORDS; i++)
		set[i] = (struct ferryi_futex){ &words[i], 0 };
}

START_TEST(the_knob_switches_waitv_off)
{
	begin(1);
	ck_assert(!ferryi_futex_has_waitv());
}
END_TEST

START_TEST(a_word_that_differs_already_ends_the_sleep_at_once)
{
	begin(_i);
	for (int i = 0; i < WORDS; i++) {
		words[i] = 1;
		ck_assert_int_eq(ferryi_futex_wait(set, WORDS, INT64_MAX),
				 -EAGAIN);
		words[i] = 0;
	}
}
END_TEST

START_TEST(a_sleep_ends_at_its_deadline)
{
	int64_t end = ferryi_now() + FERRY_MS(60);
	int r;

	begin(_i);
	for (unsigned n = 1; n <= WORDS; n += 2) {
		while ((r = ferryi_futex_wait(set, n, end)) == -EAGAIN)
			;
		ck_assert_int_eq(r, -ETIMEDOUT);
		ck_assert_int_ge(ferryi_now(), end);
	}
}
END_TEST

START_TEST(a_deadline_in_the_past_does_not_sleep)
{
	begin(_i);
	ck_assert_int_eq(ferryi_futex_wait(set, WORDS, 1), -ETIMEDOUT);
	ck_assert_int_eq(ferryi_futex_wait(set, 1, 1), -ETIMEDOUT);
}
END_TEST

/* Sleep until woken; the index is told by the exit status. */
static void sleeper(void *arg)
{
	int r;

	(void)arg;
	do
		r = ferryi_futex_wait(set, WORDS, ferryi_now() + PATIENCE);
	while (r == -EAGAIN);
	_exit(r >= 0 ? 10 + r : 1);
}

START_TEST(a_wake_of_any_word_ends_the_sleep_and_tells_which)
{
	pid_t pid;

	begin(0);
	if (!ferryi_futex_has_waitv())
		return;
	for (int i = 0; i < WORDS; i++) {
		pid = child(sleeper, NULL);
		until(ferryi_futex_wake(&words[i], 1) == 1);
		expect_exit(pid, 10 + i);
	}
}
END_TEST

START_TEST(without_waitv_the_first_word_is_woken)
{
	pid_t pid;

	begin(1);
	pid = child(sleeper, NULL);
	until(ferryi_futex_wake(&words[0], 1) == 1);
	expect_exit(pid, 10);
}
END_TEST

static void change_awaiter(void *arg)
{
	uint32_t *word = arg;

	while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == 0)
		ck_assert_int_ne(ferryi_futex_wait(set, WORDS,
						   ferryi_now() + PATIENCE),
				 -ETIMEDOUT);
}

START_TEST(a_change_of_any_word_ends_the_sleep)
{
	pid_t pid;

	begin(_i);
	for (int i = 0; i < WORDS; i++) {
		words[i] = 0;
		pid = child(change_awaiter, &words[i]);
		gate_add(&words[i]);
		expect_exit(pid, 0);
		words[i] = 0;
	}
}
END_TEST

START_TEST(a_wake_says_how_many_it_woke)
{
	begin(_i);
	ck_assert_int_eq(ferryi_futex_wake(&words[0], INT_MAX), 0);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("futex");

	tcase_add_test(t, the_knob_switches_waitv_off);
	tcase_add_loop_test(
		t, a_word_that_differs_already_ends_the_sleep_at_once, 0, 2);
	tcase_add_loop_test(t, a_sleep_ends_at_its_deadline, 0, 2);
	tcase_add_loop_test(t, a_deadline_in_the_past_does_not_sleep, 0, 2);
	tcase_add_test(t, a_wake_of_any_word_ends_the_sleep_and_tells_which);
	tcase_add_test(t, without_waitv_the_first_word_is_woken);
	tcase_add_loop_test(t, a_change_of_any_word_ends_the_sleep, 0, 2);
	tcase_add_loop_test(t, a_wake_says_how_many_it_woke, 0, 2);
	return unit_main(t, "futex");
}
