/* SPDX-License-Identifier: MIT */
/* Servers and clients at a FIFO: by announcement, and with two under one name. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "conform.h"
#include "fifo.h"

static struct ferry_link *door;

static void listen_at(const char *keys)
{
	set_fifo(keys);
	ok(NULL, ferry_listen(&door, fifo_address));
}

static void close_door(void)
{
	ferry_close(door);
	ck_assert(!is_there(fifo_path));
}

/* --- clients --------------------------------------------------------------- */

/* Say a number and expect the next one; as a child. */
static void ask(void *arg)
{
	int n = *(int *)arg, answer = 0;
	struct ferry_link *l;

	_exit(ferry_open(&l, fifo_address, FERRY_DUPLEX) != 0 ||
	      ferry_write(l, &n, sizeof n, SOON) != sizeof n ||
	      ferry_read(l, &answer, sizeof answer, SOON) != sizeof answer ||
	      answer != n + 1);
}

static void answer_one(void)
{
	struct ferry_link *peer;
	int n = 0;

	ok(door, ferry_accept(door, &peer, SOON));
	ck_assert_int_eq(ferry_read(peer, &n, sizeof n, SOON), sizeof n);
	n++;
	ok(peer, ferry_write(peer, &n, sizeof n, SOON));
	fails(peer, ferry_read(peer, &n, sizeof n, SOON), -ENODATA);
	ferry_close(peer);
}

START_TEST(every_client_gets_its_own_answer_and_nothing_is_left)
{
	static const char *const keys[] = { "", "?duplex" };

	for (int k = 0; k < 2; k++) {
		pid_t pids[6];

		listen_at(keys[k]);
		for (int i = 0; i < 6; i++)
			pids[i] = child(ask, &(int){ 100 * i });
		for (int i = 0; i < 6; i++)
			answer_one();
		for (int i = 0; i < 6; i++)
			expect_exit(pids[i], 0);
		close_door();
	}
}
END_TEST

START_TEST(a_client_that_nobody_accepts_gives_up_and_leaves_nothing)
{
	listen_at("?timeout=40ms");
	fails(NULL, ferry_open(&sender, fifo_address, FERRY_DUPLEX),
	      -ETIMEDOUT);
	sender = NULL;
	fails(door, ferry_accept(door, &receiver, FERRY_NOWAIT), -EAGAIN);
	fails(door, ferry_accept(door, &receiver, ferry_after(SHORT_TIME)),
	      -ETIMEDOUT);
	receiver = NULL;
	close_door();
}
END_TEST

START_TEST(without_a_server_a_client_is_told)
{
	static const char *const keys[] = { "?timeout=30ms",
					    "?duplex&timeout=30ms" };

	for (int k = 0; k < 2; k++) {
		set_fifo(keys[k]);
		fails(NULL, ferry_open(&sender, fifo_address, FERRY_DUPLEX),
		      -ENOENT);
		ck_assert_int_eq(mkfifo(fifo_path, 0600), 0);
		fails(NULL, ferry_open(&sender, fifo_address, FERRY_DUPLEX),
		      -ETIMEDOUT);
		unlink(fifo_path);
	}
	sender = NULL;
}
END_TEST

START_TEST(one_server_at_a_time_and_a_dead_one_is_followed)
{
	static const char *const keys[] = { "", "?duplex" };
	struct ferry_link *second = NULL;
	int ready[2];
	char c;

	for (int k = 0; k < 2; k++) {
		pid_t pid;

		set_fifo(keys[k]);
		ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
		pid = fork();
		if (pid == 0) {
			if (ferry_listen(&door, fifo_address) == 0 &&
			    write(ready[1], "x", 1) == 1)
				for (;;)
					pause();
			_exit(1);
		}
		ck_assert_int_eq(read(ready[0], &c, 1), 1);
		fails(NULL, ferry_listen(&second, fifo_address), -EBUSY);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		ok(NULL, ferry_listen(&second, fifo_address));
		ferry_close(second);
		ok(NULL, k == 0 ? ferry_destroy(fifo_address) : 0);
		close(ready[0]);
		close(ready[1]);
	}
}
END_TEST

static void serve_and_die(void *arg)
{
	struct ferry_link *peer;
	char c;

	(void)arg;
	if (ferry_listen(&door, fifo_address) == 0 &&
	    ferry_accept(door, &peer, SOON) == 0 &&
	    ferry_read(peer, &c, 1, SOON) == 1 && /* it has come through */
	    ferry_write(peer, "x", 1, SOON) == 1)
		raise(SIGKILL);
	_exit(1);
}

START_TEST(a_killed_server_is_the_end_of_its_clients)
{
	char buf[10];
	pid_t pid;

	set_fifo("");
	pid = child(serve_and_die, NULL);
	ok(NULL, ferry_open(&sender, fifo_address, FERRY_DUPLEX));
	ok(sender, ferry_write(sender, "x", 1, SOON));
	ck_assert_int_eq(ferry_read(sender, buf, 10, SOON), 1);
	fails(sender, ferry_read(sender, buf, 10, SOON), -ENODATA);
	waitpid(pid, NULL, 0);
	fails(sender, ferry_write(sender, "x", 1, SOON), -ECONNRESET);
	unlink(fifo_path);
}
END_TEST

/* --- foreign announcements ------------------------------------------------- */

void fifo_name_of(char out[160], uint64_t number, const char *which)
{
	snprintf(out, 160, "%s/.fifo.%016llx.%s", place,
		 (unsigned long long)number, which);
}

/* By hand, as another program would. */
void fifo_announce(uint64_t number)
{
	unsigned char note[32] = { 0x89, 'F', 'F', 'I', 'F', 'O', '\n', 1 };
	uint64_t check = ~number;
	int fd = open(fifo_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

	memcpy(note + 16, &number, 8); /* this test is little-endian */
	memcpy(note + 24, &check, 8);
	ck_assert_int_eq(write(fd, note, sizeof note), sizeof note);
	close(fd);
}

START_TEST(a_client_that_dies_before_it_opens_its_end_hangs_nobody)
{
	char in[160], out[160], buf[2];
	int fd;

	listen_at("");
	fifo_name_of(in, 5, "in");
	fifo_name_of(out, 5, "out");
	ck_assert_int_eq(mkfifo(in, 0600), 0);
	ck_assert_int_eq(mkfifo(out, 0600), 0);
	fd = open(out, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	fifo_announce(5);
	ok(door, ferry_accept(door, &receiver, SOON));
	ck_assert(!is_there(out));
	fails(receiver, ferry_read(receiver, buf, 1, FERRY_NOWAIT), -EAGAIN);
	ck_assert_int_eq(read(fd, buf, 2), 1); /* it was told */
	close(fd);
	fails(receiver, ferry_read(receiver, buf, 1, SOON), -ECONNRESET);
	fails(receiver, ferry_read(receiver, buf, 1, SOON), -ECONNRESET);
	fails(receiver, ferry_write(receiver, buf, 1, SOON), -ECONNRESET);
	close_end(&receiver);
	ck_assert(!is_there(in));
	close_door();
}
END_TEST

/* It is served when there are descriptors again. */
START_TEST(without_a_descriptor_a_client_is_not_lost)
{
	struct rlimit all, few;
	pid_t pid;
	int err = -EAGAIN;

	listen_at("");
	getrlimit(RLIMIT_NOFILE, &all);
	pid = child(ask, &(int){ 5 });
	for (int n = 0; n < 4; n++) {
		few = all;
		few.rlim_cur = (rlim_t)count_fds() + (rlim_t)n;
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
		err = ferry_accept(door, &receiver, ferry_after(SHORT_TIME));
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
		if (err == 0)
			break;
		ck_assert(err == -EMFILE || err == -ETIMEDOUT);
	}
	if (err != 0) {
		answer_one();
	} else {
		ck_assert_int_eq(ferry_read(receiver, &err, sizeof err, SOON),
				 sizeof err);
		err++;
		ok(receiver, ferry_write(receiver, &err, sizeof err, SOON));
		close_end(&receiver);
	}
	receiver = NULL;
	expect_exit(pid, 0);
	close_door();
}
END_TEST

static void accept_and_answer(void *arg)
{
	(void)arg;
	answer_one();
	ferry_close(door);
}

START_TEST(children_of_a_fork_share_the_door)
{
	static const char *const keys[] = { "", "?duplex" };

	for (int k = 0; k < 2; k++) {
		pid_t server, client;

		listen_at(keys[k]);
		for (int i = 0; i < 3; i++) {
			client = child(ask, &i);
			server = child(accept_and_answer, NULL);
			expect_exit(client, 0);
			expect_exit(server, 0);
			client = child(ask, &i);
			answer_one();
			expect_exit(client, 0);
		}
		close_door();
	}
}
END_TEST

START_TEST(what_a_dead_client_announced_is_removed)
{
	char in[160], out[160];

	listen_at("");
	fifo_name_of(in, 6, "in");
	fifo_name_of(out, 6, "out");
	ck_assert_int_eq(mkfifo(in, 0600), 0);
	ck_assert_int_eq(mkfifo(out, 0600), 0);
	fifo_announce(6);
	fails(door, ferry_accept(door, &receiver, FERRY_NOWAIT), -EAGAIN);
	receiver = NULL;
	ck_assert(!is_there(in));
	ck_assert(!is_there(out));
	close_door();
}
END_TEST

START_TEST(garbage_is_passed_by_and_the_next_client_served)
{
	char junk[1000];
	pid_t pid;
	int fd;

	listen_at("");
	fd = open(fifo_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	for (unsigned i = 0; i < sizeof junk; i++)
		junk[i] = (char)(i * 37);
	for (int i = 0; i < 7; i++)
		ck_assert_int_gt(write(fd, junk, 991), 0);
	fifo_announce(7); /* of nobody */
	ck_assert_int_eq(write(fd,
			       "\x89"
			       "FFI",
			       4),
			 4);
	close(fd);
	pid = child(ask, &(int){ 1 });
	answer_one();
	expect_exit(pid, 0);
	close_door();
}
END_TEST

/* Whoever may write to the door must not lead it to files of others. */
START_TEST(an_announced_name_that_is_no_fifo_of_its_own_is_not_opened)
{
	char in[160], out[160], victim[160];
	int fd;

	listen_at("");
	fifo_name_of(in, 8, "in");
	fifo_name_of(out, 8, "out");
	snprintf(victim, sizeof victim, "%s/victim", place);
	ck_assert_int_eq(mkfifo(victim, 0600), 0);
	fd = open(victim, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_eq(mkfifo(in, 0600), 0);
	for (int i = 0; i < 3; i++) {
		if (i == 0)
			ck_assert_int_eq(symlink(victim, out), 0);
		else if (i == 1)
			ck_assert_int_eq(link(victim, out), 0);
		else
			close(open(out, O_CREAT | O_WRONLY, 0600));
		fifo_announce(8);
		fails(door, ferry_accept(door, &receiver, FERRY_NOWAIT),
		      -EAGAIN);
		unlink(out);
	}
	receiver = NULL;
	ck_assert_int_eq(read(fd, in, 1), 0); /* not a byte came */
	close(fd);
	fifo_name_of(in, 8, "in");
	unlink(in);
	unlink(victim);
	close_door();
}
END_TEST

static void announce_as_nobody(void *arg)
{
	char in[60], out[60];

	if (chdir(place) != 0 || seteuid(65534) != 0)
		_exit(1);
	snprintf(fifo_path, sizeof fifo_path, "fifo");
	snprintf(in, sizeof in, ".fifo.%016x.in", 9);
	snprintf(out, sizeof out, ".fifo.%016x.out", 9);
	if (mkfifo(in, 0666) != 0 || mkfifo(out, 0666) != 0 ||
	    open(out, O_RDONLY | O_NONBLOCK) < 0)
		_exit(2);
	fifo_announce(9);
	if (write(*(int *)arg, "x", 1) == 1)
		for (;;)
			pause();
	_exit(3);
}

/* The permissions of the well-known FIFO say whether others are let in. */
static void accept_nobody(unsigned mode)
{
	char in[160], out[160], c;
	int ready[2];
	pid_t pid;

	listen_at("?mode=0622");
	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = child(announce_as_nobody, &ready[1]);
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	ck_assert_int_eq(chmod(fifo_path, mode), 0);
	if (mode & 0022) {
		ok(door, ferry_accept(door, &receiver, SOON));
		close_end(&receiver);
	} else {
		fails(door, ferry_accept(door, &receiver, FERRY_NOWAIT),
		      -EAGAIN);
		receiver = NULL;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fifo_name_of(in, 9, "in");
	fifo_name_of(out, 9, "out");
	unlink(in);
	unlink(out);
	close(ready[0]);
	close(ready[1]);
	close_door();
}

START_TEST(fifos_of_another_user_are_opened_where_others_are_let_in)
{
	skip_unless(geteuid() == 0, "one cannot become another user");
	ck_assert_int_eq(chmod(place, 0777), 0);
	accept_nobody(0600);
	accept_nobody(0622);
}
END_TEST

/* --- two under one name, and programs without Ferry ---------------------------- */

START_TEST(a_shell_talks_to_a_server_through_two_fifos)
{
	char command[400], buf[20];
	pid_t pid;

	listen_at("?duplex&framing=line");
	snprintf(command, sizeof command,
		 "exec 3>'%s' 4<'%s.back'; echo question >&3; "
		 "read -r a <&4; [ \"$a\" = answer ]",
		 fifo_path, fifo_path);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	ok(door, ferry_accept(door, &receiver, SOON));
	expect_text(receiver, "question");
	send_text(receiver, "answer");
	fails(receiver, ferry_recv(receiver, buf, sizeof buf, SOON), -ENODATA);
	expect_exit(pid, 0);
	close_door();
}
END_TEST

START_TEST(a_second_client_waits_for_fifos_of_its_own)
{
	char buf[10];

	listen_at("?duplex&timeout=30ms");
	ok(NULL, ferry_open(&sender, fifo_address, FERRY_DUPLEX));
	ok(sender, ferry_write(sender, "one", 3, SOON));
	fails(NULL, ferry_open(&receiver, fifo_address, FERRY_DUPLEX),
	      -ETIMEDOUT);
	close_end(&sender);
	/* Its bytes are there: nobody may write behind them. */
	fails(NULL, ferry_open(&receiver, fifo_address, FERRY_DUPLEX),
	      -ETIMEDOUT);
	ok(door, ferry_accept(door, &receiver, SOON));
	ck_assert_int_eq(ferry_read(receiver, buf, sizeof buf, SOON), 3);
	fails(receiver, ferry_read(receiver, buf, sizeof buf, SOON), -ENODATA);
	fails(receiver, ferry_write(receiver, "x", 1, SOON), -ECONNRESET);
	close_end(&receiver);
	fails(door, ferry_accept(door, &receiver, FERRY_NOWAIT), -EAGAIN);
	ok(NULL, ferry_open(&sender, fifo_address, FERRY_DUPLEX));
	ok(door, ferry_accept(door, &receiver, SOON));
	close_door();
}
END_TEST

void add_fifo_meet_tests(TCase *tc)
{
	tcase_add_test(tc,
		       every_client_gets_its_own_answer_and_nothing_is_left);
	tcase_add_test(
		tc, a_client_that_nobody_accepts_gives_up_and_leaves_nothing);
	tcase_add_test(tc, without_a_server_a_client_is_told);
	tcase_add_test(tc, one_server_at_a_time_and_a_dead_one_is_followed);
	tcase_add_test(tc, a_killed_server_is_the_end_of_its_clients);
	tcase_add_test(tc,
		       a_client_that_dies_before_it_opens_its_end_hangs_nobody);
	tcase_add_test(tc, without_a_descriptor_a_client_is_not_lost);
	tcase_add_test(tc, children_of_a_fork_share_the_door);
	tcase_add_test(tc, what_a_dead_client_announced_is_removed);
	tcase_add_test(tc, garbage_is_passed_by_and_the_next_client_served);
	tcase_add_test(
		tc, an_announced_name_that_is_no_fifo_of_its_own_is_not_opened);
	tcase_add_test(
		tc, fifos_of_another_user_are_opened_where_others_are_let_in);
	tcase_add_test(tc, a_shell_talks_to_a_server_through_two_fifos);
	tcase_add_test(tc, a_second_client_waits_for_fifos_of_its_own);
}
