/* SPDX-License-Identifier: MIT */
/* Topics through the public calls: who is reached, and who waits for whom. */
#include "topic_test.h"

/* --- who was reached ---------------------------------------------------------------- */

START_TEST(a_publisher_is_told_how_many_there_were)
{
	struct ferry_link *p = pub(), *a, *b;
	unsigned n = 99;

	ok(ferry_publish(p, "x", 1, &n, FERRY_NOWAIT));
	ck_assert_uint_eq(n, 0);
	a = sub("");
	b = sub("?policy=latest");
	ok(ferry_publish(p, "x", 1, &n, FERRY_NOWAIT));
	ck_assert_uint_eq(n, 2);
	ok(ferry_publish(p, "x", 1, NULL, FERRY_NOWAIT));
	ferry_close(b);
	ok(ferry_publish(p, "x", 1, &n, FERRY_NOWAIT));
	ck_assert_uint_eq(n, 1);
	ferry_close(a);
	ferry_close(p);
}
END_TEST

static void *join_late(void *arg)
{
	struct ferry_link **l = arg;

	l[0] = sub("");
	l[1] = sub("?policy=drop-old");
	return NULL;
}

START_TEST(a_publisher_can_wait_for_subscribers)
{
	struct ferry_link *p = pub(), *l[2];
	pthread_t t;

	fails(ferry_topic_wait(p, 2, FERRY_NOWAIT), -EAGAIN);
	fails(ferry_topic_wait(p, 2, ferry_after(FERRY_MS(20))), -ETIMEDOUT);
	fails_saying(ferry_topic_wait(p, 257, FERRY_NOWAIT), -EINVAL, "256");
	pthread_create(&t, NULL, join_late, l);
	ok(ferry_topic_wait(p, 2, ferry_after(FERRY_S(20))));
	pthread_join(t, NULL);
	ferry_close(l[0]);
	ferry_close(l[1]);
	ferry_close(p);
}
END_TEST

START_TEST(only_topics_can)
{
	struct ferry_topic_stat st = { .size = sizeof st };
	struct ferry_link *box;

	ok(ferry_mailbox_create(&box, "temp", NULL));
	fails(ferry_publish(box, "x", 1, NULL, FERRY_NOWAIT), -EOPNOTSUPP);
	fails(ferry_topic_wait(box, 1, FERRY_NOWAIT), -EOPNOTSUPP);
	fails(ferry_topic_stat(box, &st), -EOPNOTSUPP);
	fails(ferry_topic_subscribers(box, NULL, 0), -EOPNOTSUPP);
	fails(ferry_publish(NULL, "x", 1, NULL, FERRY_NOWAIT), -EINVAL);
	ferry_close(box);
}
END_TEST

/* --- who waits for whom ---------------------------------------------------------------- */

static void *publish_five(void *arg)
{
	int r = 0;

	for (int64_t i = 0; i < 5 && r == 0; i++)
		r = ferry_send(arg, &i, sizeof i, ferry_after(FERRY_S(20)));
	return (void *)(intptr_t)r;
}

START_TEST(a_blocker_stops_publishers_who_are_told_its_pid)
{
	struct ferry_link *p = pub();
	pid_t pid = subscriber("");
	char phrase[40];

	snprintf(phrase, sizeof phrase, "pid %d blocks", (int)pid);
	for (int i = 0; i < 4; i++)
		ok(put(p, i));
	kill(pid, SIGSTOP);
	fails(ferry_send(p, "x", 1, ferry_after(FERRY_MS(30))), -ETIMEDOUT);
	{
		char why[300];

		ferry_explain(p, -ETIMEDOUT, why, sizeof why);
		ck_assert_msg(strstr(why, phrase), "%s", why);
	}
	kill_child(pid);
	ferry_close(p);
}
END_TEST

START_TEST(the_death_of_a_blocker_lets_a_sleeping_publisher_go_on)
{
	struct ferry_link *p = pub();
	pid_t pid = subscriber("");
	pthread_t t;
	void *r;

	pthread_create(&t, NULL, publish_five, p);
	while (stat_of(p).published < 4)
		usleep(100);
	kill_child(pid);
	pthread_join(t, &r);
	ok((intptr_t)r);
	ck_assert_uint_eq(stat_of(p).subscribers, 0);
	ck_assert_uint_eq(stat_of(p).repaired, 1);
	ferry_close(p);
}
END_TEST

START_TEST(who_never_waits_finds_a_dead_blocker_too)
{
	struct ferry_link *p = pub();
	unsigned n = 0;
	pid_t pid = subscriber("");

	for (int i = 0; i < 4; i++)
		ok(put(p, i));
	kill_child(pid);
	while (put(p, 4) == -EAGAIN && n < 1000)
		n++;
	ck_assert_uint_lt(n, 1000);
	ferry_close(p);
}
END_TEST

START_TEST(a_stopped_subscriber_that_may_miss_some_stops_nobody)
{
	static const char *const keys[] = { "?policy=drop-old",
					    "?policy=latest",
					    "?policy=disconnect" };
	struct ferry_link *p = pub();
	pid_t pid = subscriber(keys[_i]);

	kill(pid, SIGSTOP);
	for (int i = 0; i < 100; i++)
		ok(put(p, i));
	kill_child(pid);
	ferry_close(p);
}
END_TEST

static void *read_slowly(void *arg)
{
	int64_t got = -1, number;

	for (int64_t i = 0; i < 200; i++) {
		if (ferry_recv(arg, &number, sizeof number,
			       ferry_after(FERRY_S(20))) < 0 ||
		    number != i)
			break;
		got = i;
	}
	return (void *)(intptr_t)got;
}

START_TEST(who_blocks_misses_nothing)
{
	struct ferry_link *p = pub(), *l = sub("");
	pthread_t t;
	void *got;

	pthread_create(&t, NULL, read_slowly, l);
	for (int64_t i = 0; i < 200; i++)
		ok(ferry_send(p, &i, sizeof i, ferry_after(FERRY_S(20))));
	pthread_join(t, &got);
	ck_assert_int_eq((intptr_t)got, 199);
	ck_assert_uint_eq(stat_of(p).dropped, 0);
	ferry_close(l);
	ferry_close(p);
}
END_TEST

START_TEST(what_is_missed_is_counted_and_told)
{
	struct ferry_link *p = pub(), *old = sub("?policy=drop-old"),
			  *cut = sub("?policy=disconnect");
	struct ferry_subscriber who[3];

	for (int i = 0; i < 20; i++)
		ok(put(p, i));
	for (int i = 16; i < 20; i++)
		ck_assert_int_eq(get(old), i);
	fails(get(cut), -ECONNRESET);
	ck_assert_int_eq(ferry_topic_subscribers(p, who, 3), 2);
	ck_assert_int_eq(who[0].process.pid, getpid());
	ck_assert_uint_eq(who[0].policy, FERRY_POLICY_DROP_OLD);
	ck_assert_uint_eq(who[0].delivered, 4);
	ck_assert_uint_eq(who[0].dropped, 16);
	ck_assert_uint_eq(who[0].behind, 0);
	ck_assert(!who[0].disconnected);
	ck_assert(who[1].disconnected);
	ferry_close(old);
	ferry_close(cut);
	ck_assert_uint_eq(stat_of(p).dropped, 16);
	ck_assert_uint_eq(stat_of(p).disconnected, 1);
	ferry_close(p);
}
END_TEST

/* --- in place ----------------------------------------------------------------------- */

START_TEST(what_is_overwritten_in_place_is_told_at_the_release)
{
	struct ferry_link *p = pub(), *l = sub("?policy=drop-old");
	struct ferry_message m, other;

	ok(put(p, 7));
	ok(ferry_take(l, &m, FERRY_NOWAIT));
	ck_assert_int_eq(*(int64_t *)m.data, 7);
	ck_assert_int_eq(m.sender.pid, getpid());
	fails(ferry_take(l, &other, FERRY_NOWAIT), -EBUSY);
	fails(get(l), -EBUSY);
	for (int i = 0; i < 9; i++)
		ok(put(p, i));
	fails_saying(ferry_release(&m), -ESTALE, "overwritten");
	fails(ferry_release(&m), -ESTALE);
	ck_assert_int_eq(get(l), 5);
	ok(ferry_take(l, &m, FERRY_NOWAIT));
	ok(ferry_release(&m));
	ferry_close(l);
	ferry_close(p);
}
END_TEST

START_TEST(who_blocks_may_read_in_place_as_long_as_it_likes)
{
	struct ferry_link *p = pub(), *l = sub("");
	struct ferry_message m, loan;

	ok(put(p, 0));
	ok(ferry_take(l, &m, FERRY_NOWAIT));
	for (int i = 1; i < 4; i++)
		ok(put(p, i));
	fails(put(p, 4), -EAGAIN);
	ok(ferry_loan(p, 8, &loan, FERRY_NOWAIT));
	fails(ferry_commit(&loan, FERRY_NOWAIT), -EAGAIN);
	ck_assert_int_eq(*(int64_t *)m.data, 0);
	ok(ferry_release(&m));
	*(int64_t *)loan.data = 44;
	loan.type = 5;
	ok(ferry_commit(&loan, FERRY_NOWAIT));
	for (int i = 1; i < 4; i++)
		ck_assert_int_eq(get(l), i);
	ok(ferry_take(l, &m, FERRY_NOWAIT));
	ck_assert_int_eq(*(int64_t *)m.data, 44);
	ck_assert_uint_eq(m.type, 5);
	ok(ferry_loan(p, 8, &loan, FERRY_NOWAIT));
	fails(ferry_loan(p, 8, &loan, FERRY_NOWAIT), -EBUSY);
	ferry_close(l); /* with what it took */
	ferry_close(p); /* with its loan */
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("topic");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_publisher_is_told_how_many_there_were);
	tcase_add_test(t, a_publisher_can_wait_for_subscribers);
	tcase_add_test(t, only_topics_can);
	tcase_add_test(t, a_blocker_stops_publishers_who_are_told_its_pid);
	tcase_add_test(t,
		       the_death_of_a_blocker_lets_a_sleeping_publisher_go_on);
	tcase_add_test(t, who_never_waits_finds_a_dead_blocker_too);
	tcase_add_loop_test(
		t, a_stopped_subscriber_that_may_miss_some_stops_nobody, 0, 3);
	tcase_add_test(t, who_blocks_misses_nothing);
	tcase_add_test(t, what_is_missed_is_counted_and_told);
	tcase_add_test(t, what_is_overwritten_in_place_is_told_at_the_release);
	tcase_add_test(t, who_blocks_may_read_in_place_as_long_as_it_likes);
	return unit_main(t, "topic");
}
