/* SPDX-License-Identifier: MIT */
/* Waiting: never, until a deadline, for ever, until a cancel. */
#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "conform.h"

/* One receive of either kind. */
static ssize_t receive(ferry_time deadline)
{
	static char buf[100];

	return get(receiver, buf, sizeof buf, deadline);
}

static void send_one(void)
{
	ok(sender, give(sender, "x"));
}

START_TEST(nothing_now_is_said_at_once)
{
	begin(_i);
	fails(receiver, receive(FERRY_NOWAIT), -EAGAIN);
}
END_TEST

START_TEST(a_deadline_is_kept)
{
	int64_t start, took;

	begin(_i);
	start = ferry_after(0);
	fails(receiver, receive(ferry_after(SHORT_TIME)), -ETIMEDOUT);
	took = ferry_after(0) - start;
	ck_assert_int_ge(took, SHORT_TIME);
	ck_assert_int_lt(took, FERRY_S(5));
	fails(receiver, receive(start), -ETIMEDOUT);
}
END_TEST

static void *receive_for_ever(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)receive(FERRY_FOREVER);
}

/* How many threads of this process sleep: field 3 of their stat is 'S'. */
static int count_sleepers(void)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	char path[300], state;
	int n = 0;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d))) {
		FILE *stat;

		snprintf(path, sizeof path, "/proc/self/task/%s/stat",
			 e->d_name);
		stat = e->d_name[0] == '.' ? NULL : fopen(path, "re");
		if (!stat)
			continue;
		if (fscanf(stat, "%*d (%*[^)]) %c", &state) == 1)
			n += state == 'S';
		fclose(stat);
	}
	closedir(d);
	return n;
}

void until_asleep(int n)
{
	while (count_sleepers() < n)
		sched_yield();
}

START_TEST(a_message_wakes_who_waits)
{
	pthread_t t;
	void *result;

	begin(_i);
	pthread_create(&t, NULL, receive_for_ever, NULL);
	until_asleep(1);
	send_one();
	pthread_join(t, &result);
	ck_assert_int_eq((intptr_t)result, 1);
}
END_TEST

START_TEST(cancel_ends_a_wait_and_lasts_until_resume)
{
	pthread_t t;
	void *result;

	begin(_i);
	pthread_create(&t, NULL, receive_for_ever, NULL);
	until_asleep(1);
	ferry_cancel(receiver);
	pthread_join(t, &result);
	fails(receiver, (intptr_t)result, -ECANCELED);
	fails(receiver, receive(FERRY_FOREVER), -ECANCELED);
	ferry_cancel(receiver);
	ferry_resume(receiver);
	fails(receiver, receive(ferry_after(SHORT_TIME)), -ETIMEDOUT);
	send_one();
	ck_assert_int_eq(receive(SOON), 1);
}
END_TEST

START_TEST(cancel_ends_the_waits_of_all_threads)
{
	pthread_t t[4];
	void *result;

	begin(_i);
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, receive_for_ever, NULL);
	until_asleep(4);
	ferry_cancel(receiver);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &result);
		fails(receiver, (intptr_t)result, -ECANCELED);
	}
}
END_TEST

START_TEST(a_thread_that_waits_does_not_hold_up_another_ones_deadline)
{
	pthread_t t;
	void *result;

	begin(_i);
	pthread_create(&t, NULL, receive_for_ever, NULL);
	until_asleep(1);
	fails(receiver, receive(FERRY_NOWAIT), -EAGAIN);
	fails(receiver, receive(ferry_after(SHORT_TIME)), -ETIMEDOUT);
	send_one();
	pthread_join(t, &result);
	ck_assert_int_eq((intptr_t)result, 1);
}
END_TEST

static void cancel_own_wait(void *arg)
{
	void *result;
	pthread_t t;

	(void)arg;
	pthread_create(&t, NULL, receive_for_ever, NULL);
	until_asleep(1);
	ferry_cancel(receiver);
	pthread_join(t, &result);
	fails(receiver, (intptr_t)result, -ECANCELED);
	ferry_resume(receiver);
	fails(receiver, receive(FERRY_NOWAIT), -EAGAIN);
}

/* Not of the parent's, the descriptors of which it has. */
START_TEST(a_child_that_has_not_adopted_the_link_ends_its_own_wait)
{
#ifdef __SANITIZE_THREAD__
	skip_unless(false, "ThreadSanitizer does not let a child start "
			   "threads");
#endif
	begin(_i);
	if (f->forked != -ESTALE)
		expect_exit(child(cancel_own_wait, NULL), 0);
	fails(receiver, receive(FERRY_NOWAIT), -EAGAIN);
}
END_TEST

static struct ferry_link *cancelled;

static void on_alarm(int signal)
{
	(void)signal;
	ferry_cancel(cancelled);
}

START_TEST(cancel_may_be_called_by_a_signal_handler)
{
	struct sigaction a = { .sa_handler = on_alarm };
	struct itimerspec in = { .it_value = { 0, 30000000 } };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = SIGUSR1 };
	timer_t timer;

	begin(_i);
	cancelled = receiver;
	sigaction(SIGUSR1, &a, NULL);
	ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &e, &timer), 0);
	timer_settime(timer, 0, &in, NULL);
	fails(receiver, receive(FERRY_FOREVER), -ECANCELED);
	timer_delete(timer);
}
END_TEST

static void on_nothing(int signal)
{
	(void)signal;
}

START_TEST(signals_do_not_shorten_a_wait)
{
	struct sigaction a = { .sa_handler = on_nothing };
	struct itimerspec often = { { 0, 3000000 }, { 0, 3000000 } };
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = SIGUSR1 };
	timer_t timer;

	begin(_i);
	sigaction(SIGUSR1, &a, NULL);
	ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &e, &timer), 0);
	timer_settime(timer, 0, &often, NULL);
	fails(receiver, receive(ferry_after(SHORT_TIME)), -ETIMEDOUT);
	timer_delete(timer);
}
END_TEST

void add_wait_tests(TCase *tc, int i)
{
	tcase_add_loop_test(tc, nothing_now_is_said_at_once, i, i + 1);
	tcase_add_loop_test(tc, a_deadline_is_kept, i, i + 1);
	tcase_add_loop_test(tc, a_message_wakes_who_waits, i, i + 1);
	tcase_add_loop_test(tc, cancel_ends_a_wait_and_lasts_until_resume, i,
			    i + 1);
	tcase_add_loop_test(tc, cancel_ends_the_waits_of_all_threads, i, i + 1);
	tcase_add_loop_test(
		tc, a_thread_that_waits_does_not_hold_up_another_ones_deadline,
		i, i + 1);
	tcase_add_loop_test(
		tc, a_child_that_has_not_adopted_the_link_ends_its_own_wait, i,
		i + 1);
	tcase_add_loop_test(tc, cancel_may_be_called_by_a_signal_handler, i,
			    i + 1);
	tcase_add_loop_test(tc, signals_do_not_shorten_a_wait, i, i + 1);
}
