/* SPDX-License-Identifier: MIT */
/*
 * Who connects to a name and is not what it says: silent, half, forged, or a peer
 * that writes anything into its channel.
 */
#include "fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SOON	ferry_after(FERRY_S(20))
#define SEGMENT (4096 + 2 * 64 * 256)

/* doc/format.md: a hello */
struct hello {
	char magic[8];
	uint32_t version, reserved;
	char name[240];
};

static struct ferry_link *logger;

static void start_logger(void)
{
	works(NULL, ferry_open(&logger, "process:logger", FERRY_RECV));
}

static int connect_to(const char *door)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path_of(door));
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
	return fd;
}

static void say_hello(int fd, const char *name)
{
	struct hello h = { .magic = "\x89"
				    "FHELLO\n",
			   .version = 1 };

	snprintf(h.name, sizeof h.name, "%s", name);
	ck_assert_int_eq(send(fd, &h, sizeof h, MSG_NOSIGNAL), sizeof h);
}

static void pass(int to, const int *fds, size_t n)
{
	char byte = 0, control[CMSG_SPACE(4 * sizeof(int))] = { 0 };
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	ck_assert_int_eq(sendmsg(to, &m, MSG_NOSIGNAL), 1);
}

static void a_message_comes(void)
{
	struct ferry_link *l;
	char got[10];

	works(NULL, ferry_open(&l, "process:logger?ring=16K", FERRY_SEND));
	works(l, ferry_send(l, "honest", 6, SOON));
	ck_assert_int_eq(ferry_recv(logger, got, sizeof got, SOON), 6);
	ferry_close(l);
}

/* But whoever knocks is looked at. */
static void nothing_comes(void)
{
	char byte;

	ck_assert_int_eq(ferry_recv(logger, &byte, 1,
				    ferry_after(FERRY_MS(30))),
			 -ETIMEDOUT);
}

START_TEST(silent_connections_keep_nobody_out)
{
	int silent[150];

	start_logger();
	for (unsigned i = 0; i < 150; i++) {
		silent[i] = connect_to(".process.logger");
		if (i % 3 == 1)
			say_hello(silent[i], i % 2 ? "app" : "");
		if (i % 10 == 0)
			a_message_comes();
	}
	for (unsigned i = 0; i < 150; i++)
		close(silent[i]);
	a_message_comes();
	ferry_close(logger);
}
END_TEST

/* Without descriptors nobody is let in, and that is said; those who are in are
 * heard. */
START_TEST(a_receiver_without_descriptors_says_so)
{
	struct rlimit few = { 40, 40 }, before;
	struct ferry_link *l;
	int taken[60], n = 0, fd;
	char got[10];

	start_logger();
	works(NULL, ferry_open(&l, "process:logger?ring=16K", FERRY_SEND));
	works(l, ferry_send(l, "one", 3, SOON));
	ck_assert_int_eq(ferry_recv(logger, got, sizeof got, SOON), 3);
	fd = connect_to(".process.logger");
	getrlimit(RLIMIT_NOFILE, &before);
	few.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	while (n < 60 && (taken[n] = dup(0)) >= 0)
		n++;
	refused(logger, ferry_recv(logger, got, sizeof got, SOON), -EMFILE,
		"nobody can be let in");
	works(l, ferry_send(l, "two", 3, SOON));
	ck_assert_int_eq(ferry_recv(logger, got, sizeof got, SOON), 3);
	while (n > 0)
		close(taken[--n]);
	setrlimit(RLIMIT_NOFILE, &before);
	a_message_comes();
	close(fd);
	ferry_close(l);
	ferry_close(logger);
}
END_TEST

START_TEST(who_says_no_hello_is_turned_away)
{
	char byte;
	int fd;

	start_logger();
	fd = connect_to(".process.logger");
	ck_assert_int_eq(send(fd, "GET / HTTP/1.1\r\n", 16, 0), 16);
	nothing_comes();
	ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
	close(fd);
	fd = connect_to(".process.logger");
	say_hello(fd, "../app");
	nothing_comes();
	ck_assert_int_le(recv(fd, &byte, 1, 0), 0);
	close(fd);
	a_message_comes();
	ferry_close(logger);
}
END_TEST

/* --- a name that is not one's own ------------------------------------------------ */

/* Has the name, and shows its certificate to who is trapped for it. */
static void be_app(struct child *c, void *arg)
{
	struct ferry_link *l, *trap;

	(void)arg;
	works(NULL, ferry_open(&l, "process:app", FERRY_RECV));
	child_tell(c);
	child_hear(c);
	works(NULL, ferry_open(&trap, "process:trap", FERRY_SEND));
	ferry_send(trap, "x", 1, SOON);
	child_hear(c);
	ferry_close(trap);
	ferry_close(l);
}

static int listen_at(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path_of(name));
	ck_assert_int_eq(bind(door, (struct sockaddr *)&a, sizeof a), 0);
	ck_assert_int_eq(listen(door, 1), 0);
	return door;
}

/* What is shown to the one who listens there. */
static int catch_certificate(int door)
{
	char byte, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof control };
	int fd = accept(door, NULL, NULL), shown;
	struct hello h;

	ck_assert_int_eq(recv(fd, &h, sizeof h, MSG_WAITALL), sizeof h);
	ck_assert_str_eq(h.name, "app");
	ck_assert_int_eq(recvmsg(fd, &m, 0), 1);
	memcpy(&shown, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof shown);
	close(fd);
	return shown;
}

/* The memory of an honest channel, made by another, and two more sockets. */
static void pass_a_channel(int to)
{
	struct ferry_link *ends[2];
	char path[64], target[64];
	int pair[2];
	ssize_t n;

	works(NULL, ferry_pair(ends, "channel:?ring=16K"));
	works(ends[0], ferry_send(ends[0], "forged", 6, SOON));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	for (int fd = 3; fd < 64; fd++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof target);
		if (n > 12 && strncmp(target, "/memfd:ferry", 12) == 0) {
			pass(to, (int[]){ fd, pair[0], pair[1] }, 3);
			break;
		}
	}
	close(pair[0]);
	close(pair[1]);
	ferry_close(ends[0]);
	ferry_close(ends[1]);
}

/* It passes `proof` and is taken for somebody without a name. */
static void forge(int proof)
{
	struct ferry_message m;
	int fd = connect_to(".process.logger");

	say_hello(fd, "app");
	pass(fd, &proof, 1);
	pass_a_channel(fd);
	works(logger, ferry_take(logger, &m, SOON));
	ck_assert_int_eq(memcmp(m.data, "forged", 6), 0);
	ck_assert_ptr_null(m.from);
	ck_assert_int_eq(m.sender.pid, getpid());
	works(logger, ferry_release(&m));
	close(fd);
	close(proof);
}

START_TEST(a_forged_name_is_no_name)
{
	struct child app = child_start(be_app, NULL);
	int door, fd, pair[2];

	child_hear(&app);
	start_logger();
	forge(connect_to(".process.app")); /* not the accepted end */
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[0]);
	forge(pair[1]);
	forge(dup(0)); /* no socket at all */
	door = listen_at(".process.trap");
	child_tell(&app);
	forge(catch_certificate(door)); /* the true one, in other hands */
	close(door);
	unlink(path_of(".process.trap"));
	/* Accepted by ourselves, at a door of another directory. */
	ck_assert_int_eq(mkdir(path_of("x"), 0700), 0);
	door = listen_at("x/.process.app");
	fd = connect_to("x/.process.app");
	forge(accept(door, NULL, NULL));
	close(fd);
	close(door);
	unlink(path_of("x/.process.app"));
	rmdir(path_of("x"));
	child_tell(&app);
	child_join(&app);
	ferry_close(logger);
}
END_TEST

/* --- nonsense in a channel --------------------------------------------------------- */

static void write_nonsense(struct child *c, void *arg)
{
	struct ferry_link *l;
	char path[64], target[64];
	uint8_t *base;
	ssize_t n;

	(void)arg;
	works(NULL, ferry_open(&l, "process:logger?ring=16K", FERRY_SEND));
	works(l, ferry_send(l, "good", 4, SOON));
	for (int fd = 3; fd < 64; fd++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		n = readlink(path, target, sizeof target);
		if (n < 12 || strncmp(target, "/memfd:ferry", 12) != 0)
			continue;
		base = mmap(NULL, SEGMENT, PROT_READ | PROT_WRITE, MAP_SHARED,
			    fd, 0);
		ck_assert_ptr_ne(base, MAP_FAILED);
		for (size_t at = 2048; at + 8 <= SEGMENT; at += 8)
			if (at > 4096 + 64)
				*(uint64_t *)(base + at) = UINT64_MAX << 33 |
							   0x7fffffff;
	}
	child_tell(c);
	child_hear(c);
}

START_TEST(one_that_writes_nonsense_is_dropped_and_nobody_else)
{
	struct child other;
	char got[10];

	start_logger();
	other = child_start(write_nonsense, NULL);
	child_hear(&other);
	ck_assert_int_eq(ferry_recv(logger, got, sizeof got, SOON), 4);
	for (int i = 0; i < 20; i++)
		a_message_comes();
	nothing_comes();
	child_tell(&other);
	child_join(&other);
	ferry_close(logger);
}
END_TEST

Suite *direct_strange_suite(void)
{
	TCase *c = fault_case("direct-strange", 40);
	Suite *s = suite_create("direct-strange");

	tcase_add_test(c, silent_connections_keep_nobody_out);
	tcase_add_test(c, a_receiver_without_descriptors_says_so);
	tcase_add_test(c, who_says_no_hello_is_turned_away);
	tcase_add_test(c, a_forged_name_is_no_name);
	tcase_add_test(c, one_that_writes_nonsense_is_dropped_and_nobody_else);
	suite_add_tcase(s, c);
	return s;
}
