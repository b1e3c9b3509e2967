/* SPDX-License-Identifier: MIT */
/* What only signal: has: where signals come from, and what becomes of the mask. */
#include <pty.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "signals.h"

struct ferry_link *open_self(const char *list)
{
	struct ferry_link *l = NULL;
	char address[200];

	snprintf(address, sizeof address, "signal:self?signals=%s", list);
	ok(NULL, ferry_open(&l, address, FERRY_RECV));
	return l;
}

struct ferry_link *open_pid(long pid, const char *keys)
{
	struct ferry_link *l = NULL;
	char address[100];

	snprintf(address, sizeof address, "signal:%ld%s", pid, keys);
	ok(NULL, ferry_open(&l, address, FERRY_SEND));
	return l;
}

int try_open(const char *address, unsigned flags)
{
	struct ferry_link *l = NULL;
	int err = ferry_open(&l, address, flags);

	ferry_close(l);
	return err;
}

struct ferry_signal next_signal(void)
{
	struct ferry_signal s = { 0 };

	ck_assert_int_eq(ferry_recv(receiver, &s, sizeof s, SOON), sizeof s);
	return s;
}

static bool is_blocked(int number)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	return sigismember(&now, number) == 1;
}

/* --- what is received ------------------------------------------------------ */

START_TEST(a_plain_signal_says_who_sent_it_and_the_kernel_vouches)
{
	struct ferry_message m;
	struct ferry_signal s;

	receiver = open_self("USR1");
	fails(receiver, ferry_take(receiver, &m, FERRY_NOWAIT), -EAGAIN);
	kill(getpid(), SIGUSR1);
	ok(receiver, ferry_take(receiver, &m, SOON));
	ck_assert_uint_eq(m.type, SIGUSR1);
	ck_assert_uint_eq(m.len, sizeof s);
	memcpy(&s, m.data, sizeof s);
	ck_assert_int_eq(s.number, SIGUSR1);
	ck_assert_int_eq(s.origin, FERRY_FROM_PROCESS);
	ck_assert_int_eq(s.pid, getpid());
	ck_assert_int_eq(m.sender.pid, getpid());
	ck_assert_uint_eq(m.sender.uid, getuid());
	ck_assert_int_eq(m.sender.proof, FERRY_KERNEL);
	ok(receiver, ferry_release(&m));
}
END_TEST

START_TEST(a_value_goes_along_and_proves_nothing)
{
	struct ferry_message m;
	int32_t number = -7;
	uint64_t wide = 0x123456789abcdef0;

	receiver = open_self("RTMIN+2");
	sender = open_pid(getpid(), "?signal=RTMIN+2");
	ok(sender, ferry_send(sender, &number, sizeof number, SOON));
	ok(sender, ferry_send(sender, &wide, sizeof wide, SOON));
	ck_assert_int_eq(next_signal().value, number);
	ok(receiver, ferry_take(receiver, &m, SOON));
	ck_assert_uint_eq(((struct ferry_signal *)m.data)->wide, wide);
	ck_assert_int_eq(m.sender.pid, getpid());
	ck_assert_int_eq(m.sender.proof, FERRY_CLAIMED);
	ok(receiver, ferry_release(&m));
}
END_TEST

START_TEST(the_type_of_a_message_is_the_signal)
{
	struct ferry_message m;

	receiver = open_self("USR1,USR2,RTMIN");
	sender = open_pid(getpid(), "?signal=USR1");
	ok(sender, ferry_send(sender, NULL, 0, SOON));
	ck_assert_int_eq(next_signal().number, SIGUSR1);
	ok(sender, ferry_loan(sender, 0, &m, SOON));
	m.type = SIGUSR2;
	ok(sender, ferry_commit(&m, SOON));
	ck_assert_int_eq(next_signal().number, SIGUSR2);
	ok(sender, ferry_loan(sender, 4, &m, SOON));
	m.type = 32;
	fails(sender, ferry_commit(&m, SOON), -EINVAL);
	m.type = (uint32_t)SIGRTMIN;
	memcpy(m.data, "abcd", 4);
	ok(sender, ferry_commit(&m, SOON));
	ck_assert_int_eq(next_signal().number, SIGRTMIN);
	ok(sender, ferry_loan(sender, 4, &m, SOON));
	ok(sender, ferry_abandon(&m));
}
END_TEST

START_TEST(standard_signals_merge_and_real_time_ones_queue)
{
	receiver = open_self("USR1,RTMIN,RTMIN+1");
	for (int i = 0; i < 3; i++) {
		kill(getpid(), SIGUSR1);
		sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ i });
		sigqueue(getpid(), SIGRTMIN, (union sigval){ i + 10 });
	}
	ck_assert_int_eq(next_signal().number, SIGUSR1);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(next_signal().value, i + 10);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(next_signal().value, i);
	fails(receiver, ferry_recv(receiver, NULL, 0, FERRY_NOWAIT), -EAGAIN);
}
END_TEST

START_TEST(a_buffer_too_small_leaves_the_signal)
{
	char small[8];

	receiver = open_self("USR1");
	kill(getpid(), SIGUSR1);
	fails(receiver, ferry_recv(receiver, small, sizeof small, SOON),
	      -EMSGSIZE);
	ck_assert_int_eq(ferry_next_len(receiver), sizeof(struct ferry_signal));
	ck_assert_int_eq(next_signal().number, SIGUSR1);
	fails(receiver, ferry_next_len(receiver), -EAGAIN);
}
END_TEST

static void nothing_for_the_child(void *arg)
{
	struct ferry_signal s;

	(void)arg;
	_exit(ferry_recv(receiver, &s, sizeof s, FERRY_NOWAIT) != -EAGAIN);
}

static void look_at_the_next(void)
{
	char small[8];

	ck_assert_int_eq(ferry_next_len(receiver), sizeof(struct ferry_signal));
	fails(receiver, ferry_recv(receiver, small, sizeof small, SOON),
	      -EMSGSIZE);
}

START_TEST(a_signal_that_was_looked_at_is_not_a_forked_childs)
{
	receiver = open_self("RTMIN");
	sigqueue(getpid(), SIGRTMIN, (union sigval){ 42 });
	look_at_the_next();
	expect_exit(child(nothing_for_the_child, NULL), 0);
	ck_assert_int_eq(next_signal().value, 42);
	fails(receiver, ferry_next_len(receiver), -EAGAIN);
}
END_TEST

START_TEST(a_signal_that_was_looked_at_stays_pending)
{
	sigset_t one, pending;

	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &one, NULL);
	receiver = open_self("USR2");
	kill(getpid(), SIGUSR2);
	look_at_the_next();
	close_end(&receiver);
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGUSR2), 1);
}
END_TEST

/* --- where they come from -------------------------------------------------- */

void exit_with(void *arg)
{
	_exit(*(int *)arg);
}

START_TEST(the_end_of_a_child_comes_with_its_status)
{
	struct ferry_signal s;
	pid_t pid;

	receiver = open_self("CHLD");
	pid = child(exit_with, &(int){ 42 });
	s = next_signal();
	ck_assert_int_eq(s.origin, FERRY_FROM_CHILD);
	ck_assert_int_eq(s.pid, pid);
	ck_assert_int_eq(s.code, CLD_EXITED);
	ck_assert_int_eq(s.status, 42);
	expect_exit(pid, 42);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	kill(pid, SIGKILL);
	s = next_signal();
	ck_assert_int_eq(s.code, CLD_KILLED);
	ck_assert_int_eq(s.status, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

START_TEST(a_timer_comes_with_its_value)
{
	struct sigevent e = { .sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = SIGALRM,
			      .sigev_value.sival_int = 99 };
	struct itimerspec in = { .it_value = { 0, 1000000 } };
	struct ferry_signal s;
	timer_t timer;

	receiver = open_self("ALRM");
	ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &e, &timer), 0);
	timer_settime(timer, 0, &in, NULL);
	s = next_signal();
	ck_assert_int_eq(s.origin, FERRY_FROM_TIMER);
	ck_assert_int_eq(s.code, SI_TIMER);
	ck_assert_int_eq(s.value, 99);
	timer_delete(timer);
}
END_TEST

static void use_up_the_processor(void *arg)
{
	struct rlimit limit = { 1, 10 };
	volatile unsigned n = 0;
	struct ferry_signal s;

	(void)arg;
	receiver = open_self("XCPU");
	setrlimit(RLIMIT_CPU, &limit);
	while (ferry_recv(receiver, &s, sizeof s, FERRY_NOWAIT) == -EAGAIN)
		n++;
	_exit(s.number != SIGXCPU || s.origin != FERRY_FROM_KERNEL);
}

START_TEST(the_limit_of_time_is_the_kernels_word)
{
	expect_exit(child(use_up_the_processor, NULL), 0);
}
END_TEST

static void wait_for_the_key(void *arg)
{
	struct ferry_signal s;

	(void)arg;
	receiver = open_self("INT");
	if (write(1, "ready", 5) != 5)
		_exit(1);
	s = next_signal();
	_exit(s.number != SIGINT || s.origin != FERRY_FROM_KERNEL || s.pid);
}

START_TEST(the_key_of_a_terminal_is_the_kernels_word)
{
	int terminal, got = 0;
	char buf[10];
	pid_t pid = forkpty(&terminal, NULL, NULL, NULL);

	if (pid == 0)
		wait_for_the_key(NULL);
	while (got < 5) {
		ssize_t n = read(terminal, buf, sizeof buf);

		ck_assert_int_gt(n, 0);
		got += (int)n;
	}
	ck_assert_int_eq(write(terminal, "\003", 1), 1);
	expect_exit(pid, 0);
	close(terminal);
}
END_TEST

static void receive_own(void *arg)
{
	struct ferry_signal s;

	(void)arg;
	if (ferry_recv(receiver, &s, sizeof s, ferry_after(SHORT_TIME)) !=
	    -ETIMEDOUT)
		_exit(1); /* the parent's */
	kill(getpid(), SIGUSR1);
	s = next_signal();
	_exit(s.pid != getpid());
}

START_TEST(a_forked_child_receives_its_own_signals)
{
	receiver = open_self("USR1");
	kill(getpid(), SIGUSR1);
	expect_exit(child(receive_own, NULL), 0);
	ck_assert_int_eq(next_signal().pid, getpid());
}
END_TEST

/* --- the mask -------------------------------------------------------------- */

START_TEST(closing_gives_back_the_mask_as_it_was)
{
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &one, NULL);
	receiver = open_self("USR1,USR2");
	ck_assert(is_blocked(SIGUSR1) && is_blocked(SIGUSR2));
	close_end(&receiver);
	ck_assert(!is_blocked(SIGUSR1));
	ck_assert(is_blocked(SIGUSR2));
}
END_TEST

/* Let through, it would end this process. */
START_TEST(what_was_not_received_is_dropped_unless_it_was_blocked_before)
{
	sigset_t one, pending;

	sigemptyset(&one);
	sigaddset(&one, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &one, NULL);
	receiver = open_self("USR1,USR2,RTMIN");
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR2);
	for (int i = 0; i < 3; i++)
		sigqueue(getpid(), SIGRTMIN, (union sigval){ i });
	close_end(&receiver);
	sigpending(&pending);
	ck_assert_int_eq(sigismember(&pending, SIGUSR2), 1);
}
END_TEST

static void *close_it(void *arg)
{
	(void)arg;
	close_end(&receiver);
	return NULL;
}

START_TEST(another_thread_that_closes_leaves_the_mask_alone)
{
	pthread_t t;

	receiver = open_self("USR1");
	pthread_create(&t, NULL, close_it, NULL);
	pthread_join(t, NULL);
	ck_assert(is_blocked(SIGUSR1));
	receiver = open_self("USR1"); /* and it is free again */
}
END_TEST

START_TEST(a_signal_has_one_link)
{
	receiver = open_self("USR1,CHLD");
	fails(NULL, try_open("signal:self?signals=USR2,CHLD", FERRY_RECV),
	      -EBUSY);
	ck_assert(!is_blocked(SIGUSR2));
	sender = open_self("USR2");
	close_end(&receiver);
	receiver = open_self("CHLD");
}
END_TEST

START_TEST(what_cannot_be_received_is_refused_with_the_reason)
{
	static const struct {
		const char *list, *word;
	} all[] = {
		{ "KILL", "nobody block" }, { "USR1,STOP", "nobody block" },
		{ "SEGV", "instruction" },  { "FPE,BUS", "instruction" },
		{ "ILL", "instruction" },   { "TRAP", "instruction" },
		{ "SYS", "instruction" },   { "WINTER", "no signal" },
		{ "33", "no signal" },	    { "USR1,", "no signal" },
		{ ",", "no signal" },	    { "RTMAX+1", "no signal" },
		{ "", "which signals" },
	};
	char address[100], why[300];

	for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
		snprintf(address, sizeof address, "signal:self?signals=%s",
			 all[i].list);
		fails(NULL, try_open(address, FERRY_RECV), -EINVAL);
		ferry_explain(NULL, -EINVAL, why, sizeof why);
		ck_assert_msg(strstr(why, all[i].word), "%s: %s", address, why);
	}
	fails(NULL, try_open("signal:self", FERRY_RECV), -EINVAL);
	fails(NULL, try_open("signal:1?signals=USR1", FERRY_RECV), -EINVAL);
	fails(NULL, try_open("signal:self?signal=USR1", FERRY_RECV), -EINVAL);
	fails(NULL, try_open("signal:self?signals=USR1", FERRY_SEND), -EINVAL);
	fails(NULL, try_open("signal:self?signals=USR1", FERRY_DUPLEX),
	      -EOPNOTSUPP);
	ck_assert(!is_blocked(SIGUSR1));
}
END_TEST

void add_signal_tests(TCase *tc)
{
	tcase_add_test(tc,
		       a_plain_signal_says_who_sent_it_and_the_kernel_vouches);
	tcase_add_test(tc, a_value_goes_along_and_proves_nothing);
	tcase_add_test(tc, the_type_of_a_message_is_the_signal);
	tcase_add_test(tc, standard_signals_merge_and_real_time_ones_queue);
	tcase_add_test(tc, a_buffer_too_small_leaves_the_signal);
	tcase_add_test(tc, a_signal_that_was_looked_at_is_not_a_forked_childs);
	tcase_add_test(tc, a_signal_that_was_looked_at_stays_pending);
	tcase_add_test(tc, the_end_of_a_child_comes_with_its_status);
	tcase_add_test(tc, a_timer_comes_with_its_value);
	tcase_add_test(tc, the_limit_of_time_is_the_kernels_word);
	tcase_add_test(tc, the_key_of_a_terminal_is_the_kernels_word);
	tcase_add_test(tc, a_forked_child_receives_its_own_signals);
	tcase_add_test(tc, closing_gives_back_the_mask_as_it_was);
	tcase_add_test(
		tc,
		what_was_not_received_is_dropped_unless_it_was_blocked_before);
	tcase_add_test(tc, another_thread_that_closes_leaves_the_mask_alone);
	tcase_add_test(tc, a_signal_has_one_link);
	tcase_add_test(tc, what_cannot_be_received_is_refused_with_the_reason);
}
