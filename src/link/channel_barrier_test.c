/* SPDX-License-Identifier: MIT */
/*
 * Who goes to sleep on a ring, and who stores there without a fence: one of the two
 * sees the other, with the kernel's barrier between.
 */
#include "sys/barrier.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "shm/atomic.h"
#include "shm/ring.h"
#include "unit.h"

#define ROUNDS 200000u
#define SLOTS  16u

static struct ferryi_ring_shared shared_part;
static _Alignas(64) uint8_t slots[SLOTS * FERRYI_SLOT];
static uint64_t bits[2][1];
static struct ferryi_ring sender, receiver;

/* Both begin each round at the same time, as far as two threads can. */
static _Alignas(128) uint32_t ready[2];

static void meet(unsigned me, uint32_t round)
{
	__atomic_store_n(&ready[me], round, __ATOMIC_SEQ_CST);
	for (unsigned n = 0;
	     __atomic_load_n(&ready[!me], __ATOMIC_SEQ_CST) < round; n++)
		if (n > 100000)
			sched_yield();
}

/* A little later than the other one, or earlier, in every way some time. */
static void lag(uint32_t n)
{
	for (volatile uint32_t i = 0; i < n % 61; i++)
		;
}

/* Each on a CPU of its own: on one, nothing is in flight when the other one runs. */
static bool stay_on(unsigned me)
{
	cpu_set_t all, one;

	CPU_ZERO(&one);
	if (sched_getaffinity(0, sizeof all, &all) != 0)
		return false;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) && me-- == 0) {
			CPU_SET(cpu, &one);
			return sched_setaffinity(0, sizeof one, &one) == 0;
		}
	return false;
}

static int bad[2]; /* an assertion would write a line, which takes too long */
static bool woke[ROUNDS + 1], saw[ROUNDS + 1];

static void *send(void *arg)
{
	void *place;

	stay_on(0);
	for (uint32_t i = 1; i <= ROUNDS; i++) {
		bad[0] |= ferryi_ring_loan(&sender, 8, &place);
		memcpy(place, &i, sizeof i);
		ferryi_fetch(&shared_part.wants_more); /* its line is near */
		meet(0, 2 * i - 1);
		lag(i * 7);
		bad[0] |= ferryi_ring_commit(&sender, 8, false);
		woke[i] = ferryi_ring_lower_more(&sender);
		meet(0, 2 * i);
	}
	return arg;
}

static void go_to_sleep(struct ferryi_ring *of)
{
	ferryi_ring_ask_more(of);
	ferryi_barrier();
}

static void *receive(void *arg)
{
	struct ferryi_ring_message m;

	stay_on(1);
	for (uint32_t i = 1; i <= ROUNDS; i++) {
		meet(1, 2 * i - 1);
		lag(i * 5);
		go_to_sleep(&receiver);
		saw[i] = ferryi_ring_has_more(&receiver);
		meet(1, 2 * i);
		bad[1] |= ferryi_ring_take(&receiver, 64, &m);
		ferryi_ring_end_all(&receiver);
		ferryi_ring_lower_more(&sender); /* as if it had slept */
	}
	return arg;
}

START_TEST(a_sleeper_or_who_wakes_it_sees_the_other)
{
	pthread_t t[2];
	unsigned woken = 0, seen = 0;

	ok(ferryi_barrier_register());
	ferryi_ring_attach(&sender, &shared_part, slots, SLOTS, bits[0]);
	ferryi_ring_attach(&receiver, &shared_part, slots, SLOTS, bits[1]);
	sender.reached = receiver.reached = true;
	shared_part.more_barrier = 1;
	shared_part.room_barrier = 1;
	pthread_create(&t[0], NULL, send, NULL);
	pthread_create(&t[1], NULL, receive, NULL);
	pthread_join(t[0], NULL);
	pthread_join(t[1], NULL);
	ck_assert_int_eq(bad[0], 0);
	ck_assert_int_eq(bad[1], 0);
	for (unsigned i = 1; i <= ROUNDS; i++) {
		ck_assert_msg(woke[i] || saw[i],
			      "in round %u both have missed each other", i);
		woken += woke[i];
		seen += saw[i];
	}
	printf("%u woken, %u seen\n", woken, seen);
	ck_assert_uint_gt(woken + seen, 0);
}
END_TEST

/* Under Valgrind there is one thread at a time, and no such call. */
static bool has_barriers(void)
{
	int r = ferryi_barrier_register();

	if (r < 0)
		printf("skipped: membarrier(2): %s\n", strerror(-r));
	return r == 0;
}

int main(void)
{
	TCase *t;

	if (!has_barriers())
		return 77;
	t = tcase_create("barriers");
	tcase_add_test(t, a_sleeper_or_who_wakes_it_sees_the_other);
	return unit_main(t, "channel_barrier");
}
