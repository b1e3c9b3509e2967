/* SPDX-License-Identifier: MIT */
/* Mailboxes through the public calls: every option, every end of a message. */
#include <ferry/mailbox.h>

#include <pthread.h>

#include "unit.h"

static struct {
	uint32_t ready, go;
	int result;
} * s;

static struct ferry_mailbox_options o; /* of the next make() */

static void setup(void)
{
	o = (struct ferry_mailbox_options)FERRY_MAILBOX_OPTIONS;
	o.capacity = 8;
	o.message_max = 4096;
	s = shared(sizeof *s);
}

static struct ferry_link *make(const char *name)
{
	struct ferry_link *l = NULL;

	ok(ferry_mailbox_create(&l, name, &o));
	return l;
}

static struct ferry_link *open_box(const char *name)
{
	struct ferry_link *l = NULL;

	ok(ferry_open(&l, name, FERRY_DUPLEX));
	return l;
}

static struct ferry_mailbox_stat stat_of(struct ferry_link *l)
{
	struct ferry_mailbox_stat st = { .size = sizeof st };

	ok(ferry_stat(l, &st));
	return st;
}

static int put(struct ferry_link *l, uint64_t id)
{
	return ferry_send(l, &id, sizeof id, FERRY_NOWAIT);
}

static int64_t get(struct ferry_link *l)
{
	uint64_t id = 0;
	ssize_t n = ferry_recv(l, &id, sizeof id, FERRY_NOWAIT);

	return n < 0 ? n : (int64_t)id;
}

static struct ferry_message take(struct ferry_link *l)
{
	struct ferry_message m = { 0 };

	ok(ferry_take(l, &m, FERRY_NOWAIT));
	return m;
}

static uint64_t id_of(const struct ferry_message *m)
{
	uint64_t id = 0;

	ck_assert_uint_eq(m->len, sizeof id);
	memcpy(&id, m->data, sizeof id);
	return id;
}

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

static bool waits(struct ferry_link *l)
{
	return stat_of(l).receivers_wait;
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

/* --- the ends of a message ------------------------------------------------------ */

START_TEST(a_requeued_message_comes_back_when_it_is_due)
{
	struct ferry_link *l = make("jobs");
	struct ferry_message m, again;
	ferry_time due;
	uint64_t id;

	ok(put(l, 1));
	m = take(l);
	id = m.id;
	due = ferry_after(FERRY_MS(50));
	ok(ferry_requeue(&m, FERRY_MS(50)));
	fails(ferry_release(&m), -EINVAL); /* spent */
	ck_assert_uint_eq(stat_of(l).returned, 1);
	fails(ferry_take(l, &again, FERRY_NOWAIT), -EAGAIN);
	ok(ferry_take(l, &again, SOON));
	ck_assert_int_ge(ferryi_now(), due);
	ck_assert_uint_eq(again.id, id);
	ck_assert_uint_eq(again.deliveries, 2);
	ck_assert(again.redelivered);
	ok(ferry_release(&again));
	ck_assert_uint_eq(stat_of(l).redelivered, 1);
	ferry_close(l);
}
END_TEST

START_TEST(a_rejected_message_is_dropped_and_counted_or_kept_as_dead_letter)
{
	struct ferry_link *l, *dead = NULL;
	struct ferry_message m, letter;
	uint64_t id;

	o.dead_letter = _i ? "dead" : NULL;
	l = make("jobs");
	ok(put(l, 1)); /* the letter is the first of its mailbox, not of this */
	ck_assert_int_eq(get(l), 1);
	ok(ferry_loan(l, 8, &m, FERRY_NOWAIT));
	m.type = 77;
	memcpy(m.data, "rejected", 8);
	ok(ferry_commit(&m, FERRY_NOWAIT));
	m = take(l);
	id = m.id;
	ok(ferry_reject(&m));
	fails(ferry_take(l, &m, FERRY_NOWAIT), -EAGAIN);
	ck_assert_uint_eq(stat_of(l).rejected, _i ? 0 : 1);
	ck_assert_uint_eq(stat_of(l).dead_lettered, _i ? 1 : 0);
	if (_i) {
		dead = open_box("dead");
		letter = take(dead);
		ck_assert_uint_eq(letter.len, 8);
		ck_assert_mem_eq(letter.data, "rejected", 8);
		ck_assert_uint_eq(letter.id, id);
		ck_assert_uint_eq(letter.type, 77);
		ck_assert_int_eq(letter.sender.pid, getpid());
		ok(ferry_release(&letter));
	}
	ferry_close(l);
	ferry_close(dead);
}
END_TEST

START_TEST(the_delivery_limit_ends_in_the_dead_letters_or_the_count)
{
	struct ferry_link *l, *dead;
	struct ferry_message m;

	o.max_deliveries = 2;
	o.dead_letter = _i ? "dead" : NULL;
	l = make("jobs");
	ok(put(l, 1));
	for (uint32_t n = 1; n <= 2; n++) {
		m = take(l);
		ck_assert_uint_eq(m.deliveries, n);
		ok(ferry_requeue(&m, 0));
	}
	fails(ferry_take(l, &m, FERRY_NOWAIT), -EAGAIN);
	ck_assert_uint_eq(stat_of(l).rejected, _i ? 0 : 1);
	ck_assert_uint_eq(stat_of(l).dead_lettered, _i ? 1 : 0);
	ck_assert_uint_eq(stat_of(l).returned, 0);
	if (_i) {
		dead = open_box("dead");
		ck_assert_int_eq(get(dead), 1);
		ferry_close(dead);
	}
	ferry_close(l);
}
END_TEST

START_TEST(when_the_dead_letters_are_full_the_message_stays_ours)
{
	struct ferry_link *l, *dead;
	struct ferry_message m[3];

	o.capacity = 2;
	o.dead_letter = "dead";
	l = make("jobs");
	for (uint64_t i = 0; i < 3; i++) {
		ok(put(l, i + 1));
		m[i] = take(l);
	}
	ok(ferry_reject(&m[0]));
	ok(ferry_reject(&m[1]));
	fails_saying(ferry_reject(&m[2]), -EAGAIN, "dead is full");
	ck_assert_uint_eq(stat_of(l).held, 1);
	ck_assert_uint_eq(id_of(&m[2]), 3);
	dead = open_box("dead");
	ck_assert_int_eq(get(dead), 1);
	ok(ferry_reject(&m[2]));
	ck_assert_uint_eq(stat_of(l).dead_lettered, 3);
	ck_assert_int_eq(get(dead), 2);
	ck_assert_int_eq(get(dead), 3);
	ferry_close(dead);
	ferry_close(l);
}
END_TEST

START_TEST(dead_letters_of_oneself_or_of_another_realm_are_refused)
{
	struct ferry_link *l;

	o.dead_letter = "jobs";
	fails_saying(ferry_mailbox_create(&l, "jobs", &o), -EINVAL,
		     "another mailbox");
	o.dead_letter = "./dead";
	fails_saying(ferry_mailbox_create(&l, "jobs", &o), -EINVAL,
		     "another mailbox");
	o.dead_letter = ".dead";
	fails(ferry_mailbox_create(&l, "jobs", &o), -EINVAL);
}
END_TEST

static void take_and_stay(void *arg)
{
	struct ferry_link *l = open_box("jobs");
	struct ferry_message m;

	(void)arg;
	ok(ferry_take(l, &m, SOON));
	gate_add(&s->ready);
	stay();
}

/* A receiver takes the first message and is killed. */
static void kill_a_holder(void)
{
	pid_t pid = child(take_and_stay, NULL);

	gate_await(&s->ready, 1);
	kill_child(pid);
}

START_TEST(what_a_killed_receiver_held_comes_back_or_is_lost_as_chosen)
{
	struct ferry_link *l;
	struct ferry_message m;

	o.delivery = _i ? FERRY_AT_MOST_ONCE : FERRY_AT_LEAST_ONCE;
	l = make("jobs");
	ok(put(l, 1));
	ok(put(l, 2));
	kill_a_holder();
	ok(ferry_take(l, &m, SOON));
	while (_i == 0 && !m.redelivered) { /* the death is not noticed yet */
		ok(ferry_requeue(&m, FERRY_S(100)));
		ok(ferry_take(l, &m, SOON));
	}
	if (_i == 0)
		ck_assert_uint_eq(id_of(&m), 1);
	else
		ck_assert_uint_eq(id_of(&m), 2);
	ok(ferry_release(&m));
	if (_i == 1) {
		fails(ferry_take(l, &m, ferry_after(FERRY_MS(500))),
		      -ETIMEDOUT); /* a sleeper looks for the dead */
		ck_assert_uint_eq(stat_of(l).lost, 1);
	}
	ck_assert_uint_eq(stat_of(l).held, 0);
	ferry_close(l);
}
END_TEST

START_TEST(at_most_once_drops_what_a_closed_handle_held)
{
	struct ferry_link *a, *b;
	struct ferry_message m;

	o.delivery = FERRY_AT_MOST_ONCE;
	a = make("jobs");
	b = open_box("jobs");
	ok(put(a, 1));
	m = take(a);
	ck_assert_uint_eq(id_of(&m), 1);
	ferry_close(a);
	ck_assert_int_eq(get(b), -EAGAIN);
	ck_assert_uint_eq(stat_of(b).lost, 1);
	ferry_close(b);
}
END_TEST

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

/* --- what a message carries --------------------------------------------------------- */

#define ONE_SHOTS 100

static void send_once(void *arg)
{
	struct ferry_link *l = open_box("jobs");
	char name[16];

	snprintf(name, sizeof name, "shot-%d", (int)(intptr_t)arg);
	prctl(PR_SET_NAME, name);
	ok(put(l, (uint64_t)(intptr_t)arg));
	ferry_close(l);
}

START_TEST(a_message_names_its_sender_after_that_has_ended)
{
	struct ferry_link *l;
	struct ferry_message m;
	pid_t pid[ONE_SHOTS];

	o.capacity = ONE_SHOTS;
	l = make("jobs");
	for (intptr_t i = 0; i < ONE_SHOTS; i++) {
		pid[i] = child(send_once, (void *)i);
		expect_exit(pid[i], 0);
	}
	for (uint64_t i = 0; i < ONE_SHOTS; i++) {
		m = take(l);
		ck_assert_uint_eq(id_of(&m), i);
		ck_assert_uint_eq(m.seq, i);
		ck_assert_int_eq(m.sender.pid, pid[i]);
		ck_assert_uint_ne(m.sender.start_time, 0);
		ck_assert_uint_eq(m.sender.uid, geteuid());
		ck_assert_uint_eq(m.sender.gid, getegid());
		ck_assert_int_eq(m.sender.proof, FERRY_CLAIMED);
		ck_assert_uint_gt(strlen(m.sender.name), 0);
		ck_assert_int_gt(m.sent_at, 0);
		ck_assert(!m.redelivered);
		ok(ferry_release(&m));
	}
	ferry_close(l);
}
END_TEST

START_TEST(a_large_message_is_written_and_read_in_place)
{
	size_t size = 1u << 20;
	struct ferry_message m;
	struct ferry_link *l;

	o.message_max = size;
	l = make("jobs");
	fails_saying(ferry_loan(l, size + 1, &m, FERRY_NOWAIT), -EMSGSIZE,
		     "too long");
	ok(ferry_loan(l, size, &m, FERRY_NOWAIT));
	for (size_t i = 0; i < size; i++)
		((uint8_t *)m.data)[i] = (uint8_t)(i * 7 + i / 4096);
	m.len = size + 1;
	fails_saying(ferry_commit(&m, FERRY_NOWAIT), -EINVAL, "smaller");
	m.len = size - 1;
	m.type = 5;
	ok(ferry_commit(&m, FERRY_NOWAIT));
	m = take(l);
	ck_assert_uint_eq(m.len, size - 1);
	ck_assert_uint_eq(m.type, 5);
	for (size_t i = 0; i < m.len; i++)
		ck_assert(((uint8_t *)m.data)[i] ==
			  (uint8_t)(i * 7 + i / 4096));
	ok(ferry_release(&m));
	ok(ferry_loan(l, size, &m, FERRY_NOWAIT));
	ok(ferry_abandon(&m));
	fails(ferry_abandon(&m), -EINVAL);
	ck_assert_uint_eq(stat_of(l).loaned, 0);
	ferry_close(l);
}
END_TEST

START_TEST(a_message_of_no_bytes_is_a_message)
{
	struct ferry_link *l;
	struct ferry_message m;

	o.message_max = 0;
	l = make("jobs");
	for (unsigned i = 0; i < 2; i++)
		ok(ferry_send(l, NULL, 0, FERRY_NOWAIT));
	ck_assert_int_eq(ferry_next_len(l), 0);
	ck_assert_int_eq(ferry_recv(l, NULL, 0, FERRY_NOWAIT), 0);
	m = take(l);
	ck_assert_uint_eq(m.len, 0);
	ok(ferry_release(&m));
	fails(ferry_next_len(l), -EAGAIN);
	fails(ferry_send(l, "x", 1, FERRY_NOWAIT), -EMSGSIZE);
	ok(ferry_shutdown(l, FERRY_SEND));
	fails(ferry_next_len(l), -ENODATA);
	ferry_close(l);
}
END_TEST

START_TEST(large_messages_leave_the_ring_its_part_of_the_byte_limit)
{
	static char large[100000];
	struct ferry_link *l;
	unsigned n = 0;

	o.capacity = 1000;
	o.bytes_max = 600000;
	o.message_max = sizeof large;
	l = make("jobs");
	while (ferry_send(l, large, sizeof large, FERRY_NOWAIT) == 0)
		n++;
	ck_assert_uint_ge(n, 2);
	for (; n; n--)
		ck_assert_int_eq(ferry_recv(l, large, sizeof large,
					    FERRY_NOWAIT),
				 sizeof large);
	for (uint64_t i = 0; i < 3000; i++) {
		ok(put(l, i));
		ck_assert_uint_eq(get(l), i);
	}
	ck_assert_uint_le(stat_of(l).bytes, o.bytes_max);
	ferry_close(l);
	o.bytes_max = 100000;
	fails_saying(ferry_mailbox_create(&l, "small", &o), -EINVAL,
		     "byte limit");
}
END_TEST

START_TEST(a_message_too_long_for_the_buffer_stays_first)
{
	struct ferry_link *l = make("jobs");
	char buf[100];

	ok(ferry_send(l, "a hundred", 9, FERRY_NOWAIT));
	ok(put(l, 2));
	fails_saying(ferry_recv(l, buf, 8, FERRY_NOWAIT), -EMSGSIZE, "9 bytes");
	ck_assert_int_eq(ferry_next_len(l), 9);
	ck_assert_int_eq(ferry_recv(l, buf, sizeof buf, FERRY_NOWAIT), 9);
	ck_assert_mem_eq(buf, "a hundred", 9);
	ck_assert_int_eq(get(l), 2);
	ferry_close(l);
}
END_TEST

START_TEST(peek_copies_what_is_queued_and_takes_nothing)
{
	struct ferry_link *l = make("jobs");
	uint64_t cursor = 0, id = 0;
	struct ferry_message m;

	for (uint64_t i = 1; i <= 3; i++)
		ok(put(l, i));
	for (uint64_t i = 1; i <= 3; i++) {
		ok(ferry_peek(l, &cursor, &m, &id, sizeof id));
		ck_assert_uint_eq(id, i);
		ck_assert_uint_eq(m.len, sizeof id);
		ck_assert_uint_eq(m.seq, i - 1);
		ck_assert_int_eq(m.sender.pid, getpid());
		fails(ferry_release(&m), -EINVAL);
	}
	fails(ferry_peek(l, &cursor, &m, &id, sizeof id), -EAGAIN);
	cursor = 0;
	ok(ferry_peek(l, &cursor, &m, NULL, 0));
	ck_assert_uint_eq(m.len, sizeof id);
	ck_assert_uint_eq(stat_of(l).queued, 3);
	for (int i = 1; i <= 3; i++)
		ck_assert_int_eq(get(l), i);
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

int main(void)
{
	TCase *t = tcase_create("mailbox");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(
		t, threads_share_a_handle_and_each_message_is_received_once);
	tcase_add_test(t, closing_a_handle_returns_only_what_it_held_and_lent);
	tcase_add_test(t, what_a_closed_handle_returns_wakes_a_sleeper);
	tcase_add_test(t, a_cancel_ends_a_sleep_and_resume_allows_the_next);
	tcase_add_test(t, a_requeued_message_comes_back_when_it_is_due);
	tcase_add_loop_test(
		t,
		a_rejected_message_is_dropped_and_counted_or_kept_as_dead_letter,
		0, 2);
	tcase_add_loop_test(
		t, the_delivery_limit_ends_in_the_dead_letters_or_the_count, 0,
		2);
	tcase_add_test(t,
		       when_the_dead_letters_are_full_the_message_stays_ours);
	tcase_add_test(t,
		       dead_letters_of_oneself_or_of_another_realm_are_refused);
	tcase_add_loop_test(
		t, what_a_killed_receiver_held_comes_back_or_is_lost_as_chosen,
		0, 2);
	tcase_add_test(t, at_most_once_drops_what_a_closed_handle_held);
	tcase_add_loop_test(t, a_full_mailbox_blocks_refuses_or_drops_as_chosen,
			    0, 4);
	tcase_add_test(t, the_byte_limit_is_an_error_and_ends_with_receiving);
	tcase_add_test(t,
		       after_a_shutdown_what_was_sent_is_read_and_then_it_ends);
	tcase_add_test(
		t,
		a_shut_down_mailbox_has_not_ended_while_another_process_holds_of_it);
	tcase_add_loop_test(t, a_shutdown_or_a_removal_wakes_a_sleeper, 0, 2);
	tcase_add_test(t,
		       after_a_removal_every_call_says_so_and_the_name_is_free);
	tcase_add_test(t, a_link_that_crossed_a_fork_must_be_adopted);
	tcase_add_test(t, a_message_names_its_sender_after_that_has_ended);
	tcase_add_test(t, a_large_message_is_written_and_read_in_place);
	tcase_add_test(t, a_message_of_no_bytes_is_a_message);
	tcase_add_test(
		t, large_messages_leave_the_ring_its_part_of_the_byte_limit);
	tcase_add_test(t, a_message_too_long_for_the_buffer_stays_first);
	tcase_add_test(t, peek_copies_what_is_queued_and_takes_nothing);
	tcase_add_loop_test(t, options_of_a_size_that_is_not_known_are_refused,
			    0, 4);
	tcase_add_test(t,
		       options_of_an_older_size_leave_the_rest_at_the_defaults);
	tcase_add_loop_test(t, options_out_of_range_are_refused, 0, 8);
	tcase_add_test(t, what_was_chosen_is_read_back);
	tcase_add_test(t, an_existing_mailbox_is_refused_or_opened_as_it_is);
	tcase_add_test(t, a_direction_that_was_not_opened_is_refused);
	tcase_add_test(t, an_outcome_is_explained_by_how_the_mailbox_stands);
	return unit_main(t, "mailbox");
}
