/* SPDX-License-Identifier: MIT */
/* Sleeping: what ends it, and who looks for the dead meanwhile. */
#include "wait/wait.h"

#include <pthread.h>
#include <sched.h>

#include "realm/realm.h"
#include "sys/ready.h"
#include "sys/token.h"
#include "unit.h"
#include "wait/knob.h"

static struct {
	uint32_t word, ready, leave, slot[4];
	struct ferryi_wait waits[4]; /* of realm_sleeper */
	uint32_t ended;
} * s;

static void setup(void)
{
	s = shared(sizeof *s);
}

/* --- one sleeper ------------------------------------------------------------- */

struct sleeper {
	struct ferryi_wait w;
	struct ferryi_cancel cancel;
	int fd; /* -1: sleeps on words */
	pid_t tid;
	int result;
};

static void *sleep_until_an_error(void *arg)
{
	struct sleeper *p = arg;
	int r;

	__atomic_store_n(&p->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	do {
		ferryi_wait_begin(&p->w);
		if (p->fd >= 0)
			ferryi_wait_fd(&p->w, p->fd, POLLIN);
		else
			ferryi_wait_word(&p->w, &s->word, 0);
		r = ferryi_wait_sleep(&p->w);
	} while (r == 0);
	ferryi_wait_end(&p->w, r);
	p->result = r;
	return NULL;
}

/* The state of a process, or a thread of ours, is S: it sleeps in the kernel. */
static bool is_asleep(pid_t tid)
{
	char path[64], text[300] = "";
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, text, sizeof text - 1);
	close(fd);
	return n > 0 && strstr(text, ") S ");
}

START_TEST(a_cancel_wakes_a_sleeper_on_words_and_on_descriptors)
{
	struct sleeper p = { .fd = -1 };
	int ends[2];
	pthread_t t;

	ck_assert_int_eq(pipe(ends), 0);
	ok(ferryi_cancel_init(&p.cancel, _i == 1));
	p.fd = _i == 1 ? ends[0] : -1;
	ferryi_wait_init(&p.w, SOON, &p.cancel);
	pthread_create(&t, NULL, sleep_until_an_error, &p);
	until(__atomic_load_n(&p.tid, __ATOMIC_SEQ_CST) && is_asleep(p.tid));
	ferryi_cancel_set(&p.cancel);
	pthread_join(t, NULL);
	ck_assert_int_eq(p.result, -ECANCELED);
	ferryi_cancel_fini(&p.cancel);
}
END_TEST

START_TEST(a_cancel_holds_until_it_is_cleared)
{
	struct ferryi_cancel c;
	struct ferryi_wait w;
	int r;

	ferryi_wait_init(&w, ferryi_now() + FERRY_MS(10), &c);
	ok(ferryi_cancel_init(&c, _i == 1));
	ferryi_cancel_set(&c);
	ferryi_wait_begin(&w);
	if (_i == 0)
		ferryi_wait_word(&w, &s->word, 0);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(ferryi_wait_sleep(&w), -ECANCELED);
	ferryi_cancel_clear(&c);
	while ((r = ferryi_wait_sleep(&w)) == 0)
		;
	ck_assert_int_eq(r, -ETIMEDOUT);
	ferryi_cancel_fini(&c);
}
END_TEST

/* What happens just before the library reads; in the place of that of libc. */
static struct ferryi_cancel *cancelled_by_read;

ssize_t read(int fd, void *buf, size_t size)
{
	struct ferryi_cancel *c = cancelled_by_read;

	cancelled_by_read = NULL;
	if (c)
		ferryi_cancel_set(c);
	return syscall(SYS_read, fd, buf, size);
}

START_TEST(a_cancel_while_it_is_cleared_is_seen_or_undone)
{
	struct ferryi_cancel c;
	struct pollfd p = { .events = POLLIN };

	ok(ferryi_cancel_init(&c, true));
	ferryi_cancel_set(&c);
	cancelled_by_read = &c;
	ferryi_cancel_clear(&c);
	ck_assert_ptr_null(cancelled_by_read);
	p.fd = c.fd;
	ck_assert_int_eq(ferryi_poll(&p, 1, 0), (int)c.word);
	ferryi_cancel_clear(&c);
	ck_assert_int_eq(ferryi_poll(&p, 1, 0), 0);
	ferryi_cancel_fini(&c);
}
END_TEST

START_TEST(a_sleep_ends_at_its_deadline)
{
	ferry_time end = ferryi_now() + FERRY_MS(40);
	struct sleeper p = { .fd = -1 };
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	p.fd = _i == 1 ? ends[0] : -1;
	ferryi_wait_init(&p.w, end, NULL);
	sleep_until_an_error(&p);
	ck_assert_int_eq(p.result, -ETIMEDOUT);
	ck_assert_int_ge(ferryi_now(), end);
}
END_TEST

START_TEST(a_call_that_may_not_wait_does_not)
{
	struct ferryi_wait w;

	ferryi_wait_init(&w, FERRY_NOWAIT, NULL);
	ferryi_wait_begin(&w);
	ferryi_wait_word(&w, &s->word, 0);
	ck_assert_int_eq(ferryi_wait_check(&w), -EAGAIN);
	ck_assert_int_eq(ferryi_wait_sleep(&w), -EAGAIN);
	w.deadline = 1;
	ck_assert_int_eq(ferryi_wait_check(&w), -ETIMEDOUT);
	w.deadline = FERRY_FOREVER;
	ck_assert_int_eq(ferryi_wait_check(&w), 0);
}
END_TEST

START_TEST(a_tick_ends_one_sleep_but_not_the_call)
{
	struct ferryi_wait w;
	ferry_time at = ferryi_now() + FERRY_MS(20);
	int ends[2];

	ferryi_wait_init(&w, FERRY_FOREVER, NULL);
	ck_assert_int_eq(pipe(ends), 0);
	do {
		ferryi_wait_begin(&w);
		ferryi_wait_tick(&w, at + FERRY_S(1000));
		ferryi_wait_tick(&w, at);
		if (_i == 1)
			ferryi_wait_fd(&w, ends[0], POLLIN);
		else
			ferryi_wait_word(&w, &s->word, 0);
		ck_assert_int_eq(ferryi_wait_sleep(&w), 0);
	} while (!ferryi_futex_has_waitv() && ferryi_now() < at);
	ck_assert_int_ge(ferryi_now(), at);
	ck_assert_int_eq(ferryi_wait_check(&w), 0);
}
END_TEST

START_TEST(a_full_set_leaves_out_what_does_not_fit)
{
	struct ferryi_wait w;
	int r;

	ferryi_wait_init(&w, ferryi_now() + FERRY_MS(5), NULL);
	ferryi_wait_begin(&w);
	for (int i = 0; i < 2 * FERRYI_WAIT_WORDS; i++)
		ferryi_wait_word(&w, &s->word, 0);
	while ((r = ferryi_wait_sleep(&w)) == 0)
		;
	ck_assert_int_eq(r, -ETIMEDOUT);
}
END_TEST

/* --- several processes of a realm ---------------------------------------------- */

static struct ferryi_realm *realm;

static struct ferryi_registry_control *control(void)
{
	return ferryi_realm_registry(realm)->control;
}

static void join(void)
{
	ok(ferryi_realm_join(&realm, realm_path(), FERRYI_MAKE_REGISTRY));
}

/* Sleep in the realm until the word of this sleeper is set. */
static void realm_sleeper(void *arg)
{
	uint32_t *word = &s->slot[(intptr_t)arg];
	struct ferryi_wait *w = &s->waits[(intptr_t)arg];

	ferryi_wait_init(w, FERRY_FOREVER, NULL);
	join();
	*word = ferryi_realm_owner(realm) + 1;
	gate_add(&s->ready);
	while (gate_count(word) < 1000) {
		ferryi_wait_begin(w);
		w->realm = realm;
		w->epoch = ferryi_load(&control()->epoch);
		ferryi_wait_word(w, word, ferryi_realm_owner(realm) + 1);
		ok(ferryi_wait_sleep(w));
	}
	ferryi_wait_end(w, 0);
	gate_await(&s->leave, 1); /* the end of a process rings the bell, too */
	ferryi_realm_leave(realm);
}

/* The short sleeps of a realm_sleeper are over. */
static bool sleeps_for_good(intptr_t i, pid_t pid)
{
	return *(volatile unsigned *)&s->waits[i].looks >= 2 && is_asleep(pid);
}

static void end_sleeper(uint32_t *word)
{
	__atomic_store_n(word, 1000, __ATOMIC_SEQ_CST);
	ferryi_futex_wake(word, INT_MAX);
}

static uint32_t net(void)
{
	return ferryi_load(&control()->net);
}

START_TEST(one_of_several_sleepers_has_the_safety_net_and_hands_it_over)
{
	uint32_t first, second;
	pid_t pid[3];

	if (!ferryi_futex_has_waitv())
		return; /* then everybody looks now and then, nobody is elected */
	setenv("FERRY_NET_MS", "50", 1);
	join();
	for (intptr_t i = 0; i < 3; i++)
		pid[i] = child(realm_sleeper, (void *)i);
	gate_await(&s->ready, 3);
	for (int i = 0; i < 3; i++)
		until(sleeps_for_good(i, pid[i]));
	first = net();
	for (int i = 0; i < 3; i++)
		if (s->slot[i] == first) {
			if (_i == 0) {
				kill_child(pid[i]);
				pid[i] = 0;
			} else {
				end_sleeper(&s->slot[i]);
			}
		}
	until((second = net()) != 0 && second != first);
	ck_assert(second == s->slot[0] || second == s->slot[1] ||
		  second == s->slot[2]);
	for (int i = 0; i < 3; i++)
		if (pid[i])
			end_sleeper(&s->slot[i]);
	gate_add(&s->leave);
	for (int i = 0; i < 3; i++)
		if (pid[i])
			expect_exit(pid[i], 0);
	ck_assert_uint_eq(net(), 0);
	ferryi_realm_leave(realm);
}
END_TEST

static bool is_live(uint32_t owner)
{
	return ferryi_slot_live(&ferryi_realm_registry(realm)->slots[owner]);
}

START_TEST(without_the_net_a_death_is_noticed_by_the_bell)
{
	pid_t dying, sleeper;

	setenv("FERRY_NET_MS", "0", 1);
	join();
	sleeper = child(realm_sleeper, (void *)0);
	dying = child(realm_sleeper, (void *)1);
	until(sleeps_for_good(0, sleeper) && sleeps_for_good(1, dying));
	kill_child(dying);
	until(!is_live(s->slot[1] - 1)); /* nobody but the sleeper looks */
	ck_assert_uint_eq(net(), 0);
	end_sleeper(&s->slot[0]);
	gate_add(&s->leave);
	expect_exit(sleeper, 0);
	ferryi_realm_leave(realm);
}
END_TEST

/* Takes part, and rings no bell when it dies. */
static void silent(void *arg)
{
	uint32_t *word = arg;

	join();
	ferryi_token_forget();
	__atomic_store_n(word, ferryi_realm_owner(realm) + 1, __ATOMIC_SEQ_CST);
	for (;;)
		pause();
}

/* Ring, have the sleeper look, and only then let somebody die.  False: nobody
 * has found that in two seconds; after more than 255 ms nobody has to. */
static bool is_found_after_a_look(void)
{
	int64_t looked_at = ferryi_load(&control()->looked_at), end;
	pid_t dying;

	s->slot[1] = 0;
	dying = child(silent, &s->slot[1]);
	until(gate_count(&s->slot[1]) != 0);
	ferryi_futex_wake(&control()->death, 1);
	until(ferryi_load(&control()->looked_at) != looked_at);
	kill_child(dying);
	end = ferryi_now() + FERRY_S(2);
	while (is_live(s->slot[1] - 1) && ferryi_now() < end)
		sched_yield();
	return !is_live(s->slot[1] - 1);
}

/* The kernel rings before it drops the dead one's locks. */
START_TEST(who_has_heard_the_bell_looks_more_than_once)
{
	pid_t sleeper;
	int n = 0;

	if (!ferryi_futex_has_waitv())
		return; /* then nobody hears it */
	setenv("FERRY_NET_MS", "0", 1);
	join();
	sleeper = child(realm_sleeper, (void *)0);
	until(sleeps_for_good(0, sleeper));
	while (n < 5 && !is_found_after_a_look())
		n++;
	ck_assert_int_lt(n, 5);
	end_sleeper(&s->slot[0]);
	gate_add(&s->leave);
	expect_exit(sleeper, 0);
	ferryi_realm_leave(realm);
}
END_TEST

/* A look between the begin of a call and a death does not make up for a bell
 * that rang when nobody slept. */
START_TEST(a_look_before_the_sleep_does_not_spare_one_after_it)
{
	struct ferryi_wait w;
	pid_t dying;

	ferryi_wait_init(&w, ferryi_now() + FERRY_S(20), NULL);
	setenv("FERRY_NET_MS", "0", 1);
	join();
	dying = child(realm_sleeper, (void *)0);
	gate_await(&s->ready, 1);
	ferryi_wait_begin(&w);
	ferryi_store(&control()->looked_at, ferryi_now());
	kill_child(dying);
	while (is_live(s->slot[0] - 1)) {
		ferryi_wait_begin(&w);
		w.realm = realm;
		w.epoch = ferryi_load(&control()->epoch);
		ferryi_wait_word(&w, &s->word, 0);
		ok(ferryi_wait_sleep(&w));
	}
	ferryi_wait_end(&w, 0);
	ferryi_realm_leave(realm);
}
END_TEST

/* Both looks with which a wait begins; whether there was one within 300 ms. */
static bool somebody_looks(void)
{
	struct ferryi_wait w;
	int64_t before = ferryi_load(&control()->looked_at);
	int r;

	ferryi_wait_init(&w, ferryi_now() + FERRY_MS(300), NULL);
	do {
		ferryi_wait_begin(&w);
		w.realm = realm;
		w.epoch = ferryi_load(&control()->epoch);
		ferryi_wait_word(&w, &s->word, 0);
		r = ferryi_wait_sleep(&w);
	} while (r == 0);
	ck_assert_int_eq(r, -ETIMEDOUT);
	ferryi_wait_end(&w, r);
	return ferryi_load(&control()->looked_at) != before;
}

START_TEST(looks_are_as_rare_as_they_are_dear)
{
	setenv("FERRY_NET_MS", "0", 1);
	join();
	ck_assert(somebody_looks());
	ferryi_put(&control()->look_us, 100000);
	ck_assert(!somebody_looks());
	ferryi_put(&control()->look_us, 0);
	ck_assert(somebody_looks());
	ferryi_realm_leave(realm);
}
END_TEST

START_TEST(a_process_that_is_pinned_spins_where_there_are_other_cpus)
{
	cpu_set_t one;

	unsetenv("FERRY_SPIN_US");
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	ok(sched_setaffinity(0, sizeof one, &one));
	ck_assert_int_eq(ferryi_knob_spin(),
			 sysconf(_SC_NPROCESSORS_ONLN) > 1 ? FERRY_US(20) : 0);
}
END_TEST

START_TEST(a_foreign_write_to_the_death_word_is_healed)
{
	join();
	ferryi_store(&control()->death, 7);
	ck_assert_int_eq(ferryi_realm_look(realm, NULL), 0);
	ck_assert_uint_eq(control()->death, 0);
	ferryi_realm_leave(realm);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("wait");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(
		t, a_cancel_wakes_a_sleeper_on_words_and_on_descriptors, 0, 2);
	tcase_add_loop_test(t, a_cancel_holds_until_it_is_cleared, 0, 2);
	tcase_add_test(t, a_cancel_while_it_is_cleared_is_seen_or_undone);
	tcase_add_loop_test(t, a_sleep_ends_at_its_deadline, 0, 2);
	tcase_add_test(t, a_call_that_may_not_wait_does_not);
	tcase_add_loop_test(t, a_tick_ends_one_sleep_but_not_the_call, 0, 2);
	tcase_add_test(t, a_full_set_leaves_out_what_does_not_fit);
	tcase_add_loop_test(
		t, one_of_several_sleepers_has_the_safety_net_and_hands_it_over,
		0, 2);
	tcase_add_test(t, without_the_net_a_death_is_noticed_by_the_bell);
	tcase_add_test(t, who_has_heard_the_bell_looks_more_than_once);
	tcase_add_test(t, looks_are_as_rare_as_they_are_dear);
	tcase_add_test(
		t, a_process_that_is_pinned_spins_where_there_are_other_cpus);
	tcase_add_test(t, a_look_before_the_sleep_does_not_spare_one_after_it);
	tcase_add_test(t, a_foreign_write_to_the_death_word_is_healed);
	return unit_main(t, "wait");
}
