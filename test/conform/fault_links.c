/* SPDX-License-Identifier: MIT */
/* Links with faults as links: how they wait, end, lend, fork, and what they refuse. */
#include <stdint.h>

#include "fault.h"

/* --- delay ------------------------------------------------------------------------- */

START_TEST(a_delay_keeps_deadlines_and_draws_once)
{
	struct ferry_fault_stat st;
	struct ferry_link *ends[2];
	char buf[8];
	int r = 0;

	pair_with_faults(ends, "delay=1h", 1);
	fails(ends[1], ferry_send(ends[1], "x", 1, FERRY_NOWAIT), -EAGAIN);
	fails(ends[1], ferry_send(ends[1], "x", 1, ferry_after(SHORT_TIME)),
	      -ETIMEDOUT);
	fails(ends[0], ferry_recv(ends[0], buf, 1, FERRY_NOWAIT), -EAGAIN);
	read_faults(ends[1], &st);
	ck_assert_uint_eq(st.passed + st.delayed, 0);
	ferry_cancel(ends[1]);
	fails(ends[1], ferry_send(ends[1], "x", 1, FERRY_FOREVER), -ECANCELED);
	ferry_close(ends[0]);
	ferry_close(ends[1]);

	/* Attempts that find it too early do not make it later. */
	pair_with_faults(ends, "delay=50ms", 1);
	do
		r = ferry_send(ends[1], "x", 1, ferry_after(FERRY_MS(1)));
	while (r == -ETIMEDOUT);
	ok(ends[1], r);
	ok(ends[0], ferry_recv(ends[0], buf, 1, SOON));
	read_faults(ends[1], &st);
	ck_assert_uint_eq(st.delayed, 1);
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}
END_TEST

/* --- cut ---------------------------------------------------------------------------- */

START_TEST(a_cut_is_for_ever_and_the_peer_sees_it)
{
	struct ferry_fault_stat st;
	struct ferry_link *ends[2];
	char why[200], buf[8];

	pair_with_faults(ends, "cut=2", 1);
	send_text(ends[1], "one");
	send_text(ends[1], "two");
	for (int i = 0; i < 3; i++)
		fails(ends[1], ferry_send(ends[1], "three", 5, SOON),
		      -ECONNRESET);
	ferry_explain(ends[1], -ECONNRESET, why, sizeof why);
	ck_assert_ptr_nonnull(strstr(why, "cut"));
	fails(ends[1], ferry_recv(ends[1], buf, 8, SOON), -ECONNRESET);
	fails(ends[1], ferry_shutdown(ends[1], FERRY_SEND), -ECONNRESET);
	read_faults(ends[1], &st);
	ck_assert(st.cut);
	ck_assert_uint_eq(st.passed, 2);
	expect_text(ends[0], "one");
	expect_text(ends[0], "two");
	fails(ends[0], ferry_recv(ends[0], buf, 8, SOON), -ENODATA);
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}
END_TEST

static void *wait_for_answer(void *l)
{
	char buf[8];

	return (void *)(intptr_t)ferry_recv(l, buf, sizeof buf, FERRY_FOREVER);
}

START_TEST(a_cut_wakes_the_other_direction_and_closes_it)
{
	struct ferry_link *ends[2];
	char buf[8];
	pthread_t t;
	void *result;

	pair_with_faults(ends, "cut=1", 1);
	pthread_create(&t, NULL, wait_for_answer, ends[1]);
	usleep(20000); /* it sleeps by then, or finds the cut */
	send_text(ends[1], "one");
	pthread_join(t, &result);
	ck_assert_int_eq((intptr_t)result, -ECONNRESET);
	expect_text(ends[0], "one");
	fails(ends[0], ferry_recv(ends[0], buf, 8, SOON), -ENODATA);
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}
END_TEST

START_TEST(what_was_taken_outlives_a_cut)
{
	struct ferry_link *ends[2], *door;
	struct ferry_message m;
	char buf[8];

	ok(NULL, ferry_listen(&door, "channel:cut"));
	ok(NULL, ferry_open(&ends[1], "fault+channel:cut?cut=1", FERRY_DUPLEX));
	ok(door, ferry_accept(door, &ends[0], SOON));
	ferry_close(door);
	send_text(ends[0], "held");
	ok(ends[1], ferry_take(ends[1], &m, SOON));
	send_text(ends[1], "one");
	fails(ends[1], ferry_send(ends[1], "x", 1, SOON), -ECONNRESET);
	ck_assert_mem_eq(m.data, "held", 4);
	ok(ends[1], ferry_release(&m));
	expect_text(ends[0], "one");
	fails(ends[0], ferry_recv(ends[0], buf, 8, SOON), -ENODATA);
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}
END_TEST

/* --- streams --------------------------------------------------------------------------- */

START_TEST(a_stream_is_damaged_and_cut)
{
	char data[100], buf[100];
	struct ferry_fault_stat st;
	struct ferry_link *ends[2];
	unsigned apart = 0;
	size_t got = 0;
	ssize_t n;

	ok(NULL, ferry_pair(ends, "fault+pipe:?damage=1&cut=70&delay=1ms"));
	fill(data, sizeof data, 0);
	ck_assert_int_eq(ferry_write(ends[1], data, 30, SOON), 30);
	ck_assert_int_eq(ferry_write(ends[1], data + 30, 60, SOON), 40);
	fails(ends[1], ferry_write(ends[1], data, 1, SOON), -ECONNRESET);
	while ((n = ferry_read(ends[0], buf + got, 100 - got, SOON)) > 0)
		got += (size_t)n;
	fails(ends[0], n, -ENODATA);
	ck_assert_uint_eq(got, 70);
	for (size_t i = 0; i < got; i++)
		apart += (unsigned)__builtin_popcount(
			(unsigned char)(data[i] ^ buf[i]));
	read_faults(ends[1], &st);
	ck_assert_uint_eq(st.damaged, apart);
	ck_assert_uint_ge(apart, 1);
	ck_assert_uint_eq(st.passed, 70);
	ck_assert(st.cut);
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}
END_TEST

START_TEST(a_stream_has_no_messages_to_lose)
{
	static const char *const keys[] = { "drop", "dup", "reorder" };
	struct ferry_link *ends[2];
	char address[80], why[200];

	for (int i = 0; i < 3; i++) {
		snprintf(address, sizeof address,
			 "fault+pipe:?framing=len32&%s=0.5", keys[i]);
		fails(NULL, ferry_pair(ends, address), -EOPNOTSUPP);
		ferry_explain(NULL, -EOPNOTSUPP, why, sizeof why);
		ck_assert_ptr_nonnull(strstr(why, keys[i]));
		ck_assert_ptr_nonnull(strstr(why, "stream"));
	}
}
END_TEST

/* --- loans, room, forks -------------------------------------------------------------------- */

START_TEST(a_loan_meets_faults_too)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_message m, got;
	struct ferry_link *l;

	ok(NULL, ferry_mailbox_create(&receiver, "faulty", &o));
	ok(NULL,
	   ferry_open(&l, "fault+mailbox:faulty?reorder=1&dup=1", FERRY_SEND));
	sender = l;
	for (unsigned i = 0; i < 2; i++) {
		ok(l, ferry_loan(l, 2, &m, SOON));
		memcpy(m.data, i ? "b" : "a", 2);
		m.type = 7 + i;
		ok(l, ferry_commit(&m, SOON));
		ck_assert_ptr_null(m.link);
	}
	for (unsigned i = 0; i < 4; i++) {
		ok(receiver, ferry_take(receiver, &got, SOON));
		ck_assert_str_eq(got.data, i < 2 ? "b" : "a");
		ck_assert_uint_eq(got.type, i < 2 ? 8 : 7);
		ok(receiver, ferry_release(&got));
	}
	fails(receiver, ferry_take(receiver, &got, FERRY_NOWAIT), -EAGAIN);
}
END_TEST

START_TEST(a_twin_waits_for_room_and_is_not_lost)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_fault_stat st;

	o.capacity = 1;
	ok(NULL, ferry_mailbox_create(&receiver, "faulty", &o));
	ok(NULL, ferry_open(&sender, "fault+mailbox:faulty?dup=1", FERRY_SEND));
	ok(sender, ferry_send(sender, "a", 1, FERRY_NOWAIT));
	read_faults(sender, &st);
	ck_assert_uint_eq(st.doubled, 0);
	fails(sender, ferry_send(sender, "b", 1, FERRY_NOWAIT), -EAGAIN);
	fails(sender, ferry_shutdown(sender, FERRY_SEND), -EBUSY);
	expect_text(receiver, "a");
	ok(sender, ferry_shutdown(sender, FERRY_SEND));
	expect_text(receiver, "a");
	read_faults(sender, &st);
	ck_assert_uint_eq(st.passed, 1);
	ck_assert_uint_eq(st.doubled, 1);
}
END_TEST

/* From hand to hand: what is owed is offered, and nobody takes it. */
START_TEST(what_is_owed_from_hand_to_hand_is_no_success_of_another_call)
{
	struct ferry_link *door, *ends[2];
	struct ferry_message m;
	pthread_t t;
	void *result;

	ok(NULL, ferry_listen(&door, "channel:hand?capacity=0"));
	ok(NULL, ferry_open(&ends[1], "fault+channel:hand?capacity=0&dup=1",
			    FERRY_DUPLEX));
	ok(door, ferry_accept(door, &ends[0], SOON));
	ferry_close(door);
	pthread_create(&t, NULL, wait_for_answer, ends[0]);
	ok(ends[1], ferry_send(ends[1], "one", 3, ferry_after(FERRY_MS(300))));
	pthread_join(t, &result);
	ck_assert_int_eq((intptr_t)result, 3);
	fails(ends[1], ferry_loan(ends[1], 3, &m, FERRY_NOWAIT), -EAGAIN);
	fails(ends[1], ferry_send(ends[1], "two", 3, FERRY_NOWAIT), -EAGAIN);
	fails(ends[1], ferry_shutdown(ends[1], FERRY_SEND), -EBUSY);
	pthread_create(&t, NULL, wait_for_answer, ends[0]);
	ok(ends[1], ferry_loan(ends[1], 3, &m, SOON));
	pthread_join(t, &result);
	ck_assert_int_eq((intptr_t)result, 3);
	ok(ends[1], ferry_abandon(&m));
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}
END_TEST

static void close_copy(void *arg)
{
	ferry_close(arg);
}

START_TEST(what_is_held_is_the_parents)
{
	struct ferry_link *ends[2];
	char buf[8];

	pair_with_faults(ends, "reorder=1", 1);
	send_text(ends[1], "held");
	expect_exit(child(close_copy, ends[1]), 0);
	fails(ends[0], ferry_recv(ends[0], buf, 8, FERRY_NOWAIT), -EAGAIN);
	ferry_close(ends[1]);
	expect_text(ends[0], "held");
	fails(ends[0], ferry_recv(ends[0], buf, 8, SOON), -ENODATA);
	ferry_close(ends[0]);
}
END_TEST

/* --- what is refused ------------------------------------------------------------------------- */

static void refused(const char *address, int err, const char *word)
{
	struct ferry_link *ends[2];
	char why[400];

	fails(NULL, ferry_pair(ends, address), err);
	ferry_explain(NULL, err, why, sizeof why);
	ck_assert_msg(strstr(why, word) != NULL, "%s: %s", address, why);
}

START_TEST(what_makes_no_sense_is_refused_with_a_sentence)
{
	refused("fault+unix:?drop=2", -EINVAL, "drop=2");
	refused("fault+unix:?drop=x", -EINVAL, "drop=x");
	refused("fault+unix:?dup=-1", -EINVAL, "dup=-1");
	refused("fault+unix:?damage=101%25", -EINVAL, "damage=101%");
	refused("fault+unix:?reorder", -EINVAL, "reorder=");
	refused("fault+unix:?seed=-1", -EINVAL, "seed=-1");
	refused("fault+unix:?cut=0", -EINVAL, "cut=0");
	refused("fault+unix:?delay=x", -EINVAL, "delay=x");
	refused("fault+unix:?colour=red", -EINVAL, "colour");
	refused("fault+unix:?colour=red", -EINVAL, "seed drop dup");
	refused("fault+unix:?colour=red", -EINVAL, "type mode");
	refused("fault+unix:?type=x", -EINVAL, "type=x");
	refused("fault:?drop=1", -EINVAL, "fault+unix");
	refused("fault+:", -EINVAL, "fault+unix");
	refused("fault+fault+fd:3", -EINVAL, "fault+fault+fd");
	refused("fault+nothing:", -EINVAL, "fault+nothing");
	refused("unix+unix:", -EINVAL, "no scheme");
	refused("fault+mailbox:x", -EOPNOTSUPP, "fault+mailbox");
}
END_TEST

START_TEST(figures_are_of_links_with_faults)
{
	struct ferry_fault_stat st = { .size = sizeof st };
	struct ferry_link *ends[2];

	ok(NULL, ferry_pair(ends, "unix:"));
	fails(ends[0], ferry_fault_stat(ends[0], &st), -EOPNOTSUPP);
	fails(NULL, ferry_fault_stat(NULL, &st), -EINVAL);
	ferry_close(ends[0]);
	ferry_close(ends[1]);
	ok(NULL, ferry_pair(ends, "fault+unix:"));
	st.size = 0;
	fails(ends[0], ferry_fault_stat(ends[0], &st), -EINVAL);
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}
END_TEST

/* One that is missing would be "no scheme". */
START_TEST(it_stands_before_every_scheme)
{
	const struct ferry_transport_info *t;
	struct ferry_link *l;
	char address[60], why[400];
	int err;

	for (unsigned i = 0; (t = ferry_transport(i)); i++) {
		snprintf(address, sizeof address, "fault+%s:?no-such-key",
			 t->scheme);
		err = ferry_open(&l, address, FERRY_RECV);
		ck_assert_int_eq(err, -EINVAL);
		ferry_explain(NULL, err, why, sizeof why);
		ck_assert_msg(strcmp(t->scheme, "fault") == 0 ||
				      strstr(why, "seed drop"),
			      "%s", why);
	}
}
END_TEST

/* What a scheme says of its keys: "(it has KEY KEY ...)". */
static void keys_of(const char *before, const char *scheme, char keys[400])
{
	struct ferry_link *l;
	char address[60], why[400], *list;

	snprintf(address, sizeof address, "%s%s:?no-such-key", before, scheme);
	ck_assert_int_eq(ferry_open(&l, address, FERRY_RECV), -EINVAL);
	ferry_explain(NULL, -EINVAL, why, sizeof why);
	list = strstr(why, "(it has ");
	ck_assert_msg(list && strchr(list, ')'), "%s", why);
	list += strlen("(it has");
	*strchr(list, ')') = ' ';
	snprintf(keys, 400, "%s", list); /* with a space around each */
}

START_TEST(it_has_every_key_of_the_scheme_behind_it)
{
	const struct ferry_transport_info *t;
	char plain[400], with[400], word[80];

	for (unsigned i = 0; (t = ferry_transport(i)); i++) {
		if (strcmp(t->scheme, "fault") == 0)
			continue;
		keys_of("", t->scheme, plain);
		keys_of("fault+", t->scheme, with);
		for (char *key = strtok(plain, " "); key;
		     key = strtok(NULL, " ")) {
			snprintf(word, sizeof word, " %s ", key);
			ck_assert_msg(strstr(with, word), "%s: %s", with, key);
		}
	}
}
END_TEST

/* delay=5ms is the faults'; a door of tcp: has a `delay` without a value. */
START_TEST(a_key_of_both_reaches_the_scheme_by_its_name)
{
	struct ferry_link *door;

	ok(NULL, ferry_listen(&door, "fault+tcp::0?delay=1us&tcp.delay"));
	ferry_close(door);
	fails(NULL, ferry_listen(&door, "fault+tcp::0?tcp.delay=5ms"), -EINVAL);
	says(NULL, -EINVAL, "tcp: delay has no value");
	fails(NULL, ferry_listen(&door, "fault+tcp::0?delay"), -EINVAL);
	says(NULL, -EINVAL, "is not a duration");
	fails(NULL, ferry_listen(&door, "fault+tcp::0?unix.delay"), -EINVAL);
	says(NULL, -EINVAL, "unix.delay");
}
END_TEST

static void ends_at(const char *address, const char *word)
{
	size_t len = strlen(address), n = strlen(word);

	ck_assert_msg(len >= n && strcmp(address + len - n, word) == 0,
		      "%s does not end with %s", address, word);
}

START_TEST(it_tells_its_addresses_as_the_link_behind_does)
{
	struct ferry_link *door, *ends[2];
	char here[200], there[200];

	ok(NULL, ferry_listen(&door, "fault+tcp::0?seed=7"));
	ok(door, ferry_local_address(door, here, sizeof here));
	ck_assert_int_eq(strncmp(here, "tcp:127.0.0.1:", 14), 0);
	ck_assert_str_ne(strrchr(here, ':'), ":0");
	ck_assert_int_eq(strncmp(ferry_address(door), "fault+tcp:", 10), 0);
	ends_at(ferry_address(door), here);
	ok(NULL, ferry_open(&ends[1], ferry_address(door), FERRY_DUPLEX));
	ok(door, ferry_accept(door, &ends[0], SOON));
	ok(ends[1], ferry_local_address(ends[1], there, sizeof there));
	ends_at(ferry_address(ends[0]), there);
	ends_at(ferry_address(ends[1]), here);
	ferry_close(door);
	ferry_close(ends[0]);
	ferry_close(ends[1]);
	ok(NULL, ferry_pair(ends, "fault+pipe:"));
	fails(ends[0], ferry_local_address(ends[0], here, 9), -EOPNOTSUPP);
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}
END_TEST

START_TEST(the_object_itself_is_not_removed_through_it)
{
	fails(NULL, ferry_destroy("fault+mailbox:x"), -EINVAL);
}
END_TEST

void add_fault_link_tests(TCase *tc)
{
	tcase_add_test(tc, a_delay_keeps_deadlines_and_draws_once);
	tcase_add_test(tc, a_cut_is_for_ever_and_the_peer_sees_it);
	tcase_add_test(tc, a_cut_wakes_the_other_direction_and_closes_it);
	tcase_add_test(tc, what_was_taken_outlives_a_cut);
	tcase_add_test(tc, a_stream_is_damaged_and_cut);
	tcase_add_test(tc, a_stream_has_no_messages_to_lose);
	tcase_add_test(tc, a_loan_meets_faults_too);
	tcase_add_test(tc, a_twin_waits_for_room_and_is_not_lost);
	tcase_add_test(
		tc,
		what_is_owed_from_hand_to_hand_is_no_success_of_another_call);
	tcase_add_test(tc, what_is_held_is_the_parents);
	tcase_add_test(tc, what_makes_no_sense_is_refused_with_a_sentence);
	tcase_add_test(tc, figures_are_of_links_with_faults);
	tcase_add_test(tc, it_stands_before_every_scheme);
	tcase_add_test(tc, it_has_every_key_of_the_scheme_behind_it);
	tcase_add_test(tc, a_key_of_both_reaches_the_scheme_by_its_name);
	tcase_add_test(tc, it_tells_its_addresses_as_the_link_behind_does);
	tcase_add_test(tc, the_object_itself_is_not_removed_through_it);
}
