/* SPDX-License-Identifier: MIT */
/* How links end: closed, half-closed, killed, forked. */
#include <signal.h>
#include <sys/wait.h>

#include "conform.h"

static void expect(struct ferry_link *l, const char *text)
{
	size_t len = f->values ? strnlen(text, 4) : strlen(text), got = 0;
	char buf[100];

	while (got < len) {
		ssize_t n = get(l, buf + got, sizeof buf - got, SOON);

		ok(l, n);
		got += (size_t)n;
	}
	ck_assert_uint_eq(got, len);
	ck_assert_mem_eq(buf, text, len);
}

/* What follows when nothing more is sent: an end, or just nothing. */
static void expect_end(int wanted)
{
	char buf[10];

	for (int i = 0; i < 3; i++)
		fails(receiver,
		      get(receiver, buf, sizeof buf,
			  wanted == -ETIMEDOUT ? ferry_after(SHORT_TIME) :
						 SOON),
		      wanted);
}

START_TEST(what_was_sent_arrives_before_the_end)
{
	begin(_i);
	ok(sender, give(sender, "last words"));
	close_end(&sender);
	expect(receiver, "last words");
	expect_end(f->closed);
}
END_TEST

START_TEST(half_a_link_can_be_ended)
{
	begin(_i);
	if (!f->shutdown) {
		fails(sender, ferry_shutdown(sender, FERRY_SEND), -EOPNOTSUPP);
		return;
	}
	ok(sender, give(sender, "last words"));
	ok(sender, ferry_shutdown(sender, FERRY_SEND));
	fails(sender, give(sender, "more"), -ENODATA);
	expect(receiver, "last words");
	expect_end(-ENODATA);
	if (f->duplex && !f->shared) {
		ok(receiver, give(receiver, "answer"));
		expect(sender, "answer");
	}
}
END_TEST

START_TEST(the_end_wakes_who_waits)
{
	char buf[10];
	pid_t pid;

	begin(_i);
	if (!f->shutdown)
		return;
	pid = fork();
	if (pid == 0) {
		struct ferry_link *l = childs_sender();

		close_end(&receiver);
		usleep(30000); /* the parent waits by then, or finds the end */
		_exit(ferry_shutdown(l, FERRY_SEND) != 0);
	}
	if (!f->sender_in_child)
		close_end(&sender);
	fails(receiver, get(receiver, buf, sizeof buf, SOON), -ENODATA);
	expect_exit(pid, 0);
}
END_TEST

static void send_and_hang(void *arg)
{
	struct ferry_link *l = childs_sender();

	(void)arg;
	close_end(&receiver);
	if (give(l, "alive") < 0)
		_exit(1);
	for (;;)
		pause();
}

START_TEST(a_killed_sender_hangs_nobody)
{
	pid_t pid;

	begin(_i);
	pid = child(send_and_hang, NULL);
	close_end(&sender);
	expect(receiver, "alive");
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	expect_end(f->killed);
}
END_TEST

START_TEST(sending_to_one_who_has_gone_is_an_error_and_no_signal)
{
	ferry_time until = SOON;
	long long r = 0;
	int refused = 0;

	begin(_i);
	signal(SIGPIPE, SIG_DFL);
	close_end(&receiver);
	/* Another host tells it when it comes to that. */
	for (int i = 0;
	     i < 3 || (f->gone_late && refused == 0 && ferry_after(0) < until);
	     i++) {
		r = give(sender, "anybody?");
		refused += r < 0;
		if (f->gone && !(f->gone_late && r >= 0))
			fails(sender, r, f->gone);
		else
			ok(sender, r);
	}
	ck_assert(!f->gone || refused > 0);
}
END_TEST

START_TEST(duplex_links_carry_both_ways)
{
	char why[200];

	begin(_i);
	if (!f->duplex) {
		fails(receiver, give(receiver, "x"), -EINVAL);
		ferry_explain(receiver, -EINVAL, why, sizeof why);
		ck_assert_ptr_nonnull(strstr(why, "open to receive only"));
		fails(sender, ferry_shutdown(sender, FERRY_RECV), -EINVAL);
		return;
	}
	ok(sender, give(sender, "there"));
	expect(receiver, "there");
	if (f->in_turns) {
		fails(receiver, give_by(receiver, "x", FERRY_NOWAIT), -EBUSY);
		ok(sender, ferry_turn(sender));
	} else {
		fails(sender, ferry_turn(sender), -EOPNOTSUPP);
	}
	ok(receiver, give(receiver, "back"));
	expect(sender, "back");
}
END_TEST

START_TEST(the_address_says_the_scheme)
{
	size_t len;

	begin(_i);
	len = strlen(f->scheme);
	ck_assert_int_eq(strncmp(ferry_address(sender), f->scheme, len), 0);
	ck_assert_int_eq(ferry_address(sender)[len], ':');
}
END_TEST

static void give_from_child(void *arg)
{
	long long r = give(sender, "child");

	(void)arg;
	_exit(r < 0 ? (int)-r : 0);
}

START_TEST(a_forked_child_uses_the_link_or_is_told_not_to)
{
	begin(_i);
	expect_exit(child(give_from_child, NULL), -f->forked);
	if (!f->forked)
		expect(receiver, "child");
	ok(sender, give(sender, "parent"));
	expect(receiver, "parent");
}
END_TEST

static void adopt_and_give(void *arg)
{
	int before = count_fds();

	(void)arg;
	if (ferry_adopt_after_fork(sender) != 0)
		_exit(1);
	if (!f->forked && count_fds() != before)
		_exit(2);     /* the parent's eventfd was left open */
	ferry_cancel(sender); /* the child's own from now on */
	ferry_resume(sender);
	_exit(give(sender, "adopted") < 0);
}

START_TEST(an_adopted_link_works_in_the_child)
{
	begin(_i);
	expect_exit(child(adopt_and_give, NULL), 0);
	expect(receiver, "adopted");
}
END_TEST

static void *wait_for_ever(void *arg)
{
	char buf[10];

	(void)arg;
	return (void *)(intptr_t)get(receiver, buf, sizeof buf, FERRY_FOREVER);
}

static void receive_in_child(void *arg)
{
	char buf[10];

	(void)arg;
	_exit(get(receiver, buf, sizeof buf, ferry_after(SHORT_TIME)) !=
	      (f->forked ? f->forked : -ETIMEDOUT));
}

/* The turn of the parent's thread must not block the child for ever. */
START_TEST(fork_while_another_thread_waits_leaves_the_link_usable)
{
	pthread_t t;
	void *result;

	begin(_i);
	pthread_create(&t, NULL, wait_for_ever, NULL);
	usleep(20000);
	expect_exit(child(receive_in_child, NULL), 0);
	ferry_cancel(receiver);
	pthread_join(t, &result);
	ck_assert_int_eq((intptr_t)result, -ECANCELED);
}
END_TEST

START_TEST(a_direction_in_use_is_not_ended_under_the_user)
{
	pthread_t t;
	void *result;

	begin(_i);
	if (f->shared || !f->shutdown)
		return; /* a mailbox is shared: everybody is told */
	pthread_create(&t, NULL, wait_for_ever, NULL);
	while (ferry_shutdown(receiver, FERRY_RECV) == 0) {
		/* The thread had not come so far: the end is what it gets. */
		pthread_join(t, &result);
		ck_assert_int_eq((intptr_t)result, -ENODATA);
		return;
	}
	ferry_cancel(receiver);
	pthread_join(t, &result);
	ck_assert_int_eq((intptr_t)result, -ECANCELED);
	ok(receiver, ferry_shutdown(receiver, FERRY_RECV));
}
END_TEST

START_TEST(opening_and_closing_leaks_no_descriptor)
{
	int before;

	begin(_i);
	close_ends();
	before = count_fds();
	for (int i = 0; i < 20; i++) {
		begin(_i);
		close_ends();
	}
	ck_assert_int_eq(count_fds(), before);
}
END_TEST

void add_life_tests(TCase *tc, int i)
{
	tcase_add_loop_test(tc, what_was_sent_arrives_before_the_end, i, i + 1);
	tcase_add_loop_test(tc, half_a_link_can_be_ended, i, i + 1);
	tcase_add_loop_test(tc, the_end_wakes_who_waits, i, i + 1);
	tcase_add_loop_test(tc, a_killed_sender_hangs_nobody, i, i + 1);
	tcase_add_loop_test(
		tc, sending_to_one_who_has_gone_is_an_error_and_no_signal, i,
		i + 1);
	tcase_add_loop_test(tc, duplex_links_carry_both_ways, i, i + 1);
	tcase_add_loop_test(tc, the_address_says_the_scheme, i, i + 1);
	tcase_add_loop_test(tc, a_forked_child_uses_the_link_or_is_told_not_to,
			    i, i + 1);
	tcase_add_loop_test(tc, an_adopted_link_works_in_the_child, i, i + 1);
	tcase_add_loop_test(
		tc, fork_while_another_thread_waits_leaves_the_link_usable, i,
		i + 1);
	tcase_add_loop_test(tc, a_direction_in_use_is_not_ended_under_the_user,
			    i, i + 1);
	tcase_add_loop_test(tc, opening_and_closing_leaks_no_descriptor, i,
			    i + 1);
}
