/* SPDX-License-Identifier: MIT */
/* Topics through the public calls: what outlives whom, and what is seen from outside. */
#include "topic_test.h"

/* --- life ------------------------------------------------------------------------------ */

START_TEST(a_topic_ends_with_its_users_unless_it_is_to_stay)
{
	struct ferry_link *l = pub();

	ok(put(l, 1));
	ck_assert(exists(".topic.temp"));
	ferry_close(l);
	ck_assert(!exists(".topic.temp"));
	l = open_as("?persist=kernel&capacity=4", FERRY_SEND);
	for (int i = 0; i < 9; i++)
		ok(put(l, i));
	ferry_close(l);
	l = sub("?from=last");
	ck_assert_int_eq(get(l), 8);
	ferry_close(l);
	l = sub("?from=oldest");
	for (int i = 5; i < 9; i++)
		ck_assert_int_eq(get(l), i);
	ferry_close(l);
	ok(ferry_destroy("topic:temp"));
	ck_assert(!exists(".topic.temp"));
}
END_TEST

START_TEST(what_was_said_before_can_be_looked_at)
{
	struct ferry_link *l = pub();
	struct ferry_message m;
	uint64_t cursor = 0;
	int64_t number;

	for (int i = 0; i < 9; i++)
		ok(put(l, i));
	for (int i = 5; i < 9; i++) {
		ok(ferry_peek(l, &cursor, &m, &number, sizeof number));
		ck_assert_int_eq(number, i);
		ck_assert_uint_eq(m.seq, (uint64_t)i);
	}
	fails(ferry_peek(l, &cursor, &m, &number, sizeof number), -EAGAIN);
	ferry_close(l);
}
END_TEST

START_TEST(an_address_that_makes_no_sense_is_refused)
{
	static const struct {
		const char *address, *phrase;
		int err;
	} bad[] = {
		{ "topic:temp?policy=drop-new", "drop-old", -EOPNOTSUPP },
		{ "topic:temp?policy=maybe", "latest", -EINVAL },
		{ "topic:temp?from=then", "oldest", -EINVAL },
		{ "topic:temp?capacity=0", "1 to 262144", -EINVAL },
		{ "topic:temp?capacity=many", "no number", -EINVAL },
		{ "topic:temp?max=2G", "1 GiB", -EINVAL },
		{ "topic:temp?mode=9", "octal", -EINVAL },
		{ "topic:temp?persist=file", "kernel", -EINVAL },
		{ "topic:temp?framing=line", "boundaries", -EOPNOTSUPP },
		{ "topic:", "empty", -EINVAL },
		{ "topic:.temp", "dot", -EINVAL },
	};
	struct ferry_link *l;

	fails_saying(ferry_open(&l, bad[_i].address, FERRY_RECV), bad[_i].err,
		     bad[_i].phrase);
}
END_TEST

START_TEST(one_that_is_there_has_to_be_what_was_asked_for)
{
	struct ferry_link *l = pub(), *other;

	fails_saying(ferry_open(&other, "topic:temp?capacity=5", FERRY_SEND),
		     -EEXIST, "capacity=4");
	fails_saying(ferry_open(&other, "topic:temp?persist=kernel",
				FERRY_RECV),
		     -EEXIST, "persist=process");
	fails(ferry_topic_create(&other, "temp", NULL), -EEXIST);
	fails_saying(ferry_open(&other, "topic:temp?policy=latest", FERRY_SEND),
		     -EINVAL, "subscribes");
	ferry_close(l);
	ok(ferry_topic_create(&l, "topic:temp", NULL));
	ck_assert_uint_eq(stat_of(l).options.message_max, 65536);
	ck_assert_uint_eq(stat_of(l).blocking, 0);
	ferry_close(l);
}
END_TEST

static void *wait_for_one(void *arg)
{
	char buf[8];

	return (void *)(intptr_t)ferry_recv(arg, buf, sizeof buf,
					    ferry_after(FERRY_S(20)));
}

START_TEST(a_removal_wakes_who_sleeps)
{
	struct ferry_link *l = sub("");
	pthread_t t;
	void *r;

	pthread_create(&t, NULL, wait_for_one, l);
	usleep(20000);
	ok(ferry_destroy("temp"));
	pthread_join(t, &r);
	fails((intptr_t)r, -ESTALE);
	fails(get(l), -ESTALE);
	ferry_close(l);
}
END_TEST

static void in_the_child(void *arg)
{
	struct ferry_link *l = arg;

	fails(get(l), -ESTALE);
	ok(ferry_adopt_after_fork(l));
	gate_add(&s->ready);
	gate_await(&s->go, 1);
	ck_assert_int_eq(get(l), 42);
	ferry_close(l);
}

START_TEST(the_child_of_a_fork_subscribes_for_itself)
{
	struct ferry_link *p = pub(), *l = sub("");
	pid_t pid = child(in_the_child, l);

	gate_await(&s->ready, 1);
	ck_assert_uint_eq(stat_of(p).subscribers, 2);
	ok(put(p, 42));
	gate_add(&s->go);
	expect_exit(pid, 0);
	ck_assert_int_eq(get(l), 42);
	ferry_close(l);
	ferry_close(p);
}
END_TEST

/* --- from outside ------------------------------------------------------------------------ */

START_TEST(a_mailbox_and_a_topic_may_have_one_name)
{
	struct ferry_link *t = pub(), *box;
	struct ferry_object o, *all;
	struct ferry_user *users;
	size_t n;

	ok(ferry_look("temp", &o));
	ck_assert_str_eq(o.kind, "topic");
	ok(ferry_mailbox_create(&box, "temp", NULL));
	fails_saying(ferry_look("temp", &o), -EINVAL, "mailbox:temp");
	fails_saying(ferry_destroy("temp"), -EINVAL, "topic:temp");
	ok(ferry_look("topic:temp", &o));
	ck_assert_str_eq(o.name, "temp");
	ck_assert_uint_eq(o.topic.options.capacity, 4);
	ok(ferry_look("mailbox:temp", &o));
	ck_assert_str_eq(o.kind, "mailbox");
	ok(ferry_list(NULL, &all, &n));
	ck_assert_uint_eq(n, 2);
	ferry_free(all);
	ok(ferry_who(NULL, "topic:temp", &users, &n));
	ck_assert_uint_eq(n, 1);
	ferry_free(users);
	ferry_close(box);
	ferry_close(t);
}
END_TEST

START_TEST(what_the_dead_leave_of_a_topic_is_removed)
{
	struct ferry_garbage *g;
	size_t n;

	kill_child(subscriber(""));
	ck_assert(exists(".topic.temp"));
	ok(ferry_gc(NULL, false, &g, &n));
	ck_assert_uint_ge(n, 1);
	ferry_free(g);
	ok(ferry_gc(NULL, true, &g, &n));
	ferry_free(g);
	ck_assert(!exists(".topic.temp"));
	ck_assert(!exists(".ferry"));
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("topic_life");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_topic_ends_with_its_users_unless_it_is_to_stay);
	tcase_add_test(t, what_was_said_before_can_be_looked_at);
	tcase_add_loop_test(t, an_address_that_makes_no_sense_is_refused, 0,
			    11);
	tcase_add_test(t, one_that_is_there_has_to_be_what_was_asked_for);
	tcase_add_test(t, a_removal_wakes_who_sleeps);
	tcase_add_test(t, the_child_of_a_fork_subscribes_for_itself);
	tcase_add_test(t, a_mailbox_and_a_topic_may_have_one_name);
	tcase_add_test(t, what_the_dead_leave_of_a_topic_is_removed);
	return unit_main(t, "topic_life");
}
