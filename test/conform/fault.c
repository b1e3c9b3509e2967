/* SPDX-License-Identifier: MIT */
/*
 * What only fault+ANY has: the faults, each alone and all together, and that what
 * arrives is what was counted.
 */
#include <stdint.h>

#include "fault.h"

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

void read_faults(struct ferry_link *l, struct ferry_fault_stat *st)
{
	st->size = sizeof *st;
	ok(l, ferry_fault_stat(l, st));
}

void pair_with_faults(struct ferry_link *ends[2], const char *keys,
		      unsigned seed)
{
	char address[200];

	snprintf(address, sizeof address,
		 "fault+unix:?type=seqpacket&seed=%u%s%s", seed,
		 *keys ? "&" : "", keys);
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
	pair_with_faults(ends, keys, seed);
	send_numbers(ends[1]);
	ok(ends[1], ferry_shutdown(ends[1], FERRY_SEND));
	read_faults(ends[1], &r->st);
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
		pair_with_faults(ends, "reorder=1", 1);
		make_message(words, 5);
		ok(ends[1], ferry_send(ends[1], words, LEN, SOON));
		fails(ends[0], ferry_recv(ends[0], words, LEN, FERRY_NOWAIT),
		      -EAGAIN);
		if (by_shutdown) {
			ok(ends[1], ferry_shutdown(ends[1], FERRY_SEND));
			read_faults(ends[1], &r.st);
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

	pair_with_faults(ends, "damage=1", 1);
	ok(ends[1], ferry_send(ends[1], NULL, 0, SOON));
	ck_assert_int_eq(ferry_recv(ends[0], buf, sizeof buf, SOON), 0);
	read_faults(ends[1], &st);
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
	read_faults(l, &r->st);
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
}
