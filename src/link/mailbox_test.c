/* SPDX-License-Identifier: MIT */
/* Mailboxes through the public calls: handles, threads, options. */
#include <pthread.h>
#include <sys/resource.h>

#include "link/mailbox_test.h"

/* --- threads and handles ------------------------------------------------------ */

#define THREADS	 4
#define MESSAGES 500

struct crew {
	struct ferry_link *l;
	uint64_t first;
	uint8_t *seen;
	int result;
};

static void *send_many(void *arg)
{
	struct crew *c = arg;
	int r = 0;

	for (uint64_t i = 0; i < MESSAGES && r == 0; i++) {
		uint64_t id = c->first + i;

		r = ferry_send(c->l, &id, sizeof id, SOON);
	}
	c->result = r;
	return NULL;
}

static int receive_one(struct ferry_link *l, bool in_place, uint64_t *id)
{
	struct ferry_message m;
	int r;

	if (!in_place)
		return (int)ferry_recv(l, id, sizeof *id, SOON);
	r = ferry_take(l, &m, SOON);
	if (r < 0)
		return r;
	memcpy(id, m.data, sizeof *id);
	return ferry_release(&m);
}

static void *receive_many(void *arg)
{
	struct crew *c = arg;
	unsigned n = 0;
	uint64_t id;
	int r;

	while ((r = receive_one(c->l, n++ % 2, &id)) >= 0)
		if (id < (uint64_t)THREADS * MESSAGES)
			__atomic_add_fetch(&c->seen[id], 1, __ATOMIC_RELAXED);
	c->result = r;
	return NULL;
}

START_TEST(threads_share_a_handle_and_each_message_is_received_once)
{
	static uint8_t seen[THREADS * MESSAGES];
	struct crew crew[2 * THREADS];
	pthread_t t[2 * THREADS];
	struct ferry_link *l = make("jobs");

	for (unsigned i = 0; i < 2 * THREADS; i++) {
		crew[i] = (struct crew){ l, (uint64_t)i * MESSAGES, seen, 1 };
		pthread_create(&t[i], NULL,
			       i < THREADS ? send_many : receive_many,
			       &crew[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		ok(crew[i].result);
	}
	ok(ferry_shutdown(l, FERRY_SEND));
	for (unsigned i = THREADS; i < 2 * THREADS; i++) {
		pthread_join(t[i], NULL);
		ck_assert_int_eq(crew[i].result, -ENODATA);
	}
	for (unsigned i = 0; i < THREADS * MESSAGES; i++)
		ck_assert_uint_eq(seen[i], 1);
	ferry_close(l);
}
END_TEST

START_TEST(closing_a_handle_returns_only_what_it_held_and_lent)
{
	struct ferry_link *a = make("jobs"), *b = open_box("jobs");
	struct ferry_message of_a[2], of_b, loan_a, loan_b;
	struct ferry_mailbox_stat st;

	for (uint64_t i = 1; i <= 4; i++)
		ok(put(a, i));
	of_a[0] = take(a);
	of_b = take(b);
	of_a[1] = take(a);
	ok(ferry_loan(a, 8, &loan_a, FERRY_NOWAIT));
	ok(ferry_loan(b, 8, &loan_b, FERRY_NOWAIT));
	ck_assert_uint_eq(id_of(&of_a[1]), 3);
	ferry_close(a);
	st = stat_of(b);
	ck_assert_uint_eq(st.held, 1);
	ck_assert_uint_eq(st.loaned, 1);
	ck_assert_uint_eq(st.returned, 2);
	ck_assert_uint_eq(st.queued, 1);
	ok(ferry_release(&of_b));
	ok(ferry_abandon(&loan_b));
	ck_assert_int_eq(get(b), 1);
	of_b = take(b);
	ck_assert_uint_eq(id_of(&of_b), 3);
	ck_assert(of_b.redelivered);
	ok(ferry_release(&of_b));
	ck_assert_int_eq(get(b), 4);
	ferry_close(b);
}
END_TEST

static void *recv_blocking(void *arg)
{
	struct crew *c = arg;
	uint64_t id;
	ssize_t n = ferry_recv(c->l, &id, sizeof id, FERRY_FOREVER);

	__atomic_store_n(&c->result, (int)n, __ATOMIC_SEQ_CST);
	return NULL;
}

START_TEST(what_a_closed_handle_returns_wakes_a_sleeper)
{
	struct ferry_link *a = make("jobs"), *b = open_box("jobs");
	struct crew c = { .l = b };
	struct ferry_message m;
	pthread_t t;

	ok(put(a, 1));
	m = take(a);
	ck_assert_uint_eq(m.deliveries, 1);
	pthread_create(&t, NULL, recv_blocking, &c);
	until(waits(b));
	ferry_close(a);
	pthread_join(t, NULL);
	ck_assert_int_eq(c.result, 8);
	ferry_close(b);
}
END_TEST

START_TEST(a_cancel_ends_a_sleep_and_resume_allows_the_next)
{
	struct ferry_link *l = make("jobs");
	struct crew c = { .l = l };
	pthread_t t;

	pthread_create(&t, NULL, recv_blocking, &c);
	until(waits(l));
	ferry_cancel(l);
	pthread_join(t, NULL);
	ck_assert_int_eq(c.result, -ECANCELED);
	ck_assert_int_eq(ferry_recv(l, &c, sizeof c, SOON), -ECANCELED);
	ok(put(l, 7));
	ck_assert_int_eq(get(l), 7);
	ferry_resume(l);
	ck_assert_int_eq(ferry_recv(l, &c, sizeof c, ferry_after(FERRY_MS(5))),
			 -ETIMEDOUT);
	ferry_close(l);
}
END_TEST

/* --- options -------------------------------------------------------------------------- */

START_TEST(options_of_a_size_that_is_not_known_are_refused)
{
	static const size_t wrong[] = { 0, 8, sizeof o + 8, SIZE_MAX };
	struct ferry_link *l;

	o.size = wrong[_i];
	fails_saying(ferry_mailbox_create(&l, "jobs", &o), -EINVAL,
		     "FERRY_MAILBOX_OPTIONS");
	ck_assert(!exists("jobs"));
}
END_TEST

START_TEST(options_of_an_older_size_leave_the_rest_at_the_defaults)
{
	struct ferry_link *l;

	o.size = offsetof(struct ferry_mailbox_options, full);
	o.full = FERRY_FULL_FAIL;
	l = make("jobs");
	ck_assert_uint_eq(stat_of(l).options.capacity, 8);
	ck_assert_int_eq(stat_of(l).options.full, FERRY_FULL_BLOCK);
	ferry_close(l);
}
END_TEST

START_TEST(options_out_of_range_are_refused)
{
	struct ferry_link *l;

	switch (_i) {
	case 0: o.capacity = 0; break;
	case 1: o.capacity = (1u << 24) + 1; break;
	case 2: o.message_max = ((uint64_t)1 << 30) + 1; break;
	case 3: o.full = (enum ferry_full)4; break;
	case 4: o.delivery = (enum ferry_delivery)2; break;
	case 5: o.persistence = (enum ferry_persistence)2; break;
	case 6: o.trust = (enum ferry_trust)2; break;
	case 7: o.max_deliveries = 256; break;
	}
	fails(ferry_mailbox_create(&l, "jobs", &o), -EINVAL);
	ck_assert_ptr_nonnull(ferryi_fail_sentence(-EINVAL));
	ck_assert(!exists("jobs"));
}
END_TEST

START_TEST(what_was_chosen_is_read_back)
{
	struct ferry_mailbox_stat st, old = { .size = sizeof(size_t) };
	struct ferry_link *l;

	o.capacity = 33;
	o.message_max = 5000;
	o.bytes_max = 64u << 20;
	o.full = FERRY_FULL_DROP_OLD;
	o.delivery = FERRY_AT_MOST_ONCE;
	o.persistence = FERRY_PERSIST_KERNEL;
	o.trust = FERRY_TRUST_GROUP;
	o.mode = 0640;
	o.max_deliveries = 9;
	o.dead_letter = "dead";
	umask(077);
	l = make("jobs");
	st = stat_of(l);
	ck_assert_uint_eq(st.options.capacity, 33);
	ck_assert_uint_eq(st.options.message_max, 5000);
	ck_assert_uint_eq(st.options.bytes_max, o.bytes_max);
	ck_assert_int_eq(st.options.full, o.full);
	ck_assert_int_eq(st.options.delivery, o.delivery);
	ck_assert_int_eq(st.options.persistence, o.persistence);
	ck_assert_int_eq(st.options.trust, o.trust);
	ck_assert_uint_eq(st.options.mode, 0640);
	ck_assert_uint_eq(st.options.max_deliveries, 9);
	ck_assert_str_eq(st.dead_letter, "dead");
	ck_assert_uint_eq(st.users, 1);
	ok(ferry_stat(l, &old));
	ck_assert_uint_eq(old.size, sizeof(size_t));
	old.size = sizeof old + 1;
	fails(ferry_stat(l, &old), -EINVAL);
	ferry_close(l);
	ok(ferry_destroy("jobs"));
	ok(ferry_destroy("dead"));
}
END_TEST

START_TEST(an_existing_mailbox_is_refused_or_opened_as_it_is)
{
	struct ferry_link *a = make("jobs"), *b;

	fails_saying(ferry_mailbox_create(&b, "jobs", &o), -EEXIST, "jobs");
	o.flags = FERRY_CREATE_IF_MISSING;
	o.capacity = 100;
	b = make("mailbox:jobs");
	ck_assert_uint_eq(stat_of(b).options.capacity, 8);
	ck_assert_str_eq(ferry_address(b), "mailbox:jobs");
	ferry_close(a);
	ferry_close(b);
}
END_TEST

START_TEST(a_direction_that_was_not_opened_is_refused)
{
	struct ferry_link *l = make("jobs"), *in, *out;

	ok(ferry_open(&in, "jobs", FERRY_RECV));
	ok(ferry_open(&out, "mailbox:jobs", FERRY_SEND));
	fails(put(in, 1), -EINVAL);
	ok(put(out, 1));
	fails(get(out), -EINVAL);
	ck_assert_int_eq(get(in), 1);
	ferry_close(in);
	ferry_close(out);
	ferry_close(l);
}
END_TEST

START_TEST(an_outcome_is_explained_by_how_the_mailbox_stands)
{
	struct ferry_link *l = make("jobs");
	char why[300];

	ok(put(l, 1));
	ck_assert_int_eq(get(l), 1);
	fails(get(l), -EAGAIN);
	ck_assert_int_gt(ferry_explain(l, -EAGAIN, why, sizeof why), 10);
	ck_assert_ptr_nonnull(strstr(why, "mailbox:jobs"));
	ck_assert_ptr_nonnull(strstr(why, "0 of 8 messages"));
	ferry_close(l);
}
END_TEST

static long sleeps(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nvcsw;
}

/* Whether two calls that time out slept. */
static bool sleeps_in_vain(struct ferry_link *l)
{
	long before = sleeps();
	char c;

	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(ferry_recv(l, &c, 1,
					    ferry_after(FERRY_MS(20))),
				 -ETIMEDOUT);
	return sleeps() > before;
}

START_TEST(a_call_looks_again_before_it_sleeps_unless_that_was_in_vain)
{
	struct ferry_link *l = make("jobs");
	long before = sleeps();
	char c;

	setenv("FERRY_SPIN_US", "1000000", 1);
	ck_assert_int_eq(ferry_recv(l, &c, 1, ferry_after(FERRY_MS(20))),
			 -ETIMEDOUT);
	ck_assert_int_eq(sleeps(), before);
	ck_assert(sleeps_in_vain(l));
	ferry_close(l);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("mailbox");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(
		t, threads_share_a_handle_and_each_message_is_received_once);
	tcase_add_test(t, closing_a_handle_returns_only_what_it_held_and_lent);
	tcase_add_test(t, what_a_closed_handle_returns_wakes_a_sleeper);
	tcase_add_test(t, a_cancel_ends_a_sleep_and_resume_allows_the_next);
	tcase_add_loop_test(t, options_of_a_size_that_is_not_known_are_refused,
			    0, 4);
	tcase_add_test(t,
		       options_of_an_older_size_leave_the_rest_at_the_defaults);
	tcase_add_loop_test(t, options_out_of_range_are_refused, 0, 8);
	tcase_add_test(t, what_was_chosen_is_read_back);
	tcase_add_test(t, an_existing_mailbox_is_refused_or_opened_as_it_is);
	tcase_add_test(t, a_direction_that_was_not_opened_is_refused);
	tcase_add_test(t, an_outcome_is_explained_by_how_the_mailbox_stands);
	tcase_add_test(
		t, a_call_looks_again_before_it_sleeps_unless_that_was_in_vain);
	return unit_main(t, "mailbox");
}
