/* SPDX-License-Identifier: MIT */
/*
 * Faults that an attack on the design found, each as a test that it once
 * failed.  The one of the stopped sender is a scenario of test/crash, at
 * every instruction.  The safety net is off in all of them.
 */
#include "fault.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "look.h"

/* doc/format.md: control words of the registry and of a mailbox. */
#define AT_DEATH 4096
#define AT_EPOCH (4096 + 128)
#define AT_GATES (4096 + 256)

static void repair(void)
{
	struct ferry_garbage *g = NULL;
	size_t n;

	works(NULL, ferry_gc(NULL, true, &g, &n));
	ferry_free(g);
}

static uint32_t word_at(const char *name, long at)
{
	uint32_t w = 0;
	int fd = open(path_of(name), O_RDONLY | O_CLOEXEC);

	ck_assert(pread(fd, &w, sizeof(w), at) == sizeof(w));
	close(fd);
	return w;
}

/* A receiver asleep; it tells when it has a message. */
static void sleep_for_one(struct child *c, void *arg)
{
	struct ferry_link *box = open_box(arg);
	struct ferry_message m;

	child_tell(c);
	works(box, ferry_take(box, &m, FERRY_FOREVER));
	works(box, ferry_release(&m));
	child_tell(c);
	child_hear(c); /* the end of a process rings the bell, too */
	ferry_close(box);
}

static void end_sleeper(struct child *c)
{
	child_tell(c);
	child_join(c);
}

static struct child start_sleeper(char *name)
{
	struct child c = child_start(sleep_for_one, name);

	child_hear(&c);
	ck_assert(look_await_long_sleep(c.pid, 30));
	return c;
}

/*
 * Who lies down looks for the dead a moment later and once more, and so finds
 * by itself what it was not woken for; after that it depends on being woken.
 */
START_TEST(who_has_slept_for_long_is_woken_by_a_send)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	char name[] = "box";

	for (int i = 0; i < 3; i++) {
		struct child c = start_sleeper(name);

		works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
		child_hear(&c);
		end_sleeper(&c);
	}
	ferry_close(box);
}
END_TEST

/* The second send finds the first one's wake-up on its way and leaves the other
 * sleeper to who was woken. */
START_TEST(two_who_have_slept_for_long_are_both_woken)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	char name[] = "box";
	struct child c[2] = { start_sleeper(name), start_sleeper(name) };

	works(box, ferry_send(box, "1", 1, FERRY_NOWAIT));
	works(box, ferry_send(box, "2", 1, FERRY_NOWAIT));
	for (int i = 0; i < 2; i++)
		child_hear(&c[i]);
	for (int i = 0; i < 2; i++)
		end_sleeper(&c[i]);
	ferry_close(box);
}
END_TEST

static void send_when_there_is_room(struct child *c, void *arg)
{
	struct ferry_link *box = open_box(arg);

	child_tell(c);
	works(box, ferry_send(box, "x", 1, FERRY_FOREVER));
	child_tell(c);
	ferry_close(box);
}

START_TEST(who_has_slept_for_long_is_woken_by_a_free_place)
{
	struct ferry_link *box = make_box("box", 1, FERRY_PERSIST_PROCESS);
	char name[] = "box", buf[8];

	works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
	for (int i = 0; i < 3; i++) {
		struct child c = child_start(send_when_there_is_room, name);

		child_hear(&c);
		ck_assert(look_await_long_sleep(c.pid, 30));
		works(box, ferry_recv(box, buf, 8, FERRY_NOWAIT));
		child_hear(&c);
		child_join(&c);
	}
	ferry_close(box);
}
END_TEST

/* It runs on the CPU of the caller, and only when that sleeps. */
static void let_it_run_last(pid_t pid)
{
	struct sched_param none = { 0 };
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	ck_assert(sched_setaffinity(0, sizeof(one), &one) == 0);
	ck_assert(sched_setaffinity(pid, sizeof(one), &one) == 0);
	ck_assert(sched_setscheduler(pid, SCHED_IDLE, &none) == 0);
}

/*
 * Who is stopped between its wake-up and its return has taken the wake-up
 * with it.  It must not keep the others from what is sent later.
 */
START_TEST(who_is_stopped_on_waking_does_not_keep_the_others_asleep)
{
	struct ferry_link *box = make_box("box", 8, FERRY_PERSIST_PROCESS);
	char name[] = "box";
	struct child stopped = start_sleeper(name), other;

	let_it_run_last(stopped.pid);
	other = start_sleeper(name);
	works(box, ferry_send(box, "1", 1, FERRY_NOWAIT)); /* for the first */
	kill(stopped.pid, SIGSTOP);
	look_pause_us(50000);
	works(box, ferry_send(box, "2", 1, FERRY_NOWAIT));
	child_hear(&other);
	end_sleeper(&other);
	kill(stopped.pid, SIGCONT);
	child_hear(&stopped);
	end_sleeper(&stopped);
	ferry_close(box);
}
END_TEST

/* How many of 100 looks in half a second find it asleep. */
static int times_asleep(pid_t pid)
{
	int n = 0;

	for (int i = 0; i < 100; i++) {
		n += look_in_futex(pid);
		look_pause_us(5000);
	}
	return n;
}

START_TEST(a_stray_write_to_the_bell_costs_little_and_heals)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	char name[] = "box";
	uint32_t junk = 0x12345678;
	struct child c = start_sleeper(name);

	scribble(".ferry", AT_DEATH, &junk, sizeof(junk));
	scribble(".ferry", AT_EPOCH, &junk, sizeof(junk));
	kill(c.pid, SIGSTOP); /* so that it looks at the words again */
	kill(c.pid, SIGCONT);
	ck_assert_int_gt(times_asleep(c.pid), 20);
	works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
	child_hear(&c);
	end_sleeper(&c);
	c = start_sleeper(name);
	ck_assert_int_gt(times_asleep(c.pid), 20);
	works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
	child_hear(&c);
	end_sleeper(&c);
	repair();
	ck_assert_uint_eq(word_at(".ferry", AT_DEATH), 0);
	ferry_close(box);
}
END_TEST

START_TEST(a_stray_write_to_the_gates_costs_little_and_heals)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	uint32_t junk[3] = { 0xdeadbeef, 0xdeadbeef, 0xdeadbeef };
	char name[] = "box";

	scribble("box", AT_GATES, junk, sizeof(junk));
	for (int i = 0; i < 2; i++) {
		struct child c = start_sleeper(name);

		scribble("box", AT_GATES, junk, sizeof(junk));
		ck_assert_int_gt(times_asleep(c.pid), 20);
		works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
		child_hear(&c);
		end_sleeper(&c);
	}
	repair();
	for (int i = 0; i < 3; i++)
		ck_assert_uint_le(word_at("box", AT_GATES + 4 * i), 1);
	ferry_close(box);
}
END_TEST

static void hold_a_then_use_b(struct child *c, void *arg)
{
	struct ferry_link *a = open_box("a"), *b = open_box("b");
	struct ferry_message m;

	(void)arg;
	works(a, ferry_take(a, &m, FERRY_NOWAIT));
	works(b, ferry_send(b, "x", 1, FERRY_NOWAIT));
	child_tell(c);
	pause();
}

START_TEST(the_bell_of_a_realm_rings_for_every_mailbox)
{
	struct ferry_link *a = make_box("a", 4, FERRY_PERSIST_PROCESS);
	struct ferry_link *b = make_box("b", 4, FERRY_PERSIST_PROCESS);
	char name[] = "a";
	struct child holder, sleeper;

	works(a, ferry_send(a, "x", 1, FERRY_NOWAIT));
	holder = child_start(hold_a_then_use_b, NULL);
	child_hear(&holder);
	sleeper = start_sleeper(name);
	child_kill(&holder);
	child_hear(&sleeper);
	end_sleeper(&sleeper);
	ferry_close(a);
	ferry_close(b);
}
END_TEST

static void join_and_stay(struct child *c, void *arg)
{
	(void)arg;
	open_box("box");
	child_tell(c);
	pause();
}

static void hold_one(struct child *c, void *arg)
{
	struct ferry_link *box = open_box("box");
	struct ferry_message m;

	(void)arg;
	works(box, ferry_take(box, &m, FERRY_NOWAIT));
	child_tell(c);
	pause();
}

#define CROWD 1000

START_TEST(a_death_among_a_thousand_is_found_soon)
{
	static struct child crowd[CROWD];
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	struct child holder, sleeper[8];
	char name[] = "box";
	struct ferry_mailbox_stat st = { .size = sizeof(st) };
	double began;

	works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
	for (int i = 0; i < CROWD; i++) {
		crowd[i] = child_start(join_and_stay, NULL);
		child_hear(&crowd[i]);
		close(crowd[i].to);
		close(crowd[i].from);
	}
	holder = child_start(hold_one, NULL);
	child_hear(&holder);
	for (int i = 0; i < 8; i++)
		sleeper[i] = start_sleeper(name);
	began = look_clock();
	child_kill(&holder);
	do { /* the limit of the test case ends a wait without an end */
		look_pause_us(1000);
		works(box, ferry_stat(box, &st));
	} while (st.held || st.returned);
	printf("a death among %d was found in %.1f ms\n", CROWD,
	       (look_clock() - began) * 1e3);
	for (int i = 0; i < 8; i++)
		child_kill(&sleeper[i]);
	for (int i = 0; i < CROWD; i++)
		kill(crowd[i].pid, SIGKILL);
	for (int i = 0; i < CROWD; i++)
		waitpid(crowd[i].pid, NULL, 0);
	began = look_clock();
	repair();
	printf("a thousand deaths were repaired in %.1f ms\n",
	       (look_clock() - began) * 1e3);
	ferry_close(box);
}
END_TEST

/* Holds a message, and has a child that lives on with all its descriptors. */
static void hold_and_fork(struct child *c, void *arg)
{
	struct ferry_link *box = open_box("box");
	struct ferry_message m;
	int *heir = arg;

	works(box, ferry_take(box, &m, FERRY_NOWAIT));
	*heir = fork();
	if (*heir == 0) {
		pause();
		_exit(0);
	}
	ck_assert(write(c->to, heir, sizeof(*heir)) == sizeof(*heir));
	pause();
}

START_TEST(a_lease_does_not_outlive_its_process_in_a_child)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	struct ferry_message m;
	struct child holder;
	int heir = 0;

	works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
	holder = child_start(hold_and_fork, &heir);
	ck_assert(read(holder.from, &heir, sizeof(heir)) == sizeof(heir));
	child_kill(&holder);
	works(box, ferry_take(box, &m, ferry_after(FERRY_S(5))));
	ck_assert(m.redelivered);
	works(box, ferry_release(&m));
	kill(heir, SIGKILL);
	ferry_close(box);
}
END_TEST

static void send_own_pid(struct child *c, void *arg)
{
	struct ferry_link *box = open_box("box");
	pid_t me = getpid();

	(void)c;
	(void)arg;
	works(box, ferry_send(box, &me, sizeof(me), FERRY_NOWAIT));
	ferry_close(box);
}

START_TEST(a_hundred_one_shot_senders_leave_a_hundred_right_pids)
{
	struct ferry_link *box = make_box("box", 100, FERRY_PERSIST_PROCESS);
	struct ferry_message m;

	for (int i = 0; i < 100; i++) {
		struct child c = child_start(send_own_pid, NULL);

		child_join(&c);
	}
	for (int i = 0; i < 100; i++) {
		works(box, ferry_take(box, &m, FERRY_NOWAIT));
		ck_assert_int_eq(m.sender.pid, *(pid_t *)m.data);
		ck_assert_uint_eq(m.sender.uid, getuid());
		ck_assert_uint_ne(m.sender.start_time, 0);
		works(box, ferry_release(&m));
	}
	ferry_close(box);
}
END_TEST

START_TEST(capacity_counts_messages_not_positions)
{
	struct ferry_link *box = make_box("box", 8, FERRY_PERSIST_PROCESS);
	struct ferry_message held[8], m;

	for (int i = 0; i < 8; i++)
		works(box, ferry_send(box, "x", 1, FERRY_NOWAIT));
	refused(box, ferry_send(box, "x", 1, FERRY_NOWAIT), -EAGAIN, "8");
	for (int i = 0; i < 8; i++)
		works(box, ferry_take(box, &held[i], FERRY_NOWAIT));
	for (int i = 1; i < 8; i++)
		works(box, ferry_release(&held[i]));
	for (int i = 0; i < 8; i++)
		works(box, ferry_send(box, "y", 1, FERRY_NOWAIT));
	refused(box, ferry_send(box, "x", 1, FERRY_NOWAIT), -EAGAIN, "8");
	works(box, ferry_requeue(&held[0], 0));
	for (int i = 0; i < 9; i++) {
		works(box, ferry_take(box, &m, FERRY_NOWAIT));
		works(box, ferry_release(&m));
	}
	refused(box, ferry_take(box, &m, FERRY_NOWAIT), -EAGAIN, "");
	ferry_close(box);
}
END_TEST

Suite *regress_suite(void)
{
	Suite *s = suite_create("regress");
	TCase *t = fault_case("regress", 120);

	tcase_add_test(t, who_has_slept_for_long_is_woken_by_a_send);
	tcase_add_test(t, two_who_have_slept_for_long_are_both_woken);
	tcase_add_test(t, who_has_slept_for_long_is_woken_by_a_free_place);
	tcase_add_test(
		t, who_is_stopped_on_waking_does_not_keep_the_others_asleep);
	tcase_add_test(t, a_stray_write_to_the_bell_costs_little_and_heals);
	tcase_add_test(t, a_stray_write_to_the_gates_costs_little_and_heals);
	tcase_add_test(t, the_bell_of_a_realm_rings_for_every_mailbox);
	tcase_add_test(t, a_death_among_a_thousand_is_found_soon);
	tcase_add_test(t, a_lease_does_not_outlive_its_process_in_a_child);
	tcase_add_test(t,
		       a_hundred_one_shot_senders_leave_a_hundred_right_pids);
	tcase_add_test(t, capacity_counts_messages_not_positions);
	suite_add_tcase(s, t);
	return s;
}
