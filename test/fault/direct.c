/* SPDX-License-Identifier: MIT */
/*
 * Processes that know each other by name: who a sender is, what is read when one
 * dies, who has a name then, and that a pair has one link.
 */
#include "fault.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOON   ferry_after(FERRY_S(20))
#define LITTLE ferry_after(FERRY_MS(50))

static struct ferry_link *receive_as(const char *address)
{
	struct ferry_link *l;

	works(NULL, ferry_open(&l, address, FERRY_RECV));
	return l;
}

static struct ferry_link *open_to(const char *address, unsigned flags)
{
	struct ferry_link *l;

	works(NULL, ferry_open(&l, address, flags));
	return l;
}

static void say(struct ferry_link *l, const char *text)
{
	works(l, ferry_send(l, text, strlen(text), SOON));
}

static void hear(struct ferry_link *l, const char *text)
{
	char got[100];
	ssize_t n = ferry_recv(l, got, sizeof got - 1, SOON);

	works(l, n);
	got[n] = 0;
	ck_assert_str_eq(got, text);
}

static void hear_nothing(struct ferry_link *l)
{
	char byte;

	refused(l, ferry_recv(l, &byte, 1, LITTLE), -ETIMEDOUT, "");
}

static struct child start(void (*run)(struct child *c, void *arg),
			  const char *text)
{
	return child_start(run, (void *)text);
}

/* Segments of channels that are open here. */
static int count_links(void)
{
	DIR *d = opendir("/proc/self/fd");
	char target[64];
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d))) {
		ssize_t len =
			readlinkat(dirfd(d), e->d_name, target, sizeof target);

		n += len > 12 && strncmp(target, "/memfd:ferry", 12) == 0;
	}
	closedir(d);
	return n;
}

/* --- names ------------------------------------------------------------------- */

static void hold_app(struct child *c, void *arg)
{
	struct ferry_link *l = receive_as("process:app");

	(void)arg;
	(void)l;
	child_tell(c);
	pause();
}

START_TEST(a_name_of_the_living_is_refused_one_of_the_killed_taken_over)
{
	struct child other = child_start(hold_app, NULL);
	struct ferry_link *l;
	char pid[20];

	child_hear(&other);
	snprintf(pid, sizeof pid, "pid %d", (int)other.pid);
	refused(NULL, ferry_open(&l, "process:app", FERRY_RECV), -EBUSY, pid);
	child_kill(&other);
	l = receive_as("process:app");
	ferry_close(l);
}
END_TEST

static void hold_app_with_a_child(struct child *c, void *arg)
{
	struct ferry_link *l = receive_as("process:app");
	struct ferry_link *to = open_to("process:logger", FERRY_SEND);

	(void)arg;
	(void)l;
	say(to, "before");
	if (fork() == 0) { /* outlives its parent by far */
		alarm(5);
		for (;;)
			pause();
	}
	child_tell(c);
	pause();
}

/* Whose children live on does not keep its name, nor its links. */
START_TEST(a_child_of_the_dead_keeps_nothing)
{
	struct ferry_link *logger = receive_as("process:logger");
	struct ferry_link *from = receive_as("process:logger?from=app");
	struct child other = child_start(hold_app_with_a_child, NULL);
	char byte;

	child_hear(&other);
	child_kill(&other);
	hear(from, "before");
	refused(from, ferry_recv(from, &byte, 1, SOON), -ECONNRESET, "ended");
	ferry_close(receive_as("process:app"));
	ferry_close(from);
	ferry_close(logger);
}
END_TEST

START_TEST(sending_to_a_name_that_nobody_has_is_refused_at_once)
{
	struct ferry_link *l = open_to("process:nobody", FERRY_SEND);

	refused(l, ferry_send(l, "x", 1, FERRY_FOREVER), -ENOENT,
		"no process has the name nobody");
	ferry_close(l);
}
END_TEST

START_TEST(who_has_several_names_says_which_one_sends)
{
	struct ferry_link *a = receive_as("process:a"), *l;
	struct ferry_link *b = receive_as("process:b");

	refused(NULL, ferry_open(&l, "process:c", FERRY_SEND), -EINVAL, "as=");
	refused(NULL, ferry_open(&l, "process:c?as=d", FERRY_SEND), -ENOENT,
		"has no name d");
	l = open_to("process:b?as=a", FERRY_SEND);
	say(l, "from a");
	hear_nothing(a);
	hear(b, "from a");
	ferry_close(l);
	ferry_close(a);
	ferry_close(b);
}
END_TEST

/* --- who sent it --------------------------------------------------------------- */

static void send_and_end(struct child *c, void *arg)
{
	struct ferry_link *me = receive_as("process:app");
	struct ferry_link *l = open_to("process:logger", FERRY_SEND);

	(void)c;
	say(l, arg);
	ferry_close(l);
	ferry_close(me);
}

/* Though it had ended before anybody looked. */
START_TEST(a_sender_is_known_by_its_name_and_pid)
{
	struct ferry_link *logger = receive_as("process:logger");
	struct child other = start(send_and_end, "hello");
	struct ferry_message m;
	pid_t pid = other.pid;

	child_join(&other);
	works(logger, ferry_take(logger, &m, SOON));
	ck_assert_uint_eq(m.len, 5);
	ck_assert_str_eq(m.from, "process:app");
	ck_assert_int_eq(m.sender.pid, pid);
	ck_assert_int_eq(m.sender.proof, FERRY_KERNEL);
	refused(logger, ferry_reply(&m, "too late", 8, SOON), -ECONNRESET, "");
	works(logger, ferry_release(&m));
	ferry_close(logger);
}
END_TEST

START_TEST(one_restricted_to_a_sender_leaves_what_others_send)
{
	struct ferry_link *logger = receive_as("process:logger");
	struct ferry_link *from = receive_as("process:logger?from=app");
	struct ferry_link *any = NULL;
	struct child other;

	other = child_start(hold_app, NULL);
	child_hear(&other);
	child_kill(&other);
	any = open_to("process:logger", FERRY_SEND); /* as logger, to itself */
	say(any, "mine");
	hear_nothing(from);
	other = start(send_and_end, "its");
	child_join(&other);
	hear(from, "its");
	hear(logger, "mine");
	ferry_close(any);
	ferry_close(from);
	ferry_close(logger);
}
END_TEST

/* --- death ----------------------------------------------------------------------- */

static void send_and_wait(struct child *c, void *arg)
{
	struct ferry_link *me = receive_as("process:app");
	struct ferry_link *l = open_to("process:logger", FERRY_SEND);
	char text[20];

	(void)arg;
	for (int i = 0; i < 3; i++) {
		snprintf(text, sizeof text, "%d", i);
		say(l, text);
	}
	child_tell(c);
	child_hear(c);
	ferry_close(me);
}

START_TEST(what_the_killed_sent_comes_before_its_end_which_is_told_once)
{
	struct ferry_link *from = receive_as("process:logger?from=app");
	struct child other;
	char byte;

	for (int round = 0; round < 2; round++) {
		other = child_start(send_and_wait, NULL);
		child_hear(&other);
		hear(from, "0");
		child_kill(&other);
		hear(from, "1");
		hear(from, "2");
		refused(from, ferry_recv(from, &byte, 1, SOON), -ECONNRESET,
			"ended");
		hear_nothing(from);
	}
	ferry_close(from);
}
END_TEST

static void log_one(struct child *c, void *arg)
{
	struct ferry_link *l = receive_as("process:logger");

	child_tell(c);
	hear(l, arg);
	child_tell(c);
	pause();
}

static int send_until_told(struct ferry_link *l)
{
	int r = 0;

	for (int i = 0; i < 1000 && r == 0; i++) {
		r = ferry_send(l, "lost", 4, SOON);
		usleep(1000); /* a look is due with each tick of the clock */
	}
	return r;
}

START_TEST(a_sender_is_told_once_that_the_receiver_died_and_finds_the_next)
{
	struct ferry_link *l = open_to("process:logger", FERRY_SEND);
	struct child other = start(log_one, "first");

	child_hear(&other);
	say(l, "first");
	child_hear(&other);
	child_kill(&other);
	refused(l, send_until_told(l), -ECONNRESET, "ended");
	refused(l, ferry_send(l, "x", 1, SOON), -ENOENT, "no process");
	other = start(log_one, "second");
	child_hear(&other);
	say(l, "second");
	child_hear(&other);
	child_kill(&other);
	ferry_close(l);
}
END_TEST

/* --- answers ------------------------------------------------------------------------ */

static void answer(struct child *c, void *arg)
{
	struct ferry_link *l = receive_as("process:oracle");
	struct ferry_message m;

	(void)arg;
	child_tell(c);
	for (;;) {
		works(l, ferry_take(l, &m, SOON));
		works(l, ferry_reply(&m, m.from ? m.from : "?", m.from ? 11 : 1,
				     SOON));
		works(l, ferry_release(&m));
	}
}

START_TEST(an_answer_comes_by_the_link_of_the_question)
{
	struct child other = child_start(answer, NULL);
	struct ferry_link *l, *me, *ask;

	child_hear(&other);
	l = open_to("process:oracle", FERRY_DUPLEX);
	say(l, "who am I");
	hear(l, "?");
	ferry_close(l);
	me = receive_as("process:app");
	ask = open_to("process:oracle", FERRY_SEND);
	say(ask, "who am I");
	hear(me, "process:app");
	ck_assert_int_eq(count_links(), 1);
	child_kill(&other);
	ferry_close(ask);
	ferry_close(me);
}
END_TEST

START_TEST(a_mailbox_has_no_way_back)
{
	struct ferry_link *box = make_box("box", 4, FERRY_PERSIST_PROCESS);
	struct ferry_message m;

	say(box, "x");
	works(box, ferry_take(box, &m, SOON));
	refused(box, ferry_reply(&m, "y", 1, SOON), -EOPNOTSUPP, "no way");
	works(box, ferry_release(&m));
	ferry_close(box);
}
END_TEST

/* --- one link a pair ------------------------------------------------------------------ */

#define EACH 300

/* Sends to the other from the first moment on, and receives what it sends. */
static void cross(struct child *c, void *arg)
{
	bool greater = *(char *)arg == 'z';
	struct ferry_link *me = receive_as(greater ? "process:z" : "process:a");
	struct ferry_link *to =
		open_to(greater ? "process:a" : "process:z", FERRY_SEND);
	int sent = 0, got = 0, n;

	child_tell(c);
	child_hear(c);
	while (sent < EACH || got < EACH) {
		if (sent < EACH &&
		    ferry_send(to, &sent, sizeof sent, FERRY_NOWAIT) == 0)
			sent++;
		if (sent % 7 == 3 || sent == EACH)
			while (got < EACH &&
			       ferry_recv(me, &n, sizeof n,
					  sent < EACH ? FERRY_NOWAIT : SOON) ==
				       sizeof n)
				ck_assert_int_eq(n, got++);
	}
	say(to, "end");
	hear(me, "end");
	/* The one that was given up goes with the next look at it. */
	ck_assert_int_eq(count_links(), 1);
	child_tell(c);
	child_hear(c);
}

START_TEST(two_that_connect_to_each_other_at_once_end_with_one_link)
{
	struct child a, z;

	for (int round = 0; round < 30; round++) {
		a = start(cross, "a");
		z = start(cross, "z");
		child_hear(&a);
		child_hear(&z);
		child_tell(&a);
		child_tell(&z);
		child_hear(&a);
		child_hear(&z);
		child_tell(&a);
		child_tell(&z);
		child_join(&a);
		child_join(&z);
	}
}
END_TEST

/* Ends what it has as `arg`, is it again, and goes on. */
static void come_again(struct child *c, void *arg)
{
	const char *other = "process:m";
	char address[40];
	struct ferry_link *me, *l;

	snprintf(address, sizeof address, "process:%s", (char *)arg);
	me = receive_as(address);
	l = open_to(other, FERRY_SEND);
	child_tell(c);
	hear(me, "first");
	say(l, "old");
	ferry_close(l);
	ferry_close(me);
	me = receive_as(address);
	l = open_to(other, FERRY_SEND);
	say(l, "new");
	child_tell(c);
	hear(me, "second");
	say(l, "newer");
	child_hear(c);
}

static void meet_again(const char *name)
{
	struct child other;
	struct ferry_link *me = receive_as("process:m"), *l;
	char address[40];

	other = start(come_again, name);
	child_hear(&other);
	snprintf(address, sizeof address, "process:%s", name);
	l = open_to(address, FERRY_SEND);
	say(l, "first");
	child_hear(&other);
	hear(me, "old");
	hear(me, "new");
	refused(l, ferry_send(l, "x", 1, SOON), -ECONNRESET, "ended");
	say(l, "second");
	hear(me, "newer");
	ck_assert_int_eq(count_links(), 1);
	child_tell(&other);
	child_join(&other);
	ferry_close(l);
	ferry_close(me);
}

/* The same process, connecting anew: not at the same time as we did. */
START_TEST(one_that_comes_again_is_not_one_that_crossed)
{
	meet_again("a");
	meet_again("z");
}
END_TEST

/* --- many ------------------------------------------------------------------------------- */

#define CROWD 200

static void one_of_the_crowd(struct child *c, void *arg)
{
	struct ferry_link *l = open_to("process:logger?ring=16K", FERRY_DUPLEX);

	child_hear(c);
	for (int i = 0; i < 20; i++)
		say(l, arg);
	hear(l, "thanks");
}

START_TEST(two_hundred_send_to_one)
{
	static struct child crowd[CROWD];
	struct ferry_link *logger = receive_as("process:logger");
	struct ferry_message m;
	int counts[2] = { 0, 0 };

	for (int i = 0; i < CROWD; i++)
		crowd[i] = start(one_of_the_crowd, i % 2 ? "b" : "a");
	for (int i = 0; i < CROWD; i++)
		child_tell(&crowd[i]);
	for (int i = 0; i < CROWD * 20; i++) {
		works(logger, ferry_take(logger, &m, SOON));
		counts[*(char *)m.data == 'b']++;
		if (m.seq == 19) /* its last: each takes a slot of the ring */
			works(logger, ferry_reply(&m, "thanks", 6, SOON));
		works(logger, ferry_release(&m));
	}
	for (int i = 0; i < CROWD; i++)
		child_join(&crowd[i]);
	ck_assert_int_eq(counts[0], CROWD * 10);
	ck_assert_int_eq(counts[1], CROWD * 10);
	hear_nothing(logger);
	ck_assert_int_eq(count_links(), 0);
	ferry_close(logger);
}
END_TEST

/* --- several handles ------------------------------------------------------------------------ */

static volatile bool over;

/* Reads every bell, lets in whoever comes, and takes nothing. */
static void *look_only(void *arg)
{
	char none;

	while (!over)
		ferry_recv(arg, &none, 0, ferry_after(FERRY_US(1)));
	return NULL;
}

static void ask_often(struct child *c, void *arg)
{
	struct ferry_link *me = receive_as("process:app");
	struct ferry_link *l = open_to("process:logger", FERRY_SEND);

	(void)c;
	(void)arg;
	for (int i = 0; i < 3000; i++) {
		say(l, "question");
		hear(me, "answer");
	}
}

static void say_hello(struct child *c, void *arg)
{
	struct ferry_link *l;

	(void)c;
	(void)arg;
	for (int i = 0; i < 300; i++) {
		l = open_to("process:logger?ring=16K", FERRY_DUPLEX);
		say(l, "question");
		hear(l, "answer");
		ferry_close(l);
	}
}

/* Whoever reads the bell, and lets in who knocks: who waits for it wakes. */
static void answer_beside(const char *other_handle,
			  void (*run)(struct child *c, void *arg), int n)
{
	struct ferry_link *any = receive_as("process:logger");
	struct ferry_link *from = receive_as(other_handle);
	struct child other;
	struct ferry_message m;
	pthread_t t;

	over = false;
	other = child_start(run, NULL);
	pthread_create(&t, NULL, look_only, from);
	for (int i = 0; i < n; i++) {
		works(any, ferry_take(any, &m, SOON));
		works(any, ferry_reply(&m, "answer", 6, SOON));
		works(any, ferry_release(&m));
	}
	over = true;
	pthread_join(t, NULL);
	child_join(&other);
	ferry_close(any);
	ferry_close(from);
}

START_TEST(a_bell_that_another_handle_reads_wakes_who_waits)
{
	answer_beside("process:logger?from=app", ask_often, 3000);
}
END_TEST

START_TEST(one_that_another_handle_lets_in_wakes_who_waits)
{
	answer_beside("process:logger?from=nobody", say_hello, 300);
}
END_TEST

/* --- fork ------------------------------------------------------------------------------------ */

static void use_what_was_inherited(struct child *c, void *arg)
{
	struct ferry_link **l = arg;
	char pid[20];

	(void)c;
	snprintf(pid, sizeof pid, "pid %d", (int)getppid());
	refused(l[0], ferry_recv(l[0], pid, 1, FERRY_NOWAIT), -ESTALE, "fork");
	refused(l[1], ferry_send(l[1], "x", 1, FERRY_NOWAIT), -ESTALE, "fork");
	refused(l[0], ferry_adopt_after_fork(l[0]), -EBUSY, pid);
	works(l[1], ferry_adopt_after_fork(l[1]));
	say(l[1], "child");
	refused(l[0], ferry_recv(l[0], pid, 1, FERRY_NOWAIT), -ESTALE, "fork");
	ferry_close(l[0]);
	ferry_close(l[1]);
}

START_TEST(a_child_inherits_no_name)
{
	struct ferry_link *l[2];
	struct ferry_message m;
	struct child other;

	l[1] = open_to("process:logger", FERRY_SEND);
	l[0] = receive_as("process:logger");
	say(l[1], "parent");
	hear(l[0], "parent");
	other = child_start(use_what_was_inherited, l);
	child_join(&other);
	works(l[0], ferry_take(l[0], &m, SOON));
	ck_assert_ptr_null(m.from);
	ck_assert_int_eq(memcmp(m.data, "child", 5), 0);
	ferry_close(l[0]); /* with a message in its hands */
	ferry_close(l[1]);
}
END_TEST

Suite *direct_suite(void)
{
	TCase *c = fault_case("direct", 100);
	Suite *s = suite_create("direct");

	tcase_add_test(
		c,
		a_name_of_the_living_is_refused_one_of_the_killed_taken_over);
	tcase_add_test(c, a_child_of_the_dead_keeps_nothing);
	tcase_add_test(c, sending_to_a_name_that_nobody_has_is_refused_at_once);
	tcase_add_test(c, who_has_several_names_says_which_one_sends);
	tcase_add_test(c, a_sender_is_known_by_its_name_and_pid);
	tcase_add_test(c, one_restricted_to_a_sender_leaves_what_others_send);
	tcase_add_test(
		c,
		what_the_killed_sent_comes_before_its_end_which_is_told_once);
	tcase_add_test(
		c,
		a_sender_is_told_once_that_the_receiver_died_and_finds_the_next);
	tcase_add_test(c, an_answer_comes_by_the_link_of_the_question);
	tcase_add_test(c, a_mailbox_has_no_way_back);
	tcase_add_test(
		c, two_that_connect_to_each_other_at_once_end_with_one_link);
	tcase_add_test(c, one_that_comes_again_is_not_one_that_crossed);
	tcase_add_test(c, two_hundred_send_to_one);
	tcase_add_test(c, a_bell_that_another_handle_reads_wakes_who_waits);
	tcase_add_test(c, one_that_another_handle_lets_in_wakes_who_waits);
	tcase_add_test(c, a_child_inherits_no_name);
	suite_add_tcase(s, c);
	return s;
}
