/* SPDX-License-Identifier: MIT */
/* What sending to signal: says and does: who is hit, who is not, and a full queue. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "signals.h"

START_TEST(who_is_not_there_is_said)
{
	pid_t pid = child(exit_with, &(int){ 0 });
	char address[60];
	siginfo_t info;

	snprintf(address, sizeof address, "signal:%d", pid);
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	fails(NULL, try_open(address, FERRY_SEND), -ENOENT); /* a zombie */
	waitpid(pid, NULL, 0);
	fails(NULL, try_open(address, FERRY_SEND), -ENOENT);
	snprintf(address, sizeof address, "signal:-%d", pid);
	fails(NULL, try_open(address, FERRY_SEND), -ENOENT);
	fails(NULL, try_open("signal:nobody", FERRY_SEND), -ENOENT);
	fails(NULL, try_open("signal:0", FERRY_SEND), -EINVAL);
	fails(NULL, try_open("signal:-1", FERRY_SEND), -EINVAL);
	fails(NULL, try_open("signal:-x", FERRY_SEND), -EINVAL);
	fails(NULL, try_open("signal:", FERRY_SEND), -EINVAL);
	fails(NULL, try_open("signal:self?signal=NONE", FERRY_SEND), -EINVAL);
}
END_TEST

static void wait_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

static void nobody_is(pid_t pid)
{
	struct ferry_user *users;
	char address[60];
	size_t n;

	snprintf(address, sizeof address, "signal:%d", pid);
	fails(NULL, try_open(address, FERRY_SEND), -ENOENT);
	says(NULL, -ENOENT, "no such process");
	fails(NULL, ferry_who(NULL, address, &users, &n), -ENOENT);
	says(NULL, -ENOENT, "no such process");
}

static void *nobody_is_this_thread(void *arg)
{
	(void)arg;
	nobody_is(gettid());
	return NULL;
}

START_TEST(a_zombie_and_a_thread_are_no_processes)
{
	pid_t pid = child(exit_with, &(int){ 0 });
	siginfo_t info;
	pthread_t t;

	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	nobody_is(pid);
	waitpid(pid, NULL, 0);
	nobody_is(pid);
	pthread_create(&t, NULL, nobody_is_this_thread, NULL);
	pthread_join(t, NULL);
}
END_TEST

START_TEST(one_that_has_ended_since_is_not_hit_by_its_number)
{
	siginfo_t info;
	pid_t pid;

	signal(SIGTERM, SIG_DFL); /* not as the runner of the tests has it */
	pid = child(wait_for_ever, NULL);
	sender = open_pid(pid, "");
	ok(sender, ferry_send(sender, NULL, 0, SOON)); /* TERM */
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	fails(sender, ferry_send(sender, NULL, 0, SOON), -ECONNRESET);
	waitpid(pid, NULL, 0);
	fails(sender, ferry_send(sender, NULL, 0, SOON), -ECONNRESET);
}
END_TEST

START_TEST(a_group_gets_it_and_no_value)
{
	struct ferry_signal s;
	pid_t pid;

	receiver = open_self("CHLD");
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		raise(SIGSTOP);
		wait_for_ever(NULL);
	}
	ck_assert_int_eq(next_signal().code, CLD_STOPPED);
	sender = open_pid(-pid, "?signal=KILL");
	fails(sender, ferry_send(sender, "1234", 4, SOON), -EOPNOTSUPP);
	ok(sender, ferry_send(sender, NULL, 0, SOON));
	s = next_signal();
	ck_assert_int_eq(s.status, SIGKILL);
	waitpid(pid, NULL, 0);
	fails(sender, ferry_send(sender, NULL, 0, SOON), -ECONNRESET);
}
END_TEST

START_TEST(a_name_is_a_process)
{
	struct ferry_link *name;

	receiver = open_self("USR1");
	ok(NULL, ferry_open(&name, "process:conform-signal", FERRY_RECV));
	ok(NULL, ferry_open(&sender, "signal:conform-signal?signal=USR1",
			    FERRY_SEND));
	ok(sender, ferry_send(sender, NULL, 0, SOON));
	ck_assert_int_eq(next_signal().pid, getpid());
	ferry_close(name);
	ok(sender, ferry_send(sender, NULL, 0, SOON)); /* the process */
	next_signal();
	fails(NULL, try_open("signal:conform-signal", FERRY_SEND), -ENOENT);
}
END_TEST

START_TEST(a_value_has_4_or_8_bytes)
{
	char bytes[16] = "";

	receiver = open_self("RTMIN");
	sender = open_pid(getpid(), "?signal=RTMIN");
	for (size_t n = 1; n <= sizeof bytes; n++)
		if (n != 4 && n != 8)
			fails(sender, ferry_send(sender, bytes, n, SOON),
			      -EMSGSIZE);
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
}
END_TEST

/* --- a full queue ---------------------------------------------------------- */

static void *send_late(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)ferry_send(sender, "late", 4, SOON);
}

/* The limit counts what is pending of the user, in all of its processes. */
START_TEST(a_full_queue_makes_senders_wait)
{
	struct rlimit few = { 0, 0 }, before;
	char why[200];
	int n = 0, err;
	void *result;
	pthread_t t;

	receiver = open_self("RTMIN");
	sender = open_pid(getpid(), "?signal=RTMIN");
	getrlimit(RLIMIT_SIGPENDING, &before);
	few.rlim_max = before.rlim_max;
	for (few.rlim_cur = 100; n < 50; few.rlim_cur *= 2) {
		setrlimit(RLIMIT_SIGPENDING, &few);
		while ((err = ferry_send(sender, "1234", 4, FERRY_NOWAIT)) == 0)
			n++;
	}
	fails(sender, err, -EAGAIN);
	ferry_explain(sender, -EAGAIN, why, sizeof why);
	ck_assert_ptr_nonnull(strstr(why, "RLIMIT_SIGPENDING"));
	/* Another process of this user may make room. */
	while ((err = ferry_send(sender, "1234", 4, ferry_after(SHORT_TIME))) ==
	       0)
		n++;
	fails(sender, err, -ETIMEDOUT);
	pthread_create(&t, NULL, send_late, NULL);
	for (int i = 0; i < n + 1; i++)
		next_signal();
	pthread_join(t, &result);
	ok(sender, (intptr_t)result);
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
}
END_TEST

void add_signal_send_tests(TCase *tc)
{
	tcase_add_test(tc, who_is_not_there_is_said);
	tcase_add_test(tc, a_zombie_and_a_thread_are_no_processes);
	tcase_add_test(tc, one_that_has_ended_since_is_not_hit_by_its_number);
	tcase_add_test(tc, a_group_gets_it_and_no_value);
	tcase_add_test(tc, a_name_is_a_process);
	tcase_add_test(tc, a_value_has_4_or_8_bytes);
	tcase_add_test(tc, a_full_queue_makes_senders_wait);
}
