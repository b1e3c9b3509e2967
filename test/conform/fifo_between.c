/* SPDX-License-Identifier: MIT */
/*
 * Connections at a FIFO, and what the other side does between two steps of ours: the
 * name of a client's FIFO while a link is shared by a fork.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "conform.h"
#include "fifo.h"

#define NUMBER 5u

static struct ferry_link *door;
static char to_server[160], to_client[160];

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

static int open_raw(const char *name, int how)
{
	int fd = open(name, how | O_NONBLOCK | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
	return fd;
}

/* Of a client that is announced by hand: what it reads.  `receiver` is its link. */
static int accept_by_hand(void)
{
	int fd;

	fifo_name_of(to_server, NUMBER, "in");
	fifo_name_of(to_client, NUMBER, "out");
	ck_assert_int_eq(mkfifo(to_server, 0600), 0);
	ck_assert_int_eq(mkfifo(to_client, 0600), 0);
	fd = open_raw(to_client, O_RDONLY);
	fifo_announce(NUMBER);
	ok(door, ferry_accept(door, &receiver, SOON));
	ck_assert(!is_there(to_client));
	return fd;
}

/* --- a link that a fork shares -------------------------------------------------- */

static int go[2];

static void wait_for_go(void)
{
	char c;

	ck_assert_int_eq(read(go[0], &c, 1), 1);
}

static void serve_when_told(void *arg)
{
	char buf[10];

	(void)arg;
	wait_for_go();
	_exit(ferry_read(receiver, buf, sizeof buf, SOON) != 5);
}

static void close_when_told(void *how)
{
	wait_for_go();
	if (how)
		ok(receiver, ferry_shutdown(receiver, FERRY_RECV));
	else
		ferry_close(receiver);
	_exit(is_there(to_server));
}

START_TEST(who_accepts_and_forks_may_close_before_the_client_has_come)
{
	int fd, w;
	pid_t pid;

	for (int how = 0; how < 2; how++) {
		listen_at("");
		fd = accept_by_hand();
		ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
		pid = child(serve_when_told, NULL);
		if (how)
			ok(receiver, ferry_shutdown(receiver, FERRY_RECV));
		close_end(&receiver);
		w = open_raw(to_server, O_WRONLY); /* the child has it */
		ck_assert_int_eq(write(w, "hello", 5), 5);
		ck_assert_int_eq(write(go[1], "x", 1), 1);
		expect_exit(pid, 0);
		close(w);
		close(fd);
		unlink(to_server); /* as a client does */
		close(go[0]);
		close(go[1]);
		close_door();
	}
}
END_TEST

START_TEST(the_last_who_closes_removes_the_name_of_a_client_that_did_not_come)
{
	int fd;
	pid_t pid;

	for (int how = 0; how < 2; how++) {
		listen_at("");
		fd = accept_by_hand();
		ck_assert_int_eq(pipe2(go, O_CLOEXEC), 0);
		pid = child(close_when_told, how ? &how : NULL);
		close_end(&receiver);
		ck_assert(is_there(to_server));
		ck_assert_int_eq(write(go[1], "x", 1), 1);
		expect_exit(pid, 0);
		close(fd);
		close(go[0]);
		close(go[1]);
		close_door();
	}
}
END_TEST

void add_fifo_between_tests(TCase *tc)
{
	tcase_add_test(
		tc, who_accepts_and_forks_may_close_before_the_client_has_come);
	tcase_add_test(
		tc,
		the_last_who_closes_removes_the_name_of_a_client_that_did_not_come);
}
