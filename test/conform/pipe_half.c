/* SPDX-License-Identifier: MIT */
/* What only pipe:?direction=half has: the turn, over fork, exec and death. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "conform.h"

#define HALF "pipe:?direction=half"

static void open_half(const char *address)
{
	struct ferry_link *ends[2];

	ok(NULL, ferry_pair(ends, address));
	receiver = ends[0];
	sender = ends[1];
}

static ssize_t say_by(struct ferry_link *l, const char *text, ferry_time by)
{
	return ferry_write(l, text, strlen(text), by);
}

static void say(struct ferry_link *l, const char *text)
{
	ok(l, say_by(l, text, SOON));
}

static void is_refused(struct ferry_link *l)
{
	fails(l, say_by(l, "x", FERRY_NOWAIT), -EBUSY);
	says(l, -EBUSY, "the other side's turn");
}

static void hears(struct ferry_link *l, const char *text)
{
	char buf[100];
	ssize_t n = ferry_read(l, buf, sizeof buf - 1, SOON);

	ok(l, n);
	buf[n] = 0;
	ck_assert_str_eq(buf, text);
}

static void hears_nothing(struct ferry_link *l)
{
	char buf[8];

	fails(l, ferry_read(l, buf, sizeof buf, FERRY_NOWAIT), -EAGAIN);
}

/* --- who has it ------------------------------------------------------------------ */

START_TEST(the_second_end_begins_and_passes_the_turn)
{
	open_half(HALF);
	is_refused(receiver);
	fails(receiver, ferry_turn(receiver), -EBUSY);
	say(sender, "one");
	say(sender, " two");
	ok(sender, ferry_turn(sender));
	is_refused(sender);
	fails(sender, ferry_turn(sender), -EBUSY);
	says(sender, -EBUSY, "the turn is the other side's");
	hears(receiver, "one two"); /* what is there does not cost the turn */
	say(receiver, "three");
	is_refused(sender);
	hears(sender, "three");
}
END_TEST

START_TEST(who_receives_and_finds_nothing_lets_go_of_it)
{
	open_half(HALF);
	hears_nothing(sender);
	say(receiver, "first");
	is_refused(sender);
	hears_nothing(receiver);
	hears(sender, "first");
	say(sender, "again mine");
	is_refused(receiver);
}
END_TEST

/* A turn that is nobody's can be passed on, too. */
START_TEST(who_takes_the_turn_may_pass_it)
{
	open_half(HALF);
	hears_nothing(sender);
	ok(receiver, ferry_turn(receiver));
	is_refused(receiver);
	say(sender, "mine");
}
END_TEST

static void *say_late(void *arg)
{
	return (void *)(intptr_t)say_by(arg, "late", SOON);
}

static void has_said(pthread_t t, struct ferry_link *l, ssize_t wanted)
{
	void *result;

	pthread_join(t, &result);
	if (wanted >= 0)
		ok(l, (intptr_t)result);
	ck_assert_int_eq((intptr_t)result, wanted);
}

START_TEST(sending_out_of_turn_waits_for_it)
{
	pthread_t t;

	open_half(HALF);
	fails(receiver, say_by(receiver, "x", ferry_after(SHORT_TIME)),
	      -ETIMEDOUT);
	pthread_create(&t, NULL, say_late, receiver);
	until_asleep(1);
	ok(sender, ferry_turn(sender));
	has_said(t, receiver, 4);
	hears(sender, "late");
	pthread_create(&t, NULL, say_late, sender);
	until_asleep(1);
	hears_nothing(receiver); /* and lets go */
	has_said(t, sender, 4);
}
END_TEST

START_TEST(messages_have_turns_as_well)
{
	open_half(HALF "&framing=len32");
	fails(receiver, ferry_send(receiver, "x", 1, FERRY_NOWAIT), -EBUSY);
	send_text(sender, "question");
	fails(sender, ferry_recv(sender, NULL, 0, FERRY_NOWAIT), -EAGAIN);
	expect_text(receiver, "question");
	send_text(receiver, "answer");
	expect_text(sender, "answer");
}
END_TEST

/* --- ends ------------------------------------------------------------------------ */

static void hold_the_turn(void *arg)
{
	(void)arg;
	close_end(&receiver);
	say(sender, "mine");
	for (;;)
		pause();
}

START_TEST(the_death_of_the_holder_ends_a_wait_for_the_turn)
{
	pthread_t t;
	pid_t pid;

	open_half(HALF);
	pid = child(hold_the_turn, NULL);
	close_end(&sender);
	hears(receiver, "mine");
	pthread_create(&t, NULL, say_late, receiver);
	until_asleep(1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	has_said(t, receiver, -ECONNRESET);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	fails(receiver, ferry_read(receiver, (char[4]){ 0 }, 4, SOON),
	      -ENODATA);
}
END_TEST

START_TEST(behind_one_who_has_ended_sending_no_turn_is_needed)
{
	pthread_t t;

	open_half(HALF);
	pthread_create(&t, NULL, say_late, receiver);
	until_asleep(1);
	ok(sender, ferry_shutdown(sender, FERRY_SEND));
	has_said(t, receiver, 4);
	say(receiver, " again");
	hears(sender, "late again");
}
END_TEST

/* --- other processes --------------------------------------------------------------- */

#define ROUNDS 200

static void play(struct ferry_link *l, bool begins)
{
	if (begins)
		say(l, "ball");
	for (int i = 0; i < ROUNDS; i++) {
		hears(l, "ball");
		say(l, "ball");
	}
	if (!begins)
		hears(l, "ball");
}

static void play_as_child(void *arg)
{
	(void)arg;
	close_end(&sender);
	play(receiver, false);
	close_end(&receiver);
}

START_TEST(it_goes_to_and_fro_with_nothing_but_send_and_receive)
{
	pid_t pid;

	open_half(HALF);
	pid = child(play_as_child, NULL);
	close_end(&receiver);
	play(sender, true);
	expect_exit(pid, 0);
}
END_TEST

static void pass_on(void *arg)
{
	(void)arg;
	_exit(ferry_turn(sender) != 0);
}

/* The turn is the end's, in whatever process that is. */
START_TEST(a_child_passes_the_turn_for_its_parent)
{
	open_half(HALF);
	expect_exit(child(pass_on, NULL), 0);
	is_refused(sender);
	say(receiver, "mine now");
}
END_TEST

/* The test runs itself: `conform --child-of-half-pipe`. */
int child_of_half_pipe(void)
{
	struct ferry_link *l;
	char buf[20];

	if (ferry_adopt(&l, 3) != 0)
		return 1;
	/* The turn is the parent's until it is told. */
	if (say_by(l, "x", FERRY_NOWAIT) != -EBUSY || write(4, "", 1) != 1)
		return 2;
	if (ferry_read(l, buf, sizeof buf, SOON) != 8)
		return 3;
	if (say_by(l, "answer", SOON) != 6 || ferry_turn(l) != 0)
		return 4;
	ferry_close(l);
	return 0;
}

START_TEST(the_turn_crosses_an_exec)
{
	int told[2], end;
	pid_t pid;
	char c;

	open_half(HALF);
	ck_assert_int_eq(pipe2(told, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		close_end(&sender);
		end = fcntl(ferry_export(receiver), F_DUPFD_CLOEXEC, 10);
		dup2(told[1], 4);
		dup2(end, 3);
		execl("/proc/self/exe", "conform", "--child-of-half-pipe",
		      (char *)NULL);
		_exit(127);
	}
	close_end(&receiver);
	close(told[1]);
	say(sender, "question");
	ck_assert_int_eq(read(told[0], &c, 1), 1);
	close(told[0]);
	hears(sender, "answer");
	expect_exit(pid, 0);
}
END_TEST

/* --- what is refused ----------------------------------------------------------------- */

static void refused(const char *address, int err, const char *word)
{
	struct ferry_link *ends[2];

	fails(NULL, ferry_pair(ends, address), err);
	says(NULL, err, word);
}

START_TEST(what_makes_no_sense_is_refused)
{
	refused("pipe:?direction=both", -EINVAL, "direction=both");
	refused("pipe:?direction", -EINVAL, "direction=");
	refused("pipe:?duplex&direction=half", -EINVAL, "leave one out");
	open_half("pipe:?duplex");
	fails(sender, ferry_turn(sender), -EOPNOTSUPP);
	says(sender, -EOPNOTSUPP, "direction=half");
}
END_TEST

/* With room for ever more descriptors, until it is enough. */
START_TEST(a_lack_of_descriptors_leaves_nothing_behind)
{
	struct rlimit all, few;
	struct ferry_link *ends[2];
	int before = count_fds(), r, failures = 0;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = all;
	for (few.rlim_cur = (rlim_t)before - 3;; few.rlim_cur++) {
		setrlimit(RLIMIT_NOFILE, &few);
		r = ferry_pair(ends, HALF);
		setrlimit(RLIMIT_NOFILE, &all);
		if (r == 0)
			break;
		fails(NULL, r, -EMFILE);
		ck_assert_int_eq(count_fds(), before);
		failures++;
	}
	ck_assert_int_ge(failures, 10);
	receiver = ends[0];
	sender = ends[1];
}
END_TEST

void add_pipe_half_tests(TCase *tc)
{
	tcase_add_test(tc, the_second_end_begins_and_passes_the_turn);
	tcase_add_test(tc, who_receives_and_finds_nothing_lets_go_of_it);
	tcase_add_test(tc, who_takes_the_turn_may_pass_it);
	tcase_add_test(tc, sending_out_of_turn_waits_for_it);
	tcase_add_test(tc, messages_have_turns_as_well);
	tcase_add_test(tc, the_death_of_the_holder_ends_a_wait_for_the_turn);
	tcase_add_test(tc, behind_one_who_has_ended_sending_no_turn_is_needed);
	tcase_add_test(tc,
		       it_goes_to_and_fro_with_nothing_but_send_and_receive);
	tcase_add_test(tc, a_child_passes_the_turn_for_its_parent);
	tcase_add_test(tc, the_turn_crosses_an_exec);
	tcase_add_test(tc, what_makes_no_sense_is_refused);
	tcase_add_test(tc, a_lack_of_descriptors_leaves_nothing_behind);
}
