/* SPDX-License-Identifier: MIT */
/*
 * Connections at a FIFO, and what the other side does between two steps of ours: the
 * name of a client's FIFO while a link is shared by a fork, and what comes between
 * a look at one descriptor and a look at the other.
 */
#include <fcntl.h>
#include <poll.h>
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

/* --- between two looks ---------------------------------------------------------- */

/* What the other side does before the next look at whether it is gone. */
static void (*meanwhile)(void);
static int fd_read, fd_write;

/* The library's: it looks with a poll() that waits for nothing. */
int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	struct timespec ts = { timeout / 1000, timeout % 1000 * 1000000L };
	struct pollfd *volatile p =
		fds; /* which libc says that we only write */
	void (*run)(void) = meanwhile;

	if (run && n == 1 && p->events == 0 && timeout == 0) {
		meanwhile = NULL;
		run();
	}
	return ppoll(fds, n, timeout < 0 ? NULL : &ts, NULL);
}

static void say_hello(void)
{
	int w = open_raw(to_server, O_WRONLY);

	ck_assert_int_eq(write(w, "hello", 5), 5);
	close(w);
	close(fd_read);
}

static void say_nothing(void)
{
	close(open_raw(to_server, O_WRONLY));
	close(fd_read);
}

static void stop_reading(void)
{
	fd_write = open_raw(to_server, O_WRONLY);
	close(fd_read);
}

/* The first read finds nobody; the other side comes and goes before the second look. */
static ssize_t read_meanwhile(struct ferry_link *l, void (*what)(void))
{
	char buf[10];
	ssize_t n;

	meanwhile = what;
	n = ferry_read(l, buf, sizeof buf, FERRY_NOWAIT);
	ck_assert_ptr_null(meanwhile);
	return n;
}

START_TEST(what_a_client_wrote_and_left_between_two_looks_is_read)
{
	char c;

	listen_at("");
	fd_read = accept_by_hand();
	ck_assert_int_eq(read_meanwhile(receiver, say_hello), 5);
	fails(receiver, ferry_read(receiver, &c, 1, SOON), -ENODATA);
	close_end(&receiver);
	close_door();
}
END_TEST

START_TEST(a_client_that_came_and_went_between_two_looks_has_ended_in_order)
{
	listen_at("");
	fd_read = accept_by_hand();
	ck_assert_int_eq(read_meanwhile(receiver, say_nothing), -ENODATA);
	close_end(&receiver);
	close_door();
}
END_TEST

START_TEST(a_client_that_came_and_reads_no_more_is_still_read)
{
	char buf[10];

	listen_at("");
	fd_read = accept_by_hand();
	ck_assert_int_eq(read_meanwhile(receiver, stop_reading), -EAGAIN);
	ck_assert_int_eq(write(fd_write, "hello", 5), 5);
	close(fd_write);
	ck_assert_int_eq(ferry_read(receiver, buf, sizeof buf, SOON), 5);
	fails(receiver, ferry_read(receiver, buf, 1, SOON), -ENODATA);
	close_end(&receiver);
	close_door();
}
END_TEST

START_TEST(what_a_server_wrote_and_left_between_two_looks_is_read)
{
	char back[160];

	set_fifo("?duplex");
	snprintf(back, sizeof back, "%s.back", fifo_path);
	memcpy(to_server, back, sizeof back); /* whose reader we are */
	ck_assert_int_eq(mkfifo(fifo_path, 0600), 0);
	ck_assert_int_eq(mkfifo(back, 0600), 0);
	fd_read = open_raw(fifo_path, O_RDONLY);
	ok(NULL, ferry_open(&sender, fifo_address, FERRY_DUPLEX));
	ck_assert_int_eq(read_meanwhile(sender, say_hello), 5);
	close_end(&sender);
	unlink(fifo_path);
	unlink(back);
}
END_TEST

START_TEST(a_client_that_never_came_is_gone_for_a_read_behind_a_write)
{
	char c;

	listen_at("");
	close(accept_by_hand());
	fails(receiver, ferry_write(receiver, "x", 1, SOON), -ECONNRESET);
	fails(receiver, ferry_read(receiver, &c, 1, SOON), -ECONNRESET);
	close_end(&receiver);
	close_door();
}
END_TEST

static void ask_and_listen(void)
{
	char back[160];
	int w = open_raw(fifo_path, O_WRONLY);

	snprintf(back, sizeof back, "%s.back", fifo_path);
	fd_read = open_raw(back, O_RDONLY);
	ck_assert_int_eq(write(w, "hello", 5), 5);
	close(w);
}

/* Another one has written and left before, which looks as if nobody would read. */
START_TEST(a_client_that_came_between_two_looks_is_answered)
{
	char buf[10];
	int w;

	listen_at("?duplex");
	w = open_raw(fifo_path, O_WRONLY);
	ck_assert_int_eq(write(w, "hi", 2), 2);
	close(w);
	meanwhile = ask_and_listen;
	ok(door, ferry_accept(door, &receiver, SOON));
	ck_assert_ptr_null(meanwhile);
	ck_assert_int_eq(ferry_read(receiver, buf, sizeof buf, SOON), 7);
	ok(receiver, ferry_write(receiver, "world", 5, SOON));
	ck_assert_int_eq(read(fd_read, buf, sizeof buf), 5);
	close(fd_read);
	close_end(&receiver);
	close_door();
}
END_TEST

/* A server by hand, which accepts one client and then takes no other. */
static void accept_and_close_the_door(void)
{
	unsigned char note[32];
	uint64_t number;

	ck_assert_int_eq(read(fd_read, note, sizeof note), sizeof note);
	memcpy(&number, note + 16, 8); /* this test is little-endian */
	fifo_name_of(to_server, number, "in");
	fifo_name_of(to_client, number, "out");
	fd_write = open_raw(to_client, O_WRONLY);
	ck_assert_int_eq(write(fd_write, "\1", 1), 1);
	close(fd_read);
	fd_read = open_raw(to_server, O_RDONLY);
}

START_TEST(a_client_that_was_accepted_before_the_door_closed_is_connected)
{
	char buf[10];

	set_fifo("?timeout=1s");
	ck_assert_int_eq(mkfifo(fifo_path, 0600), 0);
	fd_read = open_raw(fifo_path, O_RDONLY);
	meanwhile = accept_and_close_the_door;
	ok(NULL, ferry_open(&sender, fifo_address, FERRY_DUPLEX));
	ck_assert_ptr_null(meanwhile);
	ck_assert(!is_there(to_server) && !is_there(to_client));
	ok(sender, ferry_write(sender, "hello", 5, SOON));
	ck_assert_int_eq(read(fd_read, buf, sizeof buf), 5);
	close(fd_read);
	close(fd_write);
	unlink(fifo_path);
}
END_TEST

void add_fifo_between_tests(TCase *tc)
{
	tcase_add_test(tc, a_client_that_came_between_two_looks_is_answered);
	tcase_add_test(
		tc, a_client_that_never_came_is_gone_for_a_read_behind_a_write);
	tcase_add_test(
		tc, who_accepts_and_forks_may_close_before_the_client_has_come);
	tcase_add_test(
		tc,
		the_last_who_closes_removes_the_name_of_a_client_that_did_not_come);
	tcase_add_test(tc,
		       what_a_client_wrote_and_left_between_two_looks_is_read);
	tcase_add_test(
		tc,
		a_client_that_came_and_went_between_two_looks_has_ended_in_order);
	tcase_add_test(tc, a_client_that_came_and_reads_no_more_is_still_read);
	tcase_add_test(tc,
		       what_a_server_wrote_and_left_between_two_looks_is_read);
	tcase_add_test(
		tc,
		a_client_that_was_accepted_before_the_door_closed_is_connected);
}
