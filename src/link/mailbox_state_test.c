/* SPDX-License-Identifier: MIT */
/* Mailboxes that are full, shut down, removed, or of a parent. */
#include "link/mailbox_test.h"

/* --- full ----------------------------------------------------------------------- */

START_TEST(a_full_mailbox_blocks_refuses_or_drops_as_chosen)
{
	struct ferry_link *l;

	o.full = (enum ferry_full)_i;
	l = make("jobs");
	for (uint64_t i = 1; i <= 8; i++)
		ok(put(l, i));
	for (uint64_t i = 9; i <= 10; i++)
		switch (o.full) {
		case FERRY_FULL_BLOCK:
			fails(put(l, i), -EAGAIN);
			fails(ferry_send(l, &i, 8, ferry_after(FERRY_MS(5))),
			      -ETIMEDOUT);
			break;
		case FERRY_FULL_FAIL:
			fails_saying(ferry_send(l, &i, 8, FERRY_FOREVER),
				     -ENOSPC, "8 of 8");
			break;
		case FERRY_FULL_DROP_NEW:
		case FERRY_FULL_DROP_OLD: ok(put(l, i)); break;
		}
	ck_assert_uint_eq(stat_of(l).queued, 8);
	ck_assert_uint_eq(stat_of(l).loaned, 0);
	ck_assert_uint_eq(stat_of(l).dropped,
			  o.full >= FERRY_FULL_DROP_NEW ? 2 : 0);
	for (int i = 1; i <= 8; i++)
		ck_assert_int_eq(get(l),
				 o.full == FERRY_FULL_DROP_OLD ? i + 2 : i);
	ck_assert_int_eq(get(l), -EAGAIN);
	ferry_close(l);
}
END_TEST

START_TEST(the_byte_limit_is_an_error_and_ends_with_receiving)
{
	static char text[1u << 20];
	struct ferry_link *l;
	unsigned n = 0;
	int r;

	o.capacity = 64;
	o.message_max = sizeof text;
	o.bytes_max = 8u << 20;
	l = make("jobs");
	for (unsigned lap = 0; lap < 3; lap++) {
		for (n = 0;
		     (r = ferry_send(l, text, sizeof text, FERRY_NOWAIT)) == 0;)
			n++;
		fails_saying(r, -ENOSPC, "at most 8192 KiB");
		ck_assert_uint_ge(n, 4);
		ck_assert_uint_le(stat_of(l).bytes, o.bytes_max);
		ck_assert_uint_eq(stat_of(l).loaned, 0);
		while (n--)
			ck_assert_int_eq(ferry_recv(l, text, sizeof text,
						    FERRY_NOWAIT),
					 sizeof text);
	}
	ferry_close(l);
}
END_TEST

/* --- ends of a mailbox ------------------------------------------------------------ */

static void receive_and_tell(void *arg)
{
	struct ferry_link *l = open_box("jobs");
	char c;

	(void)arg;
	s->result = (int)ferry_recv(l, &c, 1, FERRY_FOREVER);
	ferry_close(l);
}

START_TEST(after_a_shutdown_what_was_sent_is_read_and_then_it_ends)
{
	struct ferry_link *l = make("jobs");
	pid_t pid;

	ok(put(l, 1));
	ok(put(l, 2));
	fails(ferry_shutdown(l, FERRY_RECV), -EOPNOTSUPP);
	ok(ferry_shutdown(l, FERRY_SEND));
	fails_saying(put(l, 3), -ENODATA, "shut it down");
	ck_assert(stat_of(l).closed);
	ck_assert_int_eq(get(l), 1);
	ck_assert_int_eq(get(l), 2);
	fails(get(l), -ENODATA);
	pid = child(receive_and_tell, NULL);
	expect_exit(pid, 0);
	ck_assert_int_eq(s->result, -ENODATA);
	ferry_close(l);
}
END_TEST

START_TEST(a_shut_down_mailbox_has_not_ended_while_another_process_holds_of_it)
{
	struct ferry_link *l = make("jobs");
	struct ferry_message m;
	pid_t pid;

	ok(put(l, 1));
	pid = child(take_and_stay, NULL);
	gate_await(&s->ready, 1);
	ok(ferry_shutdown(l, FERRY_SEND));
	fails(get(l), -EAGAIN);
	kill_child(pid);
	ok(ferry_take(l, &m, SOON));
	ok(ferry_release(&m));
	fails(get(l), -ENODATA);
	ferry_close(l);
}
END_TEST

START_TEST(after_a_shutdown_a_loan_does_not_wait_for_a_chunk)
{
	struct ferry_message m[64];
	struct ferry_link *l;
	unsigned n = 0;

	o.capacity = 1;
	o.message_max = 8;
	l = make("jobs");
	while (ferry_loan(l, 8, &m[n], FERRY_NOWAIT) == 0)
		n++;
	ok(ferry_shutdown(l, FERRY_SEND));
	fails_saying(ferry_loan(l, 8, &m[n], ferry_after(FERRY_MS(100))),
		     -ENODATA, "shut it down");
	ferry_close(l);
}
END_TEST

START_TEST(a_shutdown_or_a_removal_wakes_a_sleeper)
{
	struct ferry_link *l = make("jobs");
	pid_t pid = child(receive_and_tell, NULL);

	until(waits(l));
	if (_i)
		ok(ferry_destroy("jobs"));
	else
		ok(ferry_shutdown(l, FERRY_SEND));
	expect_exit(pid, 0);
	ck_assert_int_eq(s->result, _i ? -ESTALE : -ENODATA);
	ferry_close(l);
}
END_TEST

START_TEST(after_a_removal_every_call_says_so_and_the_name_is_free)
{
	struct ferry_link *l = make("jobs"), *new, *gone;
	struct ferry_mailbox_stat st = { .size = sizeof st };
	struct ferry_message held, loan, m;

	ok(put(l, 1));
	ok(put(l, 2));
	held = take(l);
	ok(ferry_loan(l, 8, &loan, FERRY_NOWAIT));
	ok(ferry_destroy("jobs"));
	fails_saying(put(l, 3), -ESTALE, "removed");
	fails(get(l), -ESTALE);
	fails(ferry_take(l, &m, FERRY_FOREVER), -ESTALE);
	fails(ferry_release(&held), -ESTALE);
	fails(ferry_commit(&loan, FERRY_NOWAIT), -ESTALE);
	fails(ferry_stat(l, &st), -ESTALE);
	fails(ferry_shutdown(l, FERRY_SEND), -ESTALE);
	fails(ferry_open(&gone, "jobs", FERRY_RECV), -ENOENT);
	fails(ferry_destroy("jobs"), -ENOENT);
	new = make("jobs");
	ck_assert_int_eq(get(new), -EAGAIN);
	ferry_close(l);
	ok(put(new, 5));
	ck_assert_int_eq(get(new), 5);
	ferry_close(new);
}
END_TEST

struct inherited {
	struct ferry_link *l;
	struct ferry_message held;
};

static void use_after_fork(void *arg)
{
	struct inherited *i = arg;

	fails_saying(put(i->l, 5), -ESTALE, "before a fork");
	fails(get(i->l), -ESTALE);
	fails(ferry_release(&i->held), -ESTALE);
	ok(ferry_adopt_after_fork(i->l));
	ok(ferry_adopt_after_fork(i->l));
	fails(ferry_release(&i->held), -ESTALE);
	fails(ferry_requeue(&i->held, 0), -ESTALE);
	fails(ferry_reject(&i->held), -ESTALE);
	ck_assert_int_eq(get(i->l), 2);
	ok(put(i->l, 3));
	ferry_close(i->l);
}

static void close_after_fork(void *arg)
{
	struct inherited *i = arg;

	ferry_close(i->l);
}

START_TEST(a_link_that_crossed_a_fork_must_be_adopted)
{
	struct inherited i = { .l = make("jobs") };

	ok(put(i.l, 1));
	ok(put(i.l, 2));
	i.held = take(i.l);
	expect_exit(child(use_after_fork, &i), 0);
	expect_exit(child(close_after_fork, &i), 0);
	ck_assert_uint_eq(stat_of(i.l).held, 1);
	ck_assert_uint_eq(stat_of(i.l).users, 1);
	ok(ferry_release(&i.held));
	ck_assert_int_eq(get(i.l), 3);
	ferry_close(i.l);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("state");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, a_full_mailbox_blocks_refuses_or_drops_as_chosen,
			    0, 4);
	tcase_add_test(t, the_byte_limit_is_an_error_and_ends_with_receiving);
	tcase_add_test(t,
		       after_a_shutdown_what_was_sent_is_read_and_then_it_ends);
	tcase_add_test(
		t,
		a_shut_down_mailbox_has_not_ended_while_another_process_holds_of_it);
	tcase_add_test(t, after_a_shutdown_a_loan_does_not_wait_for_a_chunk);
	tcase_add_loop_test(t, a_shutdown_or_a_removal_wakes_a_sleeper, 0, 2);
	tcase_add_test(t,
		       after_a_removal_every_call_says_so_and_the_name_is_free);
	tcase_add_test(t, a_link_that_crossed_a_fork_must_be_adopted);
	return unit_main(t, "state");
}
