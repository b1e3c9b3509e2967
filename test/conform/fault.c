/* SPDX-License-Identifier: MIT */
/*
 * What only fault+ANY has: the faults, each alone and all together, and that what
 * arrives is what was counted.
 */
#include <stdint.h>

#include "conform.h"

#define N     60u
#define SEEDS 200u
#define LEN   16u /* of a message: its number four times */

/* --- a run: N messages through a pair ----------------------------------------- */

struct run {
	unsigned n;		 /* how many came */
	unsigned order[3 * N];	 /* which ones, as they came */
	bool broken[3 * N];	 /* with a bit that was flipped */
	unsigned seen[N];	 /* how often */
	unsigned whole, damaged; /* of all that came */
	unsigned late;		 /* the first time behind a later one */
	struct ferry_fault_stat st;
};

static void make_message(uint32_t words[4], uint32_t number)
{
	for (unsigned i = 0; i < 4; i++)
		words[i] = number;
}

/* Three words of four agree whatever bit was flipped. */
static uint32_t number_of(const uint32_t w[4])
{
	return w[0] == w[1] || w[0] == w[2] ? w[0] : w[3];
}

static unsigned bits_apart(const uint32_t a[4], const uint32_t b[4])
{
	unsigned n = 0;

	for (unsigned i = 0; i < 4; i++)
		n += (unsigned)__builtin_popcount(a[i] ^ b[i]);
	return n;
}

static void note(struct run *r, const uint32_t words[4])
{
	static unsigned newest;
	uint32_t number = number_of(words), whole[4];
	unsigned apart;

	if (r->n == 0)
		newest = 0;
	ck_assert_uint_lt(number, N);
	make_message(whole, number);
	apart = bits_apart(words, whole);
	ck_assert_uint_le(apart, 1);
	r->whole += apart == 0;
	r->damaged += apart;
	r->late += r->seen[number] == 0 && number < newest;
	if (number > newest)
		newest = number;
	r->seen[number]++;
	ck_assert_uint_lt(r->n, 3 * N);
	r->order[r->n] = number;
	r->broken[r->n++] = apart;
}

static void receive_all(struct run *r, struct ferry_link *l)
{
	uint32_t words[4];
	ssize_t n;

	while ((n = ferry_recv(l, words, sizeof words, SOON)) >= 0) {
		ck_assert_int_eq(n, LEN);
		note(r, words);
	}
	fails(l, n, -ENODATA);
}

static void read_stat(struct ferry_link *l, struct ferry_fault_stat *st)
{
	st->size = sizeof *st;
	ok(l, ferry_fault_stat(l, st));
}

static void pair_with(struct ferry_link *ends[2], const char *scheme,
		      const char *keys, unsigned seed)
{
	char address[200];

	snprintf(address, sizeof address, "%s?type=seqpacket&seed=%u%s%s",
		 scheme, seed, *keys ? "&" : "", keys);
	ok(NULL, ferry_pair(ends, address));
}

static void send_numbers(struct ferry_link *l)
{
	uint32_t words[4];

	for (unsigned i = 0; i < N; i++) {
		make_message(words, i);
		ok(l, ferry_send(l, words, sizeof words, SOON));
	}
}

static void run(struct run *r, const char *keys, unsigned seed)
{
	struct ferry_link *ends[2];

	memset(r, 0, sizeof *r);
	pair_with(ends, "fault+unix:", keys, seed);
	send_numbers(ends[1]);
	ok(ends[1], ferry_shutdown(ends[1], FERRY_SEND));
	read_stat(ends[1], &r->st);
	receive_all(r, ends[0]);
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}

static unsigned count_seen(const struct run *r, unsigned times)
{
	unsigned n = 0;

	for (unsigned i = 0; i < N; i++)
		n += r->seen[i] == times;
	return n;
}

/* What arrived is what the link says that it has done. */
static void check(const struct run *r)
{
	ck_assert_uint_eq(r->st.passed + r->st.dropped, N);
	ck_assert_uint_eq(r->st.dropped, count_seen(r, 0));
	ck_assert_uint_eq(r->st.doubled, count_seen(r, 2));
	ck_assert_uint_eq(r->n, r->st.passed + r->st.doubled);
	ck_assert_uint_eq(r->damaged, r->st.damaged);
	ck_assert_uint_eq(r->late, r->st.reordered);
	ck_assert(!r->st.cut);
}

/* --- each fault, for many seeds ------------------------------------------------- */

START_TEST(without_a_fault_all_arrive)
{
	struct run r;

	run(&r, "", 1);
	check(&r);
	ck_assert_uint_eq(r.st.passed, N);
	ck_assert_uint_eq(r.whole, N);
	ck_assert_uint_eq(r.late, 0);
}
END_TEST

START_TEST(what_is_dropped_does_not_arrive)
{
	unsigned total = 0;
	struct run r;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		run(&r, "drop=10%", seed);
		check(&r);
		ck_assert_uint_eq(r.st.doubled + r.st.reordered + r.st.damaged,
				  0);
		ck_assert_uint_eq(r.late, 0);
		total += (unsigned)r.st.dropped;
	}
	ck_assert_uint_gt(total, SEEDS * N / 10 * 8 / 10);
	ck_assert_uint_lt(total, SEEDS * N / 10 * 12 / 10);
}
END_TEST

START_TEST(what_is_doubled_arrives_twice_in_a_row)
{
	unsigned total = 0;
	struct run r;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		run(&r, "dup=0.2", seed);
		check(&r);
		ck_assert_uint_eq(r.st.passed, N);
		for (unsigned i = 1; i < r.n; i++)
			ck_assert_uint_le(r.order[i] - r.order[i - 1], 1);
		total += (unsigned)r.st.doubled;
	}
	ck_assert_uint_gt(total, 0);
}
END_TEST

START_TEST(what_is_held_back_arrives_right_behind_the_next_one)
{
	unsigned total = 0;
	struct run r;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		run(&r, "reorder=0.2", seed);
		check(&r);
		ck_assert_uint_eq(r.whole, N);
		for (unsigned i = 0; i < N; i++) {
			unsigned at = r.order[i];

			ck_assert(at == i || at == i + 1 || at + 1 == i);
		}
		total += (unsigned)r.st.reordered;
	}
	ck_assert_uint_gt(total, 0);
}
END_TEST

START_TEST(one_that_nothing_follows_goes_out_at_the_end)
{
	struct ferry_link *ends[2];
	struct run r = { 0 };
	uint32_t words[4];

	for (int by_shutdown = 0; by_shutdown < 2; by_shutdown++) {
		memset(&r, 0, sizeof r);
		pair_with(ends, "fault+unix:", "reorder=1", 1);
		make_message(words, 5);
		ok(ends[1], ferry_send(ends[1], words, LEN, SOON));
		fails(ends[0], ferry_recv(ends[0], words, LEN, FERRY_NOWAIT),
		      -EAGAIN);
		if (by_shutdown) {
			ok(ends[1], ferry_shutdown(ends[1], FERRY_SEND));
			read_stat(ends[1], &r.st);
			ck_assert_uint_eq(r.st.passed, 1);
			ck_assert_uint_eq(r.st.reordered, 0);
		}
		ferry_close(ends[1]);
		receive_all(&r, ends[0]);
		ck_assert_uint_eq(r.whole, 1);
		ferry_close(ends[0]);
	}
}
END_TEST

START_TEST(what_is_damaged_has_one_bit_flipped)
{
	unsigned total = 0;
	struct run r;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		run(&r, "damage=0.3", seed);
		check(&r);
		ck_assert_uint_eq(r.n, N);
		ck_assert_uint_eq(r.late, 0);
		total += r.damaged;
	}
	ck_assert_uint_gt(total, 0);
}
END_TEST

START_TEST(an_empty_message_cannot_be_damaged)
{
	struct ferry_fault_stat st;
	struct ferry_link *ends[2];
	char buf[4];

	pair_with(ends, "fault+unix:", "damage=1", 1);
	ok(ends[1], ferry_send(ends[1], NULL, 0, SOON));
	ck_assert_int_eq(ferry_recv(ends[0], buf, sizeof buf, SOON), 0);
	read_stat(ends[1], &st);
	ck_assert_uint_eq(st.passed, 1);
	ck_assert_uint_eq(st.damaged, 0);
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}
END_TEST

#define ALL "drop=0.1&dup=0.15&reorder=0.2&damage=0.1&delay=20us"

START_TEST(all_faults_together_are_counted)
{
	struct run r;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		run(&r, ALL, seed);
		check(&r);
	}
}
END_TEST

static bool same(const struct run *a, const struct run *b)
{
	return a->n == b->n &&
	       memcmp(a->order, b->order, sizeof a->order) == 0 &&
	       memcmp(a->broken, b->broken, sizeof a->broken) == 0 &&
	       a->st.delayed == b->st.delayed;
}

START_TEST(a_seed_says_what_happens)
{
	struct run one, again, other;
	unsigned differ = 0;

	for (unsigned seed = 0; seed < SEEDS; seed++) {
		run(&one, ALL, seed);
		run(&again, ALL, seed);
		run(&other, ALL, seed + 1);
		ck_assert(same(&one, &again));
		differ += !same(&one, &other);
	}
	ck_assert_uint_eq(differ, SEEDS);
}
END_TEST

/* --- where it receives ------------------------------------------------------------ */

/* Sent through the plain end of a FIFO of messages, received with faults. */
static void run_receiver(struct run *r, const char *keys, unsigned seed)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_link *box, *l;
	char address[200];

	memset(r, 0, sizeof *r);
	o.capacity = N;
	ok(NULL, ferry_mailbox_create(&box, "faulty", &o));
	snprintf(address, sizeof address, "fault+mailbox:faulty?seed=%u&%s",
		 seed, keys);
	ok(NULL, ferry_open(&l, address, FERRY_RECV));
	send_numbers(box);
	ok(box, ferry_shutdown(box, FERRY_SEND));
	receive_all(r, l);
	read_stat(l, &r->st);
	ferry_close(l);
	ferry_close(box);
}

START_TEST(a_receiver_meets_the_same_faults_as_a_sender)
{
	struct run sent, received;

	for (unsigned seed = 0; seed < 50; seed++) {
		run(&sent, ALL, seed);
		run_receiver(&received, ALL, seed);
		check(&received);
		ck_assert(same(&sent, &received));
	}
}
END_TEST

START_TEST(a_receiver_hands_out_what_it_held_when_nothing_follows)
{
	struct ferry_mailbox_options o = FERRY_MAILBOX_OPTIONS;
	struct ferry_message m;
	struct ferry_link *l;

	ok(NULL, ferry_mailbox_create(&sender, "faulty", &o));
	ok(NULL, ferry_open(&l, "fault+mailbox:faulty?reorder=1", FERRY_RECV));
	receiver = l;
	send_text(sender, "only");
	fails(l, ferry_next_len(l), -EAGAIN);
	ok(l, ferry_take(l, &m, SOON));
	ck_assert_mem_eq(m.data, "only", 4);
	ck_assert_int_eq(m.sender.pid, getpid());
	ck_assert_ptr_eq(m.link, l);
	fails(l, ferry_requeue(&m, 0), -EOPNOTSUPP);
	ok(l, ferry_release(&m));
}
END_TEST

/* --- delay ------------------------------------------------------------------------- */

START_TEST(a_delay_keeps_deadlines_and_draws_once)
{
	struct ferry_fault_stat st;
	struct ferry_link *ends[2];
	char buf[8];
	int r = 0;

	pair_with(ends, "fault+unix:", "delay=1h", 1);
	fails(ends[1], ferry_send(ends[1], "x", 1, FERRY_NOWAIT), -EAGAIN);
	fails(ends[1], ferry_send(ends[1], "x", 1, ferry_after(SHORT_TIME)),
	      -ETIMEDOUT);
	fails(ends[0], ferry_recv(ends[0], buf, 1, FERRY_NOWAIT), -EAGAIN);
	read_stat(ends[1], &st);
	ck_assert_uint_eq(st.passed + st.delayed, 0);
	ferry_cancel(ends[1]);
	fails(ends[1], ferry_send(ends[1], "x", 1, FERRY_FOREVER), -ECANCELED);
	ferry_close(ends[0]);
	ferry_close(ends[1]);

	/* Attempts that find it too early do not make it later. */
	pair_with(ends, "fault+unix:", "delay=50ms", 1);
	do
		r = ferry_send(ends[1], "x", 1, ferry_after(FERRY_MS(1)));
	while (r == -ETIMEDOUT);
	ok(ends[1], r);
	ok(ends[0], ferry_recv(ends[0], buf, 1, SOON));
	read_stat(ends[1], &st);
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

	pair_with(ends, "fault+unix:", "cut=2", 1);
	send_text(ends[1], "one");
	send_text(ends[1], "two");
	for (int i = 0; i < 3; i++)
		fails(ends[1], ferry_send(ends[1], "three", 5, SOON),
		      -ECONNRESET);
	ferry_explain(ends[1], -ECONNRESET, why, sizeof why);
	ck_assert_ptr_nonnull(strstr(why, "cut"));
	fails(ends[1], ferry_recv(ends[1], buf, 8, SOON), -ECONNRESET);
	fails(ends[1], ferry_shutdown(ends[1], FERRY_SEND), -ECONNRESET);
	read_stat(ends[1], &st);
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

	return (void *)(intptr_t)ferry_recv(l, buf, sizeof buf, SOON);
}

START_TEST(a_cut_wakes_the_other_direction_and_closes_it)
{
	struct ferry_link *ends[2];
	char buf[8];
	pthread_t t;
	void *result;

	pair_with(ends, "fault+unix:", "cut=1", 1);
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
	read_stat(ends[1], &st);
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
	read_stat(sender, &st);
	ck_assert_uint_eq(st.doubled, 0);
	fails(sender, ferry_send(sender, "b", 1, FERRY_NOWAIT), -EAGAIN);
	fails(sender, ferry_shutdown(sender, FERRY_SEND), -EBUSY);
	expect_text(receiver, "a");
	ok(sender, ferry_shutdown(sender, FERRY_SEND));
	expect_text(receiver, "a");
	read_stat(sender, &st);
	ck_assert_uint_eq(st.passed, 1);
	ck_assert_uint_eq(st.doubled, 1);
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

	pair_with(ends, "fault+unix:", "reorder=1", 1);
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

START_TEST(the_object_itself_is_not_removed_through_it)
{
	fails(NULL, ferry_destroy("fault+mailbox:x"), -EINVAL);
}
END_TEST

void add_fault_tests(TCase *tc)
{
	tcase_add_test(tc, without_a_fault_all_arrive);
	tcase_add_test(tc, what_is_dropped_does_not_arrive);
	tcase_add_test(tc, what_is_doubled_arrives_twice_in_a_row);
	tcase_add_test(tc, what_is_held_back_arrives_right_behind_the_next_one);
	tcase_add_test(tc, one_that_nothing_follows_goes_out_at_the_end);
	tcase_add_test(tc, what_is_damaged_has_one_bit_flipped);
	tcase_add_test(tc, an_empty_message_cannot_be_damaged);
	tcase_add_test(tc, all_faults_together_are_counted);
	tcase_add_test(tc, a_seed_says_what_happens);
	tcase_add_test(tc, a_receiver_meets_the_same_faults_as_a_sender);
	tcase_add_test(tc,
		       a_receiver_hands_out_what_it_held_when_nothing_follows);
	tcase_add_test(tc, a_delay_keeps_deadlines_and_draws_once);
	tcase_add_test(tc, a_cut_is_for_ever_and_the_peer_sees_it);
	tcase_add_test(tc, a_cut_wakes_the_other_direction_and_closes_it);
	tcase_add_test(tc, what_was_taken_outlives_a_cut);
	tcase_add_test(tc, a_stream_is_damaged_and_cut);
	tcase_add_test(tc, a_stream_has_no_messages_to_lose);
	tcase_add_test(tc, a_loan_meets_faults_too);
	tcase_add_test(tc, a_twin_waits_for_room_and_is_not_lost);
	tcase_add_test(tc, what_is_held_is_the_parents);
	tcase_add_test(tc, what_makes_no_sense_is_refused_with_a_sentence);
	tcase_add_test(tc, figures_are_of_links_with_faults);
	tcase_add_test(tc, it_stands_before_every_scheme);
	tcase_add_test(tc, the_object_itself_is_not_removed_through_it);
}
